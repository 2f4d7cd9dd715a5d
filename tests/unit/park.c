/* The waiting list: the first who wait are woken, once each; who is removed is not; time runs out;
 * a drain lets nobody stay. */
#include "annotate-server/api/park.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "t.h"

static struct server server;
static struct thread_ctx ctx;

enum { MAX = 20000 };
struct waiter {
    struct parked parked;
    int woken, timed_out;
    bool again;
};
static struct waiter w[MAX];
static int order[MAX], norder;

static void wake(struct parked *p, bool timed_out)
{
    struct waiter *x = container_of(p, struct waiter, parked);

    x->woken++;
    x->timed_out += timed_out;
    if (norder < MAX)
        order[norder++] = (int)(x - w);
    if (x->again && park_add(&ctx, p))
        x->again = false;
}

static void fresh(void)
{
    ctx = (struct thread_ctx){.server = &server, .loop = loop_new()};
    server = (struct server){.nthreads = 1, .threads = {&ctx}};
    park_init(&ctx);
    norder = 0;
}

static void wait_for(int i, int64_t project, enum stage stage, int64_t ms)
{
    w[i] = (struct waiter){.parked = {.tenant = 1,
                               .project = project,
                               .stage = stage,
                               .deadline_us = clock_mono_us() + ms * 1000,
                               .wake = wake}};
    CHECK(park_add(&ctx, &w[i].parked));
}

static void turn(void)
{
    event_base_loop(loop_base(ctx.loop), EVLOOP_NONBLOCK);
}

TEST(an_opening_wakes_the_first_of_its_queue)
{
    fresh();
    for (int i = 0; i < 100; i++)
        wait_for(i, 7, STAGE_ANNOTATE, 60000);
    wait_for(100, 7, STAGE_REVIEW, 60000);
    wait_for(101, 8, STAGE_ANNOTATE, 60000);
    park_wake(&server, 1, 7, STAGE_ANNOTATE);
    park_wake(&server, 2, 7, STAGE_REVIEW); /* another tenant's */
    turn();
    CHECK(norder > 0 && norder < 100); /* a few, not all: each asks the database */
    for (int i = 0; i < norder; i++)
        CHECK_INT(order[i], i);
    int first = norder;
    park_pass_on(&ctx, 1, 7, STAGE_ANNOTATE);
    CHECK(norder > first);
    CHECK_INT(order[first], first);
    CHECK_INT(w[100].woken + w[101].woken, 0);
    park_drain(&ctx);
    for (int i = 0; i < 102; i++)
        CHECK_INT(w[i].woken, 1);
    CHECK_INT(w[101].timed_out, 1);
    CHECK(!park_add(&ctx, &w[0].parked));
}

TEST(who_is_removed_is_not_woken)
{
    fresh();
    for (int i = 0; i < 5; i++)
        wait_for(i, 7, STAGE_ANNOTATE, 60000);
    park_remove(&ctx, &w[0].parked);
    park_remove(&ctx, &w[2].parked);
    park_remove(&ctx, &w[4].parked); /* the last: the next one stands behind the one before */
    park_remove(&ctx, &w[4].parked); /* twice is once */
    wait_for(5, 7, STAGE_ANNOTATE, 60000);
    park_wake(&server, 1, 7, STAGE_ANNOTATE);
    turn();
    REQUIRE(norder == 3);
    CHECK_INT(order[0], 1);
    CHECK_INT(order[1], 3);
    CHECK_INT(order[2], 5);
    wait_for(0, 7, STAGE_ANNOTATE, 60000); /* its queue had gone */
    park_remove(&ctx, &w[0].parked);
    park_wake(&server, 1, 7, STAGE_ANNOTATE);
    turn();
    CHECK_INT(norder, 3);
}

TEST(who_parks_again_while_being_woken_waits_again)
{
    fresh();
    for (int i = 0; i < 3; i++)
        wait_for(i, 7, STAGE_ANNOTATE, 60000);
    w[0].again = w[2].again = true;
    park_wake(&server, 1, 7, STAGE_ANNOTATE);
    turn();
    CHECK_INT(norder, 3);
    park_wake(&server, 1, 7, STAGE_ANNOTATE);
    turn();
    CHECK_INT(norder, 5);
    CHECK_INT(w[1].woken, 1);
}

TEST(time_runs_out_and_a_look_comes_by_itself)
{
    fresh();
    wait_for(0, 7, STAGE_ANNOTATE, 1);
    wait_for(1, 8, STAGE_QA, 60000);
    int64_t end = clock_mono_us() + 5000000;
    while ((!w[0].woken || !w[1].woken) && clock_mono_us() < end)
        event_base_loop(loop_base(ctx.loop), EVLOOP_ONCE);
    CHECK_INT(w[0].timed_out, 1);
    CHECK_INT(w[1].woken, 1);
    CHECK_INT(w[1].timed_out, 0);
}

/* Ten thousand in one queue and in as many: adding and removing must not walk them. */
TEST(many_may_wait)
{
    fresh();
    int64_t begin = clock_mono_us();
    for (int i = 0; i < MAX; i++)
        wait_for(i, i % 2 ? 7 : i, STAGE_ANNOTATE, 60000);
    for (int i = MAX - 1; i >= 0; i -= 3)
        park_remove(&ctx, &w[i].parked);
    CHECK(clock_mono_us() - begin < 2000000);
    park_drain(&ctx);
    for (int i = 0; i < MAX; i++)
        CHECK_INT(w[i].woken, (MAX - 1 - i) % 3 ? 1 : 0);
}
