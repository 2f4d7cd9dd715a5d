/* Owns who listens and what they may see. Never reads an event. */
#include <stdlib.h>

#include "annotate-server/api/event_feed.h"
#include "annotate-server/auth/gate.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    CHECK_MAX = 500,  /* logins a statement */
    TURN_CHECKS = 64, /* statements in a turn of the loop, each of one tenant */
    TURN_LOGINS = 2000,
    UNCHECKED_MS = 60000 /* the database does not answer: who has not been looked at for so long */
};

enum { COL_N, COL_ADMIN, COL_PROJECT, COL_ROLE };

static bool same(const struct principal *a, const struct principal *b)
{
    return a->tenant == b->tenant && a->user == b->user && a->token == b->token &&
           a->epoch == b->epoch && a->expires == b->expires;
}

static size_t bucket(const struct principal *who)
{
    uint64_t h = (uint64_t)who->tenant * 0x9e3779b97f4a7c15U;

    h = (h ^ (uint64_t)who->user) * 0x9e3779b97f4a7c15U;
    h = (h ^ (uint64_t)who->token) * 0x9e3779b97f4a7c15U;
    return (h >> 32) % LOGIN_BUCKETS;
}

static struct login *find(struct events *h, const struct principal *who)
{
    struct login *l;

    LIST_FOREACH(l, &h->logins[bucket(who)], next)
    if (same(&l->who, who))
        return l;
    return NULL;
}

static struct login *make(struct events *h, const struct principal *who)
{
    struct login *l = calloc(1, sizeof(*l));

    BUG_ON(!l);
    l->who = *who;
    LIST_INIT(&l->streams);
    LIST_INSERT_HEAD(&h->logins[bucket(who)], l, next);
    TAILQ_INSERT_TAIL(&h->checks, l, in_checks);
    return l;
}

static void learn(struct login *l, const PGresult *res, int from, int to)
{
    free(l->grants);
    l->grants = calloc((size_t)(to - from) + 1, sizeof(l->grants[0]));
    BUG_ON(!l->grants);
    l->n = 0;
    for (int i = from; i < to; i++) {
        struct grant *g = &l->grants[l->n];
        g->project = db_get_int(res, i, COL_PROJECT);
        l->n += role_parse(db_get_str(res, i, COL_ROLE), &g->role);
        l->who.admin = db_get_bool(res, i, COL_ADMIN);
    }
    l->checked_us = clock_mono_us();
}

/* Has just been asked for: goes to the end of those to check. */
static void asked(struct events *h, struct login *l)
{
    l->asked_us = clock_mono_us();
    TAILQ_REMOVE(&h->checks, l, in_checks);
    TAILQ_INSERT_TAIL(&h->checks, l, in_checks);
}

struct login *login_learn(
    struct events *h, const struct principal *who, const PGresult *res, int from, int to)
{
    struct login *l = find(h, who);

    if (!l)
        l = make(h, who);
    learn(l, res, from, to);
    asked(h, l);
    return l;
}

void login_join(struct login *l, struct stream *s)
{
    s->login = l;
    LIST_INSERT_HEAD(&l->streams, s, in_login);
}

void login_leave(struct events *h, struct stream *s)
{
    struct login *l = s->login;

    LIST_REMOVE(s, in_login);
    if (!LIST_EMPTY(&l->streams))
        return;
    LIST_REMOVE(l, next);
    TAILQ_REMOVE(&h->checks, l, in_checks);
    free(l->grants);
    free(l);
}

enum role login_role(const struct login *l, int64_t project)
{
    size_t from = 0, to = l->n;

    if (l->who.admin)
        return ROLE_MANAGER;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (l->grants[mid].project == project)
            return l->grants[mid].role;
        if (l->grants[mid].project < project)
            from = mid + 1;
        else
            to = mid;
    }
    return ROLE_NONE;
}

/* ---- looking again */

struct asked {
    struct principal who;
    struct asked *next;
};

struct check { /* of a tenant's logins: one statement sees one tenant (I8) */
    struct db_call call;
    struct arena *arena;
    struct events *hub;
    struct db_array user, token, epoch;
    struct asked *first, **last;
    int n;
};

