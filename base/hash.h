/* SHA-256 and hex, and 64-bit keys drawn from it. Never anything secret-dependent in its timing but
 * the data. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

enum { SHA256_LEN = 32, SHA256_HEX = 64 };

struct sha256 {
    unsigned char b[SHA256_LEN];
};

struct sha256 sha256_of(struct str data);
/* Several pieces as if joined. */
struct sha256 sha256_parts(const struct str *parts, size_t n);

/* Streaming: new, add, end (which frees). */
struct sha256_ctx;
struct sha256_ctx *sha256_new(void);
void sha256_add(struct sha256_ctx *c, const void *p, size_t n);
struct sha256 sha256_end(struct sha256_ctx *c);

/* out: SHA256_HEX + 1 bytes, NUL-terminated, lower case. */
void sha256_hex(struct sha256 h, char *out);
/* Exactly 64 lower- or upper-case hex digits. */
bool sha256_parse(struct str hex, struct sha256 *out);
bool sha256_eq(struct sha256 a, struct sha256 b);
/* The first 8 bytes, big-endian: the key of sampling and splits. */
uint64_t sha256_u64(struct sha256 h);

/* n random bytes from the kernel; aborts if it has none. */
void random_bytes(void *p, size_t n);

#endif
