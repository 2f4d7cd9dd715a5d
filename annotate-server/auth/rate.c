/* Owns the buckets of rate.h. Never blocks and never allocates after rate_init. */
#include "annotate-server/auth/rate.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"

void rate_init(struct rate *r, int64_t per_second, int64_t burst)
{
    *r = (struct rate){0};
    if (per_second <= 0)
        return;
    r->full_us = calloc(RATE_BUCKETS, sizeof(*r->full_us));
    BUG_ON(!r->full_us);
    r->interval_us = 1000000 / per_second > 0 ? 1000000 / per_second : 1;
    r->depth_us = r->interval_us * (burst > 1 ? burst : 1);
}

void rate_release(struct rate *r)
{
    free(r->full_us);
    r->full_us = NULL;
}

static _Atomic int64_t *bucket_of(const struct rate *r, uint64_t who)
{
    return &r->full_us[(who * 0x9e3779b97f4a7c15U) >> 48];
}

/* The bucket's time after one more token; it may not lie further ahead than the bucket is deep. */
static bool room(
    const struct rate *r, int64_t full_us, int64_t now_us, int64_t *next_us, int64_t *wait_ms)
{
    *next_us = (full_us > now_us ? full_us : now_us) + r->interval_us;
    if (*next_us - now_us <= r->depth_us)
        return true;
    *wait_ms = (*next_us - now_us - r->depth_us + 999) / 1000;
    return false;
}

bool rate_take(struct rate *r, uint64_t who, int64_t now_us, int64_t *wait_ms)
{
    if (!r->full_us)
        return true;
    _Atomic int64_t *bucket = bucket_of(r, who);
    int64_t full = atomic_load_explicit(bucket, memory_order_relaxed), next;

    do {
        if (!room(r, full, now_us, &next, wait_ms))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(
        bucket, &full, next, memory_order_relaxed, memory_order_relaxed));
    return true;
}

void rate_return(struct rate *r, uint64_t who)
{
    if (r->full_us)
        atomic_fetch_sub_explicit(bucket_of(r, who), r->interval_us, memory_order_relaxed);
}
