/* Token buckets: bursts, refill, separate principals, and threads that take at once. */
#include "annotate-server/auth/rate.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "t.h"

static int taken(struct rate *r, uint64_t who, int64_t now_us, int tries)
{
    int64_t wait_ms;
    int n = 0;

    for (int i = 0; i < tries; i++)
        n += rate_take(r, who, now_us, &wait_ms);
    return n;
}

TEST(a_burst_then_the_rate)
{
    struct rate r;
    int64_t wait_ms = 0, second = 1000000;

    rate_init(&r, 10, 5);
    CHECK_INT(taken(&r, 1, second, 100), 5);
    CHECK(!rate_take(&r, 1, second, &wait_ms));
    CHECK_INT(wait_ms, 100);
    CHECK_INT(taken(&r, 1, second + 99000, 100), 0);
    CHECK_INT(taken(&r, 1, second + 100000, 100), 1);
    CHECK_INT(taken(&r, 1, second + 300000, 100), 2);
    CHECK_INT(
        taken(&r, 1, 100 * second, 100), 5); /* never more than a burst, however long it slept */
    rate_release(&r);
}

TEST(principals_do_not_pay_for_each_other)
{
    struct rate r;

    rate_init(&r, 10, 5);
    CHECK_INT(taken(&r, 1, 1000000, 100), 5);
    CHECK_INT(taken(&r, 2, 1000000, 100), 5);
    rate_release(&r);
}

TEST(no_limit_is_no_limit)
{
    struct rate r;

    rate_init(&r, 0, 0);
    CHECK_INT(taken(&r, 1, 0, 100000), 100000);
    rate_release(&r);
}

TEST(rates_beyond_the_clock)
{
    struct rate r;

    rate_init(&r, 5000000, 3); /* finer than a microsecond: one token each */
    CHECK_INT(taken(&r, 1, 7, 10), 3);
    rate_release(&r);
}

enum { THREADS = 4, TRIES = 100000, BURST = 1000 };

static struct rate shared;
static _Atomic int total;

static void *take_many(void *arg)
{
    (void)arg;
    atomic_fetch_add(&total, taken(&shared, 42, 5000000, TRIES));
    return NULL;
}

TEST(threads_share_one_bucket_exactly)
{
    pthread_t threads[THREADS];

    rate_init(&shared, 100, BURST);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, take_many, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(total, BURST);
    rate_release(&shared);
}
