/* Owns the last stage: telling the server how each item ended, and letting go of it. And the
 * heartbeats, which keep what is still on its way. */
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "workers/prelabel/worker.h"

enum {
    DELAY_MS = 10, /* an item waits so long for company */
    RETRY_MS = 1000,
    RELEASES = 3, /* times that one assignment is given back before people go on without it */
    TRIES = 1024,
};

/* How often assignments were given back lately; two that share a place share a fate at worst. */
struct tries {
    struct {
        int64_t assignment;
        int n;
    } v[TRIES];
};

static bool same_project(const struct item *a, const struct item *b)
{
    return a->route->project == b->route->project;
}

static void pause_ms(const struct worker *w, int64_t ms)
{
    int64_t until = clock_mono_us() + ms * 1000;

    while (clock_mono_us() < until && !atomic_load(&w->abort))
        nanosleep(&(struct timespec){0, 20000000}, NULL);
}

/* Errors after which the same post may yet succeed. */
static bool passing(enum err e)
{
    return e == ERR_UNAVAILABLE || e == ERR_TIMEOUT || e == ERR_BUSY || e == ERR_RATE ||
           e == ERR_INTERNAL || e == ERR_IO || e == ERR_NO_MEMORY || e == ERR_UNAUTHENTICATED;
}

/* Until the server has answered, unless we are to go. */
static enum err insist(struct stage *s, struct item *const *items, size_t n, enum err *result)
{
    for (;;) {
        enum err e = server_post(s->api, items, n, result);
        if (!passing(e) || atomic_load(&s->w->abort))
            return e;
        pause_ms(s->w, RETRY_MS);
    }
}

static void end(struct stage *s, struct item *i, enum err e)
{
    struct counters *c = &s->w->count;

    if (e)
        atomic_fetch_add(&c->lost, 1);
    else
        atomic_fetch_add(i->fate == FATE_LABEL ? &c->posted : &c->failed, 1);
    held_end(&s->w->held, i);
}

/* A label that the server does not take (the label config has changed, say) must not keep people
 * from the task. */
static void post_again(struct stage *s, struct item *i, enum err e)
{
    if (i->fate == FATE_LABEL && (e == ERR_LABEL_INVALID || e == ERR_INVALID)) {
        item_fail(i, "label");
        if (insist(s, &i, 1, &e))
            e = ERR_INVALID;
    }
    end(s, i, e);
}

static void post(struct stage *s, struct item **items, size_t n)
{
    enum err result[SERVER_POST];

    enum err e = insist(s, items, n, result);
    if (e && n > 1 && !passing(e)) {
        for (size_t i = 0; i < n; i++) /* one spoils the request for all: each by itself */
            post(s, items + i, 1);
        return;
    }
    for (size_t i = 0; i < n; i++)
        post_again(s, items[i], e ? e : result[i]);
}

static bool too_often(struct tries *t, const struct item *i)
{
    size_t at = (size_t)i->assignment % TRIES;

    if (t->v[at].assignment != i->assignment)
        t->v[at].n = 0;
    t->v[at].assignment = i->assignment;
    return ++t->v[at].n > RELEASES;
}

static void release(struct stage *s, struct item *i)
{
    enum err e = server_release(s->api, i);

    if (e) /* its lease will run out */
        log_warn("item", "assignment %lld: release: %s", (long long)i->assignment, err_slug(e));
    atomic_fetch_add(&s->w->count.released, 1);
    held_end(&s->w->held, i);
}

void *post_thread(void *arg)
{
    static struct tries tries;
    struct stage *s = arg;
    struct item *taken[SERVER_POST];
    size_t n, keep;

    while ((n = queue_take(&s->w->post, taken, SERVER_POST, DELAY_MS, same_project)) > 0) {
        keep = 0;
        for (size_t i = 0; i < n; i++) {
            struct item *it = taken[i];
            bool draining = atomic_load(&s->w->stop);
            if (it->fate == FATE_RELEASE && !draining && too_often(&tries, it))
                item_fail(it, "unavailable");
            if (atomic_load(&it->lost))
                end(s, it, ERR_LEASE_LOST);
            else if (it->fate == FATE_RELEASE)
                release(s, it);
            else
                taken[keep++] = it;
        }
        if (keep)
            post(s, taken, keep);
    }
    return NULL;
}

/* Heartbeats */

static void lost(void *held, struct lease l)
{
    log_warn("lease", "assignment %lld is another's now", (long long)l.assignment);
    held_lost(held, l);
}

void *heartbeat_thread(void *arg)
{
    static struct lease leases[HELD_MAX];
    struct stage *s = arg;
    int64_t next = clock_mono_us() + WORKER_HEARTBEAT_S * 1000000LL;

    while (!atomic_load(&s->w->abort)) {
        pause_ms(s->w, 200);
        if (clock_mono_us() < next)
            continue;
        next = clock_mono_us() + WORKER_HEARTBEAT_S * 1000000LL;
        size_t n = held_list(&s->w->held, leases, HELD_MAX);
        if (n && server_heartbeat(s->api, leases, n, lost, &s->w->held))
            next = clock_mono_us() + WORKER_HEARTBEAT_S * 1000000LL / 4; /* sooner, then */
    }
    return NULL;
}
