/* Owns finding work: which projects are ours, by what route, and how much of it fits. */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/label_config.h"
#include "workers/prelabel/worker.h"

enum {
    REFRESH_MS = 2000, /* of the list of projects */
    RENEW_MS = 30000,  /* of their label configs */
    WAIT_S = 2,        /* at the server for work; as long as a stop may have to wait */
    IDLE_MS = 50,
    IDLE_MAX_MS = 2000,
};

/* A project of ours; route NULL: no model fits it. */
struct project {
    int64_t id;
    struct route *route;
    bool listed;
};

struct claimer {
    struct worker *w;
    struct http_client *api;
    struct project projects[SERVER_PROJECTS];
    size_t n;
    int64_t refresh_us, renew_us;
    size_t got; /* new items of the present round */
};

static void forget(struct claimer *c, size_t i)
{
    route_put(c->projects[i].route); /* items on their way keep theirs */
    c->projects[i] = c->projects[--c->n];
}

static void forget_all(struct claimer *c)
{
    while (c->n)
        forget(c, c->n - 1);
}

static bool find(struct claimer *c, int64_t id)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->projects[i].id == id)
            return c->projects[i].listed = true;
    return false;
}

static void add(struct claimer *c, int64_t id)
{
    char why[LABEL_CONFIG_WHY] = "";
    struct project p = {.id = id, .listed = true};
    struct buf config;

    if (c->n == SERVER_PROJECTS)
        return;
    bool unknown = server_project(c->api, id, &config) != ERR_OK; /* the next refresh will see */
    enum err e = unknown ? ERR_OK : route_find(buf_view(&config), id, &c->w->lanes, &p.route, why);
    buf_release(&config);
    if (unknown)
        return;
    if (e)
        log_warn("project", "%lld is left out: %s %s", (long long)id, err_slug(e), why);
    else
        log_info("project", "%lld: %s from %s to %s", (long long)id, p.route->lane->name,
            p.route->to_name, p.route->from_name);
    c->projects[c->n++] = p;
}

static void refresh(struct claimer *c)
{
    int64_t now = clock_mono_us(), ids[SERVER_PROJECTS];
    size_t n;

    if (now < c->refresh_us)
        return;
    c->refresh_us = now + REFRESH_MS * 1000LL;
    if (server_projects(c->api, ids, &n))
        return; /* go on with what we know */
    if (now >= c->renew_us) {
        forget_all(c);
        c->renew_us = now + RENEW_MS * 1000LL;
    }
    for (size_t i = 0; i < c->n; i++)
        c->projects[i].listed = false;
    for (size_t i = 0; i < n && !atomic_load(&c->w->stop); i++)
        if (!find(c, ids[i]))
            add(c, ids[i]);
    for (size_t i = c->n; i-- > 0;)
        if (!c->projects[i].listed)
            forget(c, i);
}

static void take(void *arg, struct route *r, int64_t assignment, int64_t version, int64_t task,
    struct str address)
{
    struct claimer *c = arg;
    struct item *i = item_new(r, assignment, version, task, address);

    if (!i)
        return;                      /* its lease will run out */
    if (!held_add(&c->w->held, i)) { /* one of ours, brought again */
        item_free(i);
        return;
    }
    c->got++;
    atomic_fetch_add(&c->w->count.claimed, 1);
    queue_put(&c->w->fetch, i);
}

/* One claim; false when the credits allow none. */
static bool claim(struct claimer *c, struct route *r)
{
    struct worker *w = c->w;
    size_t room = held_room(&w->held, r, w->batch);
    int wait = c->n == 1 && room == w->batch ? WAIT_S : 0;

    if (room == 0)
        return false;
    if (clock_mono_us() >= atomic_load(&r->lane->blocked_until_us) &&
        server_claim(c->api, r, held_count(&w->held, r->project) + room, wait, take, c))
        held_wait(&w->held, IDLE_MS);
    return true;
}

static void idle(struct worker *w, int64_t ms)
{
    int64_t until = clock_mono_us() + ms * 1000;

    while (clock_mono_us() < until && !atomic_load(&w->stop))
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

void claim_loop(struct worker *w, struct http_client *api)
{
    struct claimer *c = calloc(1, sizeof(*c));
    int64_t rest = IDLE_MS;

    BUG_ON(!c); /* at start */
    c->w = w;
    c->api = api;
    while (!atomic_load(&w->stop) && !atomic_load(&w->broken)) {
        refresh(c);
        c->got = 0;
        bool full = false;
        for (size_t i = 0; i < c->n && !atomic_load(&w->stop); i++)
            if (c->projects[i].route)
                full |= !claim(c, c->projects[i].route);
        rest = c->got ? IDLE_MS : rest * 2 < IDLE_MAX_MS ? rest * 2 : IDLE_MAX_MS;
        if (full)
            held_wait(&w->held, IDLE_MS);
        else if (!c->got)
            idle(w, rest);
    }
    forget_all(c);
    free(c);
}
