/* Owns a tenant's feed: reading its events and sending them to who listens. Never decides who may
 * listen. */
#include "annotate-server/api/event_feed.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    PIECE = 500,                      /* events that are sent at once, and */
    PIECE_BYTES = REQ_STREAM_CAP / 4, /* of all of them: an id may be long */
    PIECE_MS = 10,                    /* for the clients to take it */
    TURN = 64,                        /* streams that are written to in one turn of the loop */
    RETRY_MS = 1000,
};

static void go(struct feed *f);

static void on_timer(void *arg)
{
    go(arg);
}

/* ---- which there are */

static size_t bucket(int64_t tenant)
{
    return ((uint64_t)tenant * 0x9e3779b97f4a7c15U >> 32) % FEED_BUCKETS;
}

struct feed *feed_find(struct events *h, int64_t tenant)
{
    struct feed *f;

    LIST_FOREACH(f, &h->feeds[bucket(tenant)], in_hub)
    if (f->tenant == tenant)
        return f;
    return NULL;
}

static struct feed *feed_new(struct events *h, int64_t tenant)
{
    struct feed *f = calloc(1, sizeof(*f));

    BUG_ON(!f);
    f->hub = h;
    f->tenant = tenant;
    TAILQ_INIT(&f->streams);
    buf_init(&f->at, BUF_MAX_LINE);
    buf_init(&f->ahead, BUF_MAX_LINE);
    timer_init(&f->timer, h->ctx->loop, on_timer, f);
    LIST_INSERT_HEAD(&h->feeds[bucket(tenant)], f, in_hub);
    return f;
}

static void feed_free(struct feed *f)
{
    LIST_REMOVE(f, in_hub);
    timer_release(&f->timer);
    event_batch_release(&f->batch);
    buf_release(&f->at);
    buf_release(&f->ahead);
    free(f);
}

void feed_leave(struct stream *s)
{
    struct feed *f = s->feed;

    if (f->cursor == s)
        f->cursor = TAILQ_NEXT(s, in_feed);
    TAILQ_REMOVE(&f->streams, s, in_feed);
    if (TAILQ_EMPTY(&f->streams))
        timer_start(&f->timer, 0);
}

void feed_join(struct events *h, int64_t tenant, struct stream *s)
{
    struct feed *f = feed_find(h, tenant);

    if (!f)
        f = feed_new(h, tenant);
    s->feed = f;
    s->state = STREAM_WAITING;
    s->joined = f->reads;
    TAILQ_INSERT_TAIL(&f->streams, s, in_feed);
    f->woken |= s->id.prev.n > 0;
    feed_go(f);
}

/* ---- writing to a stream */

static void put_position(struct stream *s, struct buf *out)
{
    const struct feed *f = s->feed;
    const struct event_id id = {.prev = buf_view(&f->at)};

    event_id_line(out, &id);
    s->told = f->moves;
}

/* False: its client has left too much unread, and it has been dropped. */
static bool put(struct stream *s, const struct buf *out)
{
    if (req_stream_write(s->r, buf_view(out), NULL))
        return true;
    log_req(LOG_INFO, s->r->id, "events_slow", "does not read");
    stream_end(s, true);
    return false;
}

/* Its client has all that the feed has. */
static bool go_live(struct stream *s)
{
    struct buf *out = &s->feed->hub->out;

    s->state = STREAM_LIVE;
    s->id = (struct event_id){0};
    buf_clear(out);
    put_position(s, out);
    buf_putc(out, '\n');
    return put(s, out);
}

/* What happened is not to be told any more: the client has to look for itself, and goes on. */
static bool reset(struct stream *s)
{
    struct buf *out = &s->feed->hub->out;

    s->state = STREAM_LIVE;
    s->id = (struct event_id){0};
    buf_clear(out);
    put_position(s, out);
    buf_puts(out, "event: reset\ndata: {\"action\":\"reset\"}\n\n");
    return put(s, out);
}

/* A new id keeps who listens to a quiet project from falling behind. */
void feed_heartbeat(struct stream *s)
{
    const struct feed *f = s->feed;
    struct buf *out = &f->hub->out;
    bool settled = s->state == STREAM_LIVE && (f->doing != FEED_SENDING || f->replay);

    buf_clear(out);
    buf_puts(out, ":\n");
    if (settled && s->told != f->moves)
        put_position(s, out);
    buf_putc(out, '\n');
    put(s, out);
}

/* ---- who sees what */

enum sight { SEES_NOTHING, SEES_PART, SEES_ALL };

/* An annotator is told of their own work alone and not what became of it: what happened to a task
 * would tell which are gold, and what others said. */
