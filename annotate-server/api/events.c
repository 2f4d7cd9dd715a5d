/* Owns the streams of events of a loop thread: their beginning, heartbeat and end. Never reads an
 * event (event_feed.c) and never judges a right (event_login.c). */
#include "annotate-server/api/events.h"

#include <stdlib.h>

#include "annotate-server/api/event_feed.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/wake.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json_scan.h"

enum {
    TICK_MS = 250,
    TICK_BEATS = 500,
    COME_BACK_MS = 1000,
    COME_BACK_SPREAD_MS = 2000, /* not all at once after a restart */
};

/* ---- while there are any */

static void beat(struct events *h)
{
    int64_t now = clock_mono_us();
    struct stream *s;

    for (int n = 0; n < TICK_BEATS && (s = TAILQ_FIRST(&h->beats)); n++) {
        if (s->beat_us + EVENTS_BEAT_MS * 1000 > now)
            return;
        s->beat_us = now;
        TAILQ_REMOVE(&h->beats, s, in_beats);
        TAILQ_INSERT_TAIL(&h->beats, s, in_beats);
        feed_heartbeat(s);
    }
}

static void tick(void *arg)
{
    struct events *h = arg;

    beat(h);
    login_check(h);
    h->ticking = !TAILQ_EMPTY(&h->beats);
    if (h->ticking)
        timer_start(&h->tick, TICK_MS);
}

void stream_end(struct stream *s, bool cut)
{
    struct req *r = s->r;
    struct events *h = r->ctx->events;

    TAILQ_REMOVE(&h->beats, s, in_beats);
    login_leave(h, s);
    feed_leave(s);
    limit_leave(r->ctx->server->streams, s->place);
    r->on_close = NULL;
    if (cut)
        req_stream_abort(r);
    else
        req_stream_end(r);
}

static void on_close(struct req *r)
{
    stream_end(r->user, false);
}

/* ---- beginning */

static bool read_actions(struct req *r, uint32_t *out)
{
    struct str list = req_query(r, "actions"), name;
    int action;

    *out = (1u << BATCH_ACTIONS) - 1;
    if (!list.p)
        return true;
    *out = 0;
    while (str_split(&list, ',', &name)) {
        if (!event_action_parse(name, &action)) {
            req_fail(r, ERR_INVALID, "/actions", "names an action that there is not");
            return false;
        }
        *out |= 1u << action;
    }
    return true;
}

static bool read_params(struct req *r, struct stream *s)
{
    struct str id = req_header(r, "last-event-id");

    if (!req_query_int(r, "project", 0, 1, JSON_INT_MAX, &s->project) ||
        !read_actions(r, &s->actions))
        return false;
    if (id.n && event_id_parse(id, &s->id)) {
        req_fail(r, ERR_INVALID, NULL, "Last-Event-ID is no id of an event");
        return false;
    }
    return true;
}

/* A number of its own for each person. */
static uint64_t person(const struct req *r)
{
    uint64_t h = (uint64_t)r->who.tenant * 0x9e3779b97f4a7c15U;

    h = (h ^ (uint64_t)r->who.user) * 0x9e3779b97f4a7c15U;
    return h ? h : 1;
}

static void begin(struct req *r, struct stream *s, struct login *l)
{
    struct events *h = r->ctx->events;
    uint16_t spread;

    req_set_header(r, "X-Accel-Buffering", "no");
    req_stream_begin(r, 200, "text/event-stream");
    login_join(l, s);
    s->beat_us = clock_mono_us();
    TAILQ_INSERT_TAIL(&h->beats, s, in_beats);
    if (!h->ticking)
        tick(h);
    random_bytes(&spread, sizeof(spread));
    buf_clear(&h->out);
    buf_printf(&h->out, "retry: %d\n\n", COME_BACK_MS + spread % COME_BACK_SPREAD_MS);
    req_stream_write(r, buf_view(&h->out), NULL);
    r->on_close = on_close;
    feed_join(h, r->who.tenant, s);
}

