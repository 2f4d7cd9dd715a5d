/* Bearer tokens (JWT). libjwt makes and checks signatures and decides nothing else: token_verify()
 * checks the shape, the header and the key before libjwt sees a byte (its 1.10.2 takes the
 * algorithm from the token, takes an empty key for `none`, and overflows the stack on a large
 * token), and every claim after. Never looks at the database: who the token names may be gone. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "annotate-server/auth/key_set.h"
#include "base/buf.h"

enum {
    TOKEN_MAX_BYTES = 8 << 10,
    TOKEN_LEEWAY_S = 30, /* of a clock that is behind ours, for iat and nbf; exp has none */
    TOKEN_SUB_MAX = 256,
};

struct token_claims {
    const struct token_key *key; /* the row that verified it; as long as the key set */
    char sub[TOKEN_SUB_MAX];
    int64_t exp; /* seconds since 1970; the token is dead from this second on */
    /* Our own tokens only (key->iss is TOKEN_SELF); an outside issuer's sub is yet to be mapped. */
    int64_t user, tenant;
    int64_t epoch; /* of the user's tokens (app_user.token_epoch); 0 when the token has none */
    bool admin;
};

/* A login token for `who` (tenant, user, admin and epoch), valid from clock_unix() for life_s,
 * appended to out. ERR_INTERNAL without a signing key. */
enum err token_sign(const struct key_set *keys, const struct token_claims *who, int64_t life_s,
    struct buf *out) MUSTCHECK;

/* ERR_OK with *out filled, or ERR_UNAUTHENTICATED with *why a fixed phrase for the log (not for the
 * client). */
enum err token_verify(const struct key_set *keys, struct str token, struct token_claims *out,
    const char **why) MUSTCHECK;

#endif