static enum sight sight(const struct stream *s, const struct event_row *row)
{
    static const enum sight of[ROLE_COUNT] = {
        [ROLE_VIEWER] = SEES_ALL,
        [ROLE_ANNOTATOR] = SEES_PART,
        [ROLE_REVIEWER] = SEES_ALL,
        [ROLE_QA] = SEES_ALL,
        [ROLE_MODEL] = SEES_PART,
        [ROLE_MANAGER] = SEES_ALL,
    };

    if ((s->project && s->project != row->project) || !(s->actions & 1u << row->action))
        return SEES_NOTHING;
    enum sight may = of[login_role(s->login, row->project)];
    return may == SEES_PART && row->about != s->login->who.user ? SEES_NOTHING : may;
}

static void gather(const struct stream *s, struct buf *out)
{
    const struct feed *f = s->feed;

    buf_clear(out);
    for (size_t i = f->from; i < f->to; i++) {
        const struct event_row *row = &f->batch.rows[i];
        enum sight may = sight(s, row);
        if (may != SEES_NOTHING)
            event_batch_put(&f->batch, row, may == SEES_ALL, out);
    }
}

/* Do two streams get the same? Only if that is plain. */
static bool alike(const struct stream *a, const struct stream *b)
{
    if (a->project != b->project || a->actions != b->actions)
        return false;
    if (a->login == b->login)
        return true;
    return a->login->who.admin && b->login->who.admin;
}

/* ---- sending */

static bool is_for(const struct feed *f, const struct stream *s)
{
    return s->state == (f->replay ? STREAM_REPLAY : STREAM_LIVE);
}

static struct stream *next_reader(const struct feed *f, struct stream *s)
{
    while (
        s && !(is_for(f, s) && (f->lost || !s->project || event_batch_has(&f->batch, s->project))))
        s = TAILQ_NEXT(s, in_feed);
    return s;
}

/* Writes the piece to some streams. False: there are more. */
static bool send_some(struct feed *f)
{
    struct buf *out = &f->hub->out;
    const struct stream *last = NULL;

    for (int n = 0; n < TURN; n++) {
        struct stream *s = f->cursor = next_reader(f, f->cursor);
        if (!s)
            return true;
        f->cursor = TAILQ_NEXT(s, in_feed);
        if (f->lost) {
            reset(s);
            continue;
        }
        if (!last || !alike(last, s))
            gather(s, out);
        last = out->n == 0 || put(s, out) ? s : NULL;
    }
    return false;
}

/* A replay has come to the end of what was read. */
static void arrive(struct feed *f)
{
    struct stream *next;

    for (struct stream *s = TAILQ_FIRST(&f->streams); s; s = next) {
        next = TAILQ_NEXT(s, in_feed);
        if (s->state != STREAM_REPLAY)
            continue;
        if (s->id.cur.n) { /* the rest of the batch that its id was in the middle of */
            s->id = (struct event_id){.prev = s->id.cur};
            s->state = STREAM_WAITING;
        } else {
            go_live(s);
        }
    }
}

static void move(struct feed *f)
{
    if (str_eq(buf_view(&f->at), buf_view(&f->ahead)))
        return;
    buf_clear(&f->at);
    buf_str(&f->at, buf_view(&f->ahead));
    f->moves++;
}

static void sent(struct feed *f)
{
    if (f->replay)
        arrive(f);
    else
        move(f);
    event_batch_release(&f->batch);
    f->lost = false;
    f->doing = FEED_IDLE;
}

/* From where the last one ended. */
static void begin_piece(struct feed *f)
{
    f->to = event_batch_piece(&f->batch, f->from, PIECE, PIECE_BYTES);
    f->cursor = TAILQ_FIRST(&f->streams);
}

/* Goes on sending; true: all is sent. */
static bool go_on(struct feed *f)
{
    if (!send_some(f)) {
        timer_start(&f->timer, 0);
        return false;
    }
    f->from = f->to;
    if (f->from < f->batch.n && !TAILQ_EMPTY(&f->streams)) {
        begin_piece(f);
        timer_start(&f->timer, PIECE_MS);
        return false;
    }
    sent(f);
    return true;
}

static void begin_sending(struct feed *f)
{
    f->doing = FEED_SENDING;
    f->from = 0;
    begin_piece(f);
}

/* ---- reading */

