/* Owns hashing through libcrypto. Never keeps state between calls but in sha256_ctx. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/err.h"

struct sha256_ctx *sha256_new(void)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    BUG_ON(!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1);
    return (struct sha256_ctx *)c;
}

void sha256_add(struct sha256_ctx *c, const void *p, size_t n)
{
    BUG_ON(EVP_DigestUpdate((EVP_MD_CTX *)c, p, n) != 1);
}

struct sha256 sha256_end(struct sha256_ctx *c)
{
    struct sha256 h;

    BUG_ON(EVP_DigestFinal_ex((EVP_MD_CTX *)c, h.b, NULL) != 1);
    EVP_MD_CTX_free((EVP_MD_CTX *)c);
    return h;
}

struct sha256 sha256_parts(const struct str *parts, size_t n)
{
    struct sha256_ctx *c = sha256_new();

    for (size_t i = 0; i < n; i++)
        sha256_add(c, parts[i].p, parts[i].n);
    return sha256_end(c);
}

struct sha256 sha256_of(struct str data)
{
    return sha256_parts(&data, 1);
}

void sha256_hex(struct sha256 h, char *out)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_LEN; i++) {
        out[2 * i] = hex[h.b[i] >> 4];
        out[2 * i + 1] = hex[h.b[i] & 15];
    }
    out[SHA256_HEX] = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool sha256_parse(struct str hex, struct sha256 *out)
{
    if (hex.n != SHA256_HEX)
        return false;
    for (size_t i = 0; i < SHA256_LEN; i++) {
        int hi = nibble(hex.p[2 * i]), lo = nibble(hex.p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out->b[i] = (unsigned char)(hi << 4 | lo);
    }
    return true;
}

bool sha256_eq(struct sha256 a, struct sha256 b)
{
    return memcmp(a.b, b.b, SHA256_LEN) == 0;
}

uint64_t sha256_u64(struct sha256 h)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | h.b[i];
    return v;
}

void random_bytes(void *p, size_t n)
{
    BUG_ON(n > 256 || getrandom(p, n, 0) != (ssize_t)n);
}