/* Ends the streams that the login has no right to any more; may free it. */
static void enforce(struct login *l, bool holds)
{
    struct stream *next;

    for (struct stream *s = LIST_FIRST(&l->streams); s; s = next) {
        next = LIST_NEXT(s, in_login);
        if (!holds || (s->project && login_role(l, s->project) == ROLE_NONE))
            stream_end(s, false);
    }
}

static bool in_time(const struct principal *who)
{
    return who->token || clock_unix() < who->expires;
}

static void apply(struct check *k, const PGresult *res)
{
    int row = 0, rows = PQntuples(res), n = 0;

    for (const struct asked *a = k->first; a; a = a->next) {
        int from = row;
        n++;
        while (row < rows && db_get_int(res, row, COL_N) == n)
            row++;
        struct login *l = find(k->hub, &a->who);
        if (!l)
            continue;
        learn(l, res, from, row);
        enforce(l, row > from && in_time(&l->who));
    }
}

static void give_up(struct check *k)
{
    for (const struct asked *a = k->first; a; a = a->next) {
        struct login *l = find(k->hub, &a->who);
        if (l && clock_mono_us() - l->checked_us > UNCHECKED_MS * 1000)
            enforce(l, false);
    }
}

static void on_checked(struct db_call *call, enum err e, const PGresult *res)
{
    struct check *k = container_of(call, struct check, call);

    if (e) {
        log_warn("events_rights", "%s", err_title(e));
        give_up(k);
    } else {
        apply(k, res);
    }
    db_array_release(&k->user);
    db_array_release(&k->token);
    db_array_release(&k->epoch);
    arena_free(k->arena);
}

static struct check *check_new(struct events *h, int64_t tenant)
{
    struct arena *a = arena_new();
    struct check *k = arena_alloc(a, sizeof(*k));

    k->arena = a;
    k->hub = h;
    k->last = &k->first;
    db_call_init(&k->call, STMT_events_rights, tenant, on_checked);
    db_array_init(&k->user, DB_INT8);
    db_array_init(&k->token, DB_INT8);
    db_array_init(&k->epoch, DB_INT8);
    return k;
}

static void check_add(struct check *k, struct login *l)
{
    struct asked *a = arena_alloc(k->arena, sizeof(*a));

    a->who = l->who;
    *k->last = a;
    k->last = &a->next;
    k->n++;
    db_array_int(&k->user, l->who.user);
    db_array_int(&k->token, l->who.token);
    db_array_int(&k->epoch, l->who.epoch);
}

static void check_submit(struct check *k)
{
    db_array_bind(&k->user, &k->call);
    db_array_bind(&k->token, &k->call);
    db_array_bind(&k->epoch, &k->call);
    db_submit(k->hub->ctx->db, &k->call);
}

/* The tenant's check with room for one more; NULL: there are as many as a turn may have. */
static struct check *check_of(struct events *h, int64_t tenant, struct check **checks, size_t *n)
{
    for (size_t i = 0; i < *n; i++)
        if (checks[i]->call.tenant == tenant && checks[i]->n < CHECK_MAX)
            return checks[i];
    if (*n == TURN_CHECKS)
        return NULL;
    return checks[(*n)++] = check_new(h, tenant);
}

/* Tenants' logins stand mixed among each other, so a tenant's are gathered from all that are due;
 * who finds no place is among the first in the next turn. */
void login_check(struct events *h)
{
    int64_t due = clock_mono_us() - EVENTS_RIGHTS_MS * 1000;
    struct login *l = TAILQ_FIRST(&h->checks), *next;
    struct check *checks[TURN_CHECKS];
    size_t n = 0;

    for (int logins = 0; l && l->asked_us <= due && logins < TURN_LOGINS; l = next) {
        struct check *k = check_of(h, l->who.tenant, checks, &n);
        next = TAILQ_NEXT(l, in_checks);
        if (!k)
            continue;
        check_add(k, l);
        asked(h, l);
        logins++;
    }
    for (size_t i = 0; i < n; i++)
        check_submit(checks[i]);
}

void login_due(struct events *h, int64_t tenant)
{
    struct login *next;

    for (struct login *l = TAILQ_FIRST(&h->checks); l; l = next) {
        next = TAILQ_NEXT(l, in_checks);
        if (tenant && l->who.tenant != tenant)
            continue;
        l->asked_us = 0;
        TAILQ_REMOVE(&h->checks, l, in_checks);
        TAILQ_INSERT_HEAD(&h->checks, l, in_checks);
    }
}
