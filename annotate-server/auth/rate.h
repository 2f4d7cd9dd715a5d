/* Request rates: a token bucket a principal and one a tenant, shared by all loop threads without a
 * lock. A bucket is one number, the time at which it will be full again (GCRA, the generic cell
 * rate algorithm of ITU-T I.371), so taking a token is one compare-and-swap. The table is of fixed
 * size: two principals may share a bucket, which makes the limit stricter, never weaker. */
#ifndef AUTH_RATE_H
#define AUTH_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE_BUCKETS = 1 << 16 };

struct rate {
    _Atomic int64_t *full_us; /* of each bucket: when it is full again */
    int64_t interval_us;      /* between two tokens; 0 = no limit */
    int64_t depth_us;         /* burst * interval */
};

/* per_second 0: no limit. */
void rate_init(struct rate *r, int64_t per_second, int64_t burst);
void rate_release(struct rate *r);

/* Takes a token of `who`. false: there is none; *wait_ms = when there will be one. */
bool rate_take(struct rate *r, uint64_t who, int64_t now_us, int64_t *wait_ms);
/* Puts a token back that turned out not to be due: for limits on failures, where only failures
 * cost. */
void rate_return(struct rate *r, uint64_t who);

#endif
