/* Owns the notifications between servers. Never wakes a claim itself: park_opened() does. */
#include "annotate-server/wake.h"

#include <pthread.h>
#include <stdlib.h>

#include "annotate-server/api/events.h"
#include "annotate-server/api/park.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "io/db_listen.h"

/* A payload is "SENDER STAGE TENANT PROJECT[ STAGE TENANT PROJECT]...", of less than 8000 bytes.
 * Upkeep's sender is 0. "event TENANT TENANT" says that a tenant has events. */
enum { TOLD_MAX = 64 };
#define TOLD_EVENTS STAGE_COUNT

struct told {
    int64_t tenant, project;
    enum stage stage;
};

struct wake {
    struct server *server;
    struct db_listen *listen;
    char self[24]; /* what we send comes back, too */
    pthread_mutex_t lock;
    struct told told[TOLD_MAX]; /* guarded by lock; more than that wait for the look */
    int n;
    struct timer pause;
    int64_t sent_us;
    struct db_call call;
    struct arena *arena;
};

/* ---- telling */

static void sent(struct db_call *call, enum err e, const PGresult *res)
{
    struct wake *w = container_of(call, struct wake, call);

    (void)e; /* a lost hint */
    (void)res;
    arena_free(w->arena);
    w->arena = NULL;
}

static const char *word_of(enum stage stage)
{
    return stage == TOLD_EVENTS ? "event" : stage_name(stage);
}

static void take_payload(struct wake *w, struct buf *out)
{
    buf_puts(out, w->self);
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < w->n; i++)
        buf_printf(out, " %s %lld %lld", word_of(w->told[i].stage), (long long)w->told[i].tenant,
            (long long)w->told[i].project);
    w->n = 0;
    pthread_mutex_unlock(&w->lock);
}

/* In the first thread. */
static void send_told(void *arg)
{
    struct wake *w = arg;
    struct thread_ctx *c = w->server->threads[0];
    int64_t wait_us = w->sent_us + WAKE_NOTIFY_MS * 1000 - clock_mono_us();
    struct buf payload;

    if (wait_us > 0 || w->arena) { /* too soon, or the last one is on its way */
        timer_start(&w->pause, wait_us > 0 ? wait_us / 1000 + 1 : WAKE_NOTIFY_MS);
        return;
    }
    w->arena = arena_new();
    w->sent_us = clock_mono_us();
    buf_init(&payload, BUF_MAX_JSON);
    take_payload(w, &payload);
    db_call_init(&w->call, STMT_wake_notify, 0, sent);
    db_text(&w->call, w->arena, buf_view(&payload));
    buf_release(&payload);
    db_submit(c->db, &w->call);
}

static bool known(const struct wake *w, int64_t tenant, int64_t project, enum stage stage)
{
    for (int i = 0; i < w->n; i++)
        if (w->told[i].project == project && w->told[i].stage == stage &&
            w->told[i].tenant == tenant)
            return true;
    return false;
}

void wake_tell(struct server *s, int64_t tenant, int64_t project, enum stage stage)
{
    struct wake *w = s->wake;
    bool first = false;

    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    if (w->n < TOLD_MAX && !known(w, tenant, project, stage)) {
        first = w->n == 0;
        w->told[w->n++] = (struct told){tenant, project, stage};
    }
    pthread_mutex_unlock(&w->lock);
    if (first)
        loop_post(s->threads[0]->loop, send_told, w);
}

void wake_tell_events(struct server *s, int64_t tenant)
{
    wake_tell(s, tenant, tenant, TOLD_EVENTS);
}

/* ---- hearing */

static bool next_id(struct str *rest, int64_t *out)
{
    struct str word;

    return str_split(rest, ' ', &word) && str_int(word, out) && *out >= 1;
}

static void heard(void *arg, struct str payload)
{
    struct wake *w = arg;
    struct str word;
    int64_t tenant, project;
    enum stage stage = TOLD_EVENTS;

    if (!str_split(&payload, ' ', &word) || str_is(word, w->self))
        return;
    while (str_split(&payload, ' ', &word) &&
           (str_is(word, "event") || stage_parse(word, &stage)) && next_id(&payload, &tenant) &&
           next_id(&payload, &project)) {
        if (!str_is(word, "event"))
            park_opened(w->server, tenant, project, stage);
        events_changed(w->server, tenant); /* work opens by an event */
    }
}

void wake_init(struct server *s, const char *conninfo)
{
    struct wake *w = calloc(1, sizeof(*w));
    uint64_t id;

    BUG_ON(!w || s->nthreads < 1);
    random_bytes(&id, sizeof(id));
    snprintf(w->self, sizeof(w->self), "%llx", (unsigned long long)(id | 1)); /* never upkeep's */
    w->server = s;
    pthread_mutex_init(&w->lock, NULL);
    timer_init(&w->pause, s->threads[0]->loop, send_told, w);
    w->listen = db_listen_new(s->threads[0]->loop, conninfo, "annotate_open", heard, w);
    s->wake = w;
}
