/* Owns the memory of verified tokens. Never answers for a token past its exp. */
#include "annotate-server/auth/token_cache.h"

#include <stdlib.h>

#include "base/clock.h"

void token_cache_init(struct token_cache *c, const struct key_set *keys)
{
    c->keys = keys;
    c->slots = calloc(TOKEN_CACHE_SLOTS, sizeof(*c->slots));
    BUG_ON(!c->slots);
}

void token_cache_release(struct token_cache *c)
{
    free(c->slots);
    c->slots = NULL;
}

enum err token_cache_verify(
    struct token_cache *c, struct str token, struct token_claims *out, const char **why)
{
    enum err e;

    if (token.n > TOKEN_MAX_BYTES) /* not worth hashing */
        return token_verify(c->keys, token, out, why);
    struct sha256 hash = sha256_of(token);
    struct token_cache_slot *slot = &c->slots[sha256_u64(hash) % TOKEN_CACHE_SLOTS];
    if (sha256_eq(slot->hash, hash) && clock_unix() < slot->claims.exp) {
        *out = slot->claims;
        *why = NULL;
        return ERR_OK;
    }
    e = token_verify(c->keys, token, out, why);
    if (e == ERR_OK)
        *slot = (struct token_cache_slot){hash, *out};
    return e;
}