/* An id that the database does not take, though we did, must not be asked for again. */
static void failed(struct feed *f, enum err e)
{
    struct stream *s;

    log_warn("events_after", "tenant %lld: %s", (long long)f->tenant, err_title(e));
    f->doing = FEED_IDLE;
    f->woken = true;
    f->retry_us = clock_mono_us() + RETRY_MS * 1000;
    if (!f->replay)
        return;
    TAILQ_FOREACH(s, &f->streams, in_feed)
    if (s->state == STREAM_REPLAY)
        s->state = STREAM_WAITING;
    if (e == ERR_BUSY || e == ERR_UNAVAILABLE)
        return;
    TAILQ_FOREACH(s, &f->streams, in_feed)
    if (s->state == STREAM_WAITING && event_id_same(&s->id, &f->span))
        s->state = STREAM_REPLAY;
    f->lost = true;
    begin_sending(f);
}

static void take(struct feed *f, const PGresult *res)
{
    struct str snapshot = db_get_str(res, 0, 1);

    f->lost = db_get_bool(res, 0, 2);
    if (!f->replay) {
        buf_clear(&f->ahead);
        buf_str(&f->ahead, snapshot);
    }
    if (event_batch_make(&f->batch, f->span.prev, snapshot, res)) {
        event_batch_release(&f->batch);
        f->lost = true;
    }
    if (f->lost && !f->replay)
        move(f); /* where they go on from */
    begin_sending(f);
}

static void on_read(struct db_call *call, enum err e, const PGresult *res)
{
    struct feed *f = container_of(call, struct feed, call);

    if (e || PQntuples(res) < 1)
        failed(f, e ? e : ERR_INTERNAL);
    else
        take(f, res);
    arena_free(f->arena);
    f->arena = NULL;
    go(f);
}

static void text_or_null(struct feed *f, struct str s)
{
    if (s.n)
        db_text(&f->call, f->arena, s);
    else
        db_null(&f->call);
}

static void read_span(struct feed *f, struct str prev, struct str cur, int64_t seq)
{
    f->arena = arena_new();
    f->doing = FEED_READING;
    f->span = (struct event_id){arena_str(f->arena, prev), arena_str(f->arena, cur), seq};
    db_call_init(&f->call, STMT_events_after, f->tenant, on_read);
    text_or_null(f, prev);
    text_or_null(f, cur);
    db_int(&f->call, f->arena, seq);
    db_int(&f->call, f->arena, EVENTS_BEHIND);
    db_submit(f->hub->ctx->db, &f->call);
}

/* For the live ones. The first read of all only finds out where the feed is. */
static void read_on(struct feed *f, int64_t now)
{
    f->replay = false;
    f->woken = false;
    f->read_us = now;
    f->reads++;
    read_span(f, buf_view(&f->at), (struct str){NULL, 0}, 0);
}

/* For the first who waits, and all who have the same id. */
static void read_for(struct feed *f, struct stream *first)
{
    struct event_id id = first->id;
    struct stream *s;

    f->replay = true;
    TAILQ_FOREACH(s, &f->streams, in_feed)
    if (s->state == STREAM_WAITING && s->joined < f->reads && event_id_same(&s->id, &id))
        s->state = STREAM_REPLAY;
    read_span(f, id.prev, id.cur.n ? id.cur : buf_view(&f->at), id.seq);
}

/* ---- what is next */

/* Who has nothing yet begins here and now; who has just what the feed has, too. The first of the
 * others, or NULL. */
static struct stream *first_waiting(struct feed *f)
{
    struct stream *next;

    for (struct stream *s = TAILQ_FIRST(&f->streams); s; s = next) {
        next = TAILQ_NEXT(s, in_feed);
        if (s->state != STREAM_WAITING)
            continue;
        if (s->id.prev.n == 0 || (s->id.cur.n == 0 && str_eq(s->id.prev, buf_view(&f->at))))
            go_live(s);
        else if (s->joined < f->reads)
            return s;
    }
    return NULL;
}

static void go_idle(struct feed *f)
{
    int64_t now = clock_mono_us(), due = f->read_us + EVENTS_POLL_MS * 1000;

    if (f->woken || f->at.n == 0)
        due = f->read_us + EVENTS_WAKE_MS * 1000;
    due = due > f->retry_us ? due : f->retry_us;
    if (now < due) {
        struct stream *s = f->at.n && now >= f->retry_us ? first_waiting(f) : NULL;
        if (s)
            read_for(f, s);
        else
            timer_start(&f->timer, (due - now) / 1000 + 1);
        return;
    }
    read_on(f, now);
}

static void go(struct feed *f)
{
    if (f->doing == FEED_READING || (f->doing == FEED_SENDING && !go_on(f)))
        return;
    if (TAILQ_EMPTY(&f->streams))
        feed_free(f);
    else
        go_idle(f);
}

void feed_go(struct feed *f)
{
    if (f->doing == FEED_IDLE)
        go(f);
}