static bool may_see(const PGresult *res, int64_t project)
{
    for (int i = 0; i < PQntuples(res); i++)
        if (db_get_bool(res, i, 1) || db_get_int(res, i, 2) == project)
            return true;
    return false;
}

static void answer_head(struct req *r)
{
    req_set_header(r, "X-Accel-Buffering", "no");
    req_stream_begin(r, 200, "text/event-stream");
    req_stream_end(r);
}

static void on_rights(struct req *r, const PGresult *res)
{
    struct events *h = r->ctx->events;
    struct stream *s = r->user;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_UNAUTHENTICATED, NULL, "log in, or send a valid token");
    } else if (s->project && !may_see(res, s->project)) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such thing here");
    } else if (h->draining || req_gone(r) || req_hung_up(r)) {
        req_fail(r, ERR_BUSY, NULL, "the server is being stopped");
    } else if (r->method == HTTP_M_HEAD) {
        answer_head(r);
    } else if (limit_take(r->ctx->server->streams, person(r), &s->place)) {
        rate_fail(r, COME_BACK_MS, "too many streams");
    } else {
        begin(r, s, login_learn(h, &r->who, res, 0, PQntuples(res)));
    }
}

void events_handler(struct req *r)
{
    struct stream *s = arena_alloc(r->arena, sizeof(*s));

    s->r = r;
    r->user = s;
    if (!read_params(r, s))
        return;
    struct query *q = query_new(r, STMT_events_rights, on_rights);
    query_text(q, str_of(arena_printf(r->arena, "{%lld}", (long long)r->who.user)));
    query_text(q, str_of(arena_printf(r->arena, "{%lld}", (long long)r->who.token)));
    query_text(q, str_of(arena_printf(r->arena, "{%lld}", (long long)r->who.epoch)));
    query_read(q);
}

/* ---- what others have to say */

static void changed(struct thread_ctx *c, int64_t tenant, int64_t a, int64_t b)
{
    struct feed *f = feed_find(c->events, tenant);

    (void)a;
    (void)b;
    if (!f)
        return;
    f->woken = true;
    feed_go(f);
}

void events_changed(struct server *s, int64_t tenant)
{
    context_broadcast(s, changed, tenant, 0, 0);
}

static void tell(void *arg)
{
    struct events *h = arg;

    h->told_us = clock_mono_us();
    for (int i = 0; i < h->ntouched; i++) {
        events_changed(h->ctx->server, h->touched[i]);
        wake_tell_events(h->ctx->server, h->touched[i]);
    }
    h->ntouched = 0;
}

void events_written(struct req *r, int status)
{
    struct events *h = r->ctx->events;
    bool reads = r->method == HTTP_M_GET || r->method == HTTP_M_HEAD;

    if (!h || reads || r->who.tenant == 0 || status >= 500 || h->ntouched == TOUCHED_MAX)
        return;
    for (int i = 0; i < h->ntouched; i++)
        if (h->touched[i] == r->who.tenant)
            return;
    h->touched[h->ntouched++] = r->who.tenant;
    if (h->ntouched > 1)
        return;
    int64_t wait_us = h->told_us + EVENTS_WAKE_MS * 1000 - clock_mono_us();
    timer_start(&h->tell, wait_us > 0 ? wait_us / 1000 + 1 : 0);
}

void events_recheck(struct thread_ctx *c, int64_t tenant)
{
    struct events *h = c->events;

    if (!h)
        return;
    login_due(h, tenant);
    if (h->ticking)
        timer_start(&h->tick, 0);
}

/* ---- life */

void events_init(struct thread_ctx *c)
{
    struct events *h = calloc(1, sizeof(*h));

    BUG_ON(!h);
    h->ctx = c;
    TAILQ_INIT(&h->beats);
    TAILQ_INIT(&h->checks);
    timer_init(&h->tick, c->loop, tick, h);
    timer_init(&h->tell, c->loop, tell, h);
    buf_init(&h->out, 16 << 20);
    c->events = h;
}

void events_drain(struct thread_ctx *c)
{
    struct events *h = c->events;
    struct stream *s;

    h->draining = true;
    while ((s = TAILQ_FIRST(&h->beats)))
        stream_end(s, false);
}
