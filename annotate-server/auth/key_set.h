/* The keys that bearer tokens are checked with: a row per (issuer, kid), each with its ONE
 * algorithm, so that a token never chooses how it is checked. Filled at start, read-only after:
 * threads share it. Never fetches a key. */
#ifndef AUTH_KEY_SET_H
#define AUTH_KEY_SET_H

#include "base/err.h"
#include "base/str.h"

enum token_alg { TOKEN_HS256, TOKEN_RS256, TOKEN_ES256, TOKEN_ALG_COUNT };

enum {
    KEY_MIN_BYTES = 32,   /* of a shared secret */
    KEY_MAX_BYTES = 8192, /* of a key file or a PEM */
    KEY_MIN_RSA = 2048,   /* bits */
    KEY_SET_MAX = 64,
    KEY_NAME_MAX = 256, /* an issuer or a kid, bytes */
};

#define TOKEN_SELF "annotate" /* our own `iss`, and the `aud` that every token must hold */

struct token_key {
    char iss[KEY_NAME_MAX], kid[KEY_NAME_MAX];
    enum token_alg alg;
    size_t signature_bytes; /* a signature of this key has exactly so many */
    int64_t max_life_s;     /* exp - iat may not be more */
    unsigned char *bytes;   /* the secret, or the PEM text; NUL-terminated past `size` */
    size_t size;
};

struct key_set {
    struct token_key rows[KEY_SET_MAX];
    size_t count;
};

void key_set_init(struct key_set *s);
/* Wipes the secrets. */
void key_set_release(struct key_set *s);

/* Our own HS256 secret from a file of raw bytes. The first one signs; more of them still verify
 * (rotation). The kid is drawn from the secret's hash. Refused, with the reason in the log: a file
 * that others may read, a secret that is short, a PEM, or a published example. */
enum err key_set_add_file(struct key_set *s, const char *path, int64_t max_life_s) MUSTCHECK;
/* `path` and, where there is one, `path`.old: the key before the last rotation. */
enum err key_set_load(struct key_set *s, const char *path, int64_t max_life_s) MUSTCHECK;

/* An outside issuer's public key (RS256 of at least 2048 bits, or ES256 on P-256), as PEM.
 * ERR_INVALID when the key does not fit the algorithm, ERR_EXISTS when (iss, kid) is taken. */
enum err key_set_add_public(struct key_set *s, const char *iss, const char *kid, enum token_alg alg,
    struct str pem, int64_t max_life_s) MUSTCHECK;

/* NULL when there is none. */
const struct token_key *key_set_find(const struct key_set *s, struct str iss, struct str kid);
/* The key that signs our tokens; NULL before key_set_add_file(). */
const struct token_key *key_set_signer(const struct key_set *s);

const char *token_alg_name(enum token_alg alg);

#endif
