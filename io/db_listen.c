/* Owns one listening connection: connecting -> asking -> listening -> lost -> connecting. Never
 * sends anything but LISTEN. */
#include "io/db_listen.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"

enum { RETRY_MIN_MS = 100, RETRY_DOUBLINGS = 6 };

struct db_listen {
    struct loop *loop;
    const char *conninfo;
    char listen[64]; /* the statement */
    void (*heard)(void *arg, struct str payload);
    void *arg;
    PGconn *pg;
    struct event *ev;
    bool connected;
    int failures; /* in a row */
    struct timer retry;
};

static void on_socket(int fd, short what, void *arg);

static void watch(struct db_listen *s, short what)
{
    if (s->ev)
        event_free(s->ev);
    s->ev = event_new(loop_base(s->loop), PQsocket(s->pg), what, on_socket, s);
    BUG_ON(!s->ev);
    event_add(s->ev, NULL);
}

static void drop(struct db_listen *s)
{
    if (s->ev)
        event_free(s->ev);
    s->ev = NULL;
    PQfinish(s->pg);
    s->pg = NULL;
    s->connected = false;
}

static void lose(struct db_listen *s)
{
    int64_t ms = RETRY_MIN_MS << (s->failures < RETRY_DOUBLINGS ? s->failures : RETRY_DOUBLINGS);
    uint16_t jitter;

    log_warn("db_listen", "%s", PQerrorMessage(s->pg));
    drop(s);
    s->failures++;
    random_bytes(&jitter, sizeof(jitter));
    timer_start(&s->retry, ms / 2 + jitter % (ms / 2 + 1));
}

static void start(void *arg)
{
    struct db_listen *s = arg;

    s->pg = PQconnectStart(s->conninfo);
    BUG_ON(!s->pg);
    if (PQstatus(s->pg) == CONNECTION_BAD)
        lose(s);
    else
        watch(s, EV_WRITE);
}

static void connecting(struct db_listen *s)
{
    switch (PQconnectPoll(s->pg)) {
    case PGRES_POLLING_READING:
        watch(s, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        watch(s, EV_WRITE);
        break;
    case PGRES_POLLING_OK:
        /* So short a statement goes out at once. */
        if (!PQsendQuery(s->pg, s->listen)) {
            lose(s);
            break;
        }
        s->connected = true;
        watch(s, EV_READ | EV_PERSIST);
        break;
    default:
        lose(s);
    }
}

static void tell(struct db_listen *s)
{
    PGnotify *n;

    while ((n = PQnotifies(s->pg))) {
        s->heard(s->arg, str_of(n->extra));
        PQfreemem(n);
    }
}

static void on_socket(int fd, short what, void *arg)
{
    struct db_listen *s = arg;
    bool refused = false;

    (void)fd;
    (void)what;
    if (!s->connected) {
        connecting(s);
        return;
    }
    if (!PQconsumeInput(s->pg)) {
        lose(s);
        return;
    }
    while (!PQisBusy(s->pg)) {
        PGresult *r = PQgetResult(s->pg);
        if (!r)
            break;
        refused |= PQresultStatus(r) != PGRES_COMMAND_OK;
        s->failures = 0;
        PQclear(r);
    }
    if (refused)
        lose(s);
    else
        tell(s);
}

struct db_listen *db_listen_new(struct loop *l, const char *conninfo, const char *channel,
    void (*heard)(void *arg, struct str payload), void *arg)
{
    struct db_listen *s = calloc(1, sizeof(*s));

    BUG_ON(!s);
    s->loop = l;
    s->conninfo = conninfo;
    s->heard = heard;
    s->arg = arg;
    int n = snprintf(s->listen, sizeof(s->listen), "LISTEN %s", channel);
    BUG_ON(n < 0 || n >= (int)sizeof(s->listen));
    timer_init(&s->retry, l, start, s);
    start(s);
    return s;
}

void db_listen_free(struct db_listen *s)
{
    if (!s)
        return;
    timer_release(&s->retry);
    drop(s);
    free(s);
}
