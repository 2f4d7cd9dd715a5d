/* Owns finding work: which projects are ours, by what route, and how much of it fits. */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/label_config.h"
#include "workers/prelabel/worker.h"

enum {
    REFRESH_MS = 10000, /* of the list of projects and their label configs */
    WAIT_S = 2,         /* at the server for work; as long as a stop may have to wait */
    IDLE_MS = 50,
    IDLE_MAX_MS = 2000,
};

struct claimer {
    struct worker *w;
    struct http_client *api;
    struct route *routes[SERVER_PROJECTS];
    size_t n;
    int64_t refresh_us;
    size_t got; /* new items of the present round */
};

static void forget_routes(struct claimer *c)
{
    for (size_t i = 0; i < c->n; i++)
        route_put(c->routes[i]); /* items on their way keep theirs */
    c->n = 0;
}

static void add_route(struct claimer *c, int64_t project)
{
    char why[LABEL_CONFIG_WHY] = "";
    struct route *r = NULL;
    struct buf config;

    enum err e = server_project(c->api, project, &config);
    if (!e)
        e = route_find(buf_view(&config), project, &c->w->lanes, &r, why);
    if (!e)
        c->routes[c->n++] = r;
    else
        log_warn("project", "%lld is left out: %s %s", (long long)project, err_slug(e), why);
    buf_release(&config);
}

static void refresh(struct claimer *c)
{
    int64_t projects[SERVER_PROJECTS];
    size_t n;

    if (clock_mono_us() < c->refresh_us)
        return;
    c->refresh_us = clock_mono_us() + REFRESH_MS * 1000LL;
    if (server_projects(c->api, projects, &n))
        return; /* go on with what we know */
    forget_routes(c);
    for (size_t i = 0; i < n && !atomic_load(&c->w->stop); i++)
        add_route(c, projects[i]);
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
            full |= !claim(c, c->routes[i]);
        rest = c->got ? IDLE_MS : rest * 2 < IDLE_MAX_MS ? rest * 2 : IDLE_MAX_MS;
        if (full)
            held_wait(&w->held, IDLE_MS);
        else if (!c->got)
            idle(w, rest);
    }
    forget_routes(c);
    free(c);
}
