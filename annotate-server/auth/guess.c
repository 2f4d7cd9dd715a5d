/* Owns who guesses at what. Never tells whether an account exists. */
#include "annotate-server/auth/guess.h"

#include "annotate-server/auth/gate.h"
#include "annotate-server/context.h"
#include "base/clock.h"
#include "base/hash.h"

/* The account as the database compares it, and the client's address, so that nobody locks others
 * out. */
static uint64_t guess_of(struct req *r, struct str email)
{
    char *name = arena_copy(r->arena, email.p, email.n);
    uint64_t peer = req_peer(r);
    const struct str parts[] = {{name, email.n}, {(const char *)&peer, sizeof(peer)}};

    for (size_t i = 0; i < email.n; i++)
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (char)(name[i] - 'A' + 'a');
    return sha256_u64(sha256_parts(parts, ARRAY_LEN(parts)));
}

bool guess_begin(struct req *r, struct str email, uint64_t *guess)
{
    int64_t wait_ms = 0;

    *guess = guess_of(r, email);
    /* Taken now, given back when right: so tries side by side are counted, too. */
    if (rate_take(&r->ctx->server->failed_logins, *guess, clock_mono_us(), &wait_ms))
        return true;
    rate_fail(r, wait_ms, "too many failed logins");
    return false;
}

void guess_right(struct req *r, uint64_t guess)
{
    rate_return(&r->ctx->server->failed_logins, guess);
}
