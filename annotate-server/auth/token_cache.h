/* Tokens that this thread has verified already, by SHA-256, until they expire: a check costs some
 * 13 us, a look-up under 1. Fixed size; a newer token takes the place of an older one. One a loop
 * thread, never shared. Refusals are not kept. */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include "annotate-server/auth/token.h"
#include "base/hash.h"

enum { TOKEN_CACHE_SLOTS = 4096 };

struct token_cache_slot {
    struct sha256 hash; /* of the token's text */
    struct token_claims claims;
};

struct token_cache {
    const struct key_set *keys; /* borrowed; must not change */
    struct token_cache_slot *slots;
};

void token_cache_init(struct token_cache *c, const struct key_set *keys);
void token_cache_release(struct token_cache *c);

/* token_verify(), remembered. */
enum err token_cache_verify(
    struct token_cache *c, struct str token, struct token_claims *out, const char **why) MUSTCHECK;

#endif
