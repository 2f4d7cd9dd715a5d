/* Owns one PGconn in pipeline mode. Never blocks but for name resolution inside libpq (use hostaddr
 * or a socket). Rules of libpq: flush after every send until done; consume, then read results while
 * not busy; NULL ends one statement, PIPELINE_SYNC ends one call; the socket may change while
 * connecting. */
#include "io/db_conn.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

enum { RETRY_MIN_MS = 50, RETRY_MAX_MS = 5000, CONNECT_MS = 10000 };

static void on_timer(void *arg);
static void on_socket(int fd, short what, void *arg);

static void watch(struct db_conn *c)
{
    int fd = PQsocket(c->pg);
    struct event_base *base = loop_base(c->owner->loop);

    if (c->read && event_get_fd(c->read) == fd)
        return;
    if (c->read)
        event_free(c->read);
    if (c->write)
        event_free(c->write);
    c->read = event_new(base, fd, EV_READ | EV_PERSIST, on_socket, c);
    c->write = event_new(base, fd, EV_WRITE, on_socket, c);
    BUG_ON(!c->read || !c->write);
}

static void unwatch(struct db_conn *c)
{
    if (c->read)
        event_free(c->read);
    if (c->write)
        event_free(c->write);
    c->read = c->write = NULL;
}

/* The one place where a connection changes state. */
static void change_state(struct db_conn *c, enum db_conn_state to)
{
    c->state = to;
    switch (to) {
    case DB_READY:
        c->failures = 0;
        c->forget_us = 0;
        timer_stop(&c->retry);
        c->owner->wake(c->owner->arg);
        break;
    case DB_LOST: {
        uint16_t jitter;
        int64_t ms = RETRY_MIN_MS << (c->failures < 7 ? c->failures : 7);
        random_bytes(&jitter, sizeof(jitter));
        c->failures++;
        if (ms > RETRY_MAX_MS)
            ms = RETRY_MAX_MS;
        timer_start(&c->retry, ms / 2 + jitter % (ms / 2 + 1));
        break;
    }
    case DB_CONNECTING: /* a server may accept and then say nothing */
        timer_start(&c->retry, CONNECT_MS);
        break;
    case DB_PREPARING:
        break;
    }
}

void db_conn_init(struct db_conn *c, const struct db_owner *owner)
{
    *c = (struct db_conn){.owner = owner};
    c->tail = &c->head;
    timer_init(&c->retry, owner->loop, on_timer, c);
    on_timer(c);
}

static void drop(struct db_conn *c)
{
    unwatch(c);
    PQclear(c->result);
    c->result = NULL;
    c->ended = 0;
    c->holding = c->followed = c->broken = false;
    PQfinish(c->pg);
    c->pg = NULL;
}

/* The outcome of what was in flight is unknown: each caller decides (its write is a
 * compare-and-set). */
static void fail_inflight(struct db_conn *c)
{
    struct db_call *list = c->head;

    c->head = NULL;
    c->tail = &c->head;
    c->inflight = 0;
    while (list) {
        struct db_call *call = list;
        list = call->next;
        c->owner->done(c->owner->arg, call, ERR_UNAVAILABLE, NULL);
    }
}

void db_conn_lose(struct db_conn *c, const char *why)
{
    log_warn("db_lost", "%s", why);
    drop(c);
    change_state(c, DB_LOST);
    fail_inflight(c);
}

void db_conn_release(struct db_conn *c)
{
    timer_release(&c->retry);
    drop(c);
    fail_inflight(c);
}

static void on_timer(void *arg)
{
    struct db_conn *c = arg;

    if (c->state != DB_LOST) {
        db_conn_lose(c, "no connection in time");
        return;
    }
    c->pg = PQconnectStart(c->owner->options->conninfo);
    BUG_ON(!c->pg);
    if (PQstatus(c->pg) == CONNECTION_BAD) {
        db_conn_lose(c, PQerrorMessage(c->pg));
        return;
    }
    change_state(c, DB_CONNECTING);
    watch(c);
    event_add(c->write, NULL);
}

static void flush(struct db_conn *c)
{
    int r = PQflush(c->pg);

    if (r > 0)
        event_add(c->write, NULL);
    else if (r < 0)
        event_active(c->read, EV_READ, 0); /* consuming fails too, outside the caller's frame */
}

/* All statements of this program at once: a bad query is found now, not at three in the morning. */
static void prepare(struct db_conn *c)
{
    unsigned users = c->owner->options->users;
    int ok = PQsetnonblocking(c->pg, 1) == 0 && PQenterPipelineMode(c->pg);

    for (int s = 0; ok && s < STMT_COUNT; s++)
        if (statement_users((enum statement)s) & users)
            ok = PQsendPrepare(c->pg, statement_name((enum statement)s),
                statement_text((enum statement)s), 0, NULL);
    if (!ok || !PQpipelineSync(c->pg)) {
        db_conn_lose(c, PQerrorMessage(c->pg));
        return;
    }
    change_state(c, DB_PREPARING);
    watch(c);
    event_add(c->read, NULL);
    flush(c);
}

static void connecting(struct db_conn *c)
{
    PostgresPollingStatusType s = PQconnectPoll(c->pg);

    if (s == PGRES_POLLING_FAILED) {
        db_conn_lose(c, PQerrorMessage(c->pg));
        return;
    }
    if (s == PGRES_POLLING_OK) {
        prepare(c);
        return;
    }
    watch(c);
    event_del(c->read);
    event_del(c->write);
    event_add(s == PGRES_POLLING_READING ? c->read : c->write, NULL);
}

static void preparing(struct db_conn *c)
{
    while (!PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);
        ExecStatusType s = PQresultStatus(r);
        if (r && s == PGRES_FATAL_ERROR) {
            log_error("db_prepare", "%s", PQresultErrorMessage(r));
            PQclear(r);
            db_conn_lose(c, "a statement could not be prepared: is the database migrated?");
            return;
        }
        PQclear(r);
        if (s == PGRES_PIPELINE_SYNC) {
            change_state(c, DB_READY);
            return;
        }
    }
}

/* One result of the oldest call. The first error, else the result of its own statement, is what the
 * call gets at its Sync. */
static void take_result(struct db_conn *c, PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);

    if (s == PGRES_PIPELINE_SYNC) {
        struct db_call *call = c->head;
        PGresult *res = c->result;
        PQclear(r);
        c->result = NULL;
        c->ended = 0;
        c->followed = false;
        if (call->follow || call->bulk)
            c->holding = false;
        c->head = call->next;
        if (!c->head)
            c->tail = &c->head;
        c->inflight--;
        c->owner->done(c->owner->arg, call, db_err(res), res);
        PQclear(res); /* a step late: done may have given the pool up */
        return;
    }
    if (s == PGRES_PIPELINE_ABORTED || (c->result && db_err(c->result) != ERR_OK) ||
        (c->followed && db_err(r) == ERR_OK)) {
        PQclear(r);
        return;
    }
    PQclear(c->result);
    c->result = r;
}

/* Outside the caller's frame: done is never called from inside db_submit. */
static void break_soon(struct db_conn *c)
{
    c->broken = true;
    event_active(c->read, EV_READ, 0);
}

static bool send_statement(PGconn *pg, const struct db_call *call)
{
    return PQsendQueryPrepared(
        pg, statement_name(call->stmt), call->nparams, call->value, call->length, call->format, 0);
}

/* A statement of the oldest call has ended: the time of its follow-up, if it has one. */
static void statement_ended(struct db_conn *c)
{
    struct db_call *call = c->head;
    const struct db_call *next = NULL;

    c->ended++;
    if (!call->follow || c->followed || c->ended < (call->tenant ? 2 : 1))
        return;
    c->followed = true;
    if (db_err(c->result) == ERR_OK)
        next = call->follow(call, c->result);
    if ((next && !send_statement(c->pg, next)) || !PQpipelineSync(c->pg))
        break_soon(c);
    else
        flush(c);
}

static void reading(struct db_conn *c)
{
    while (c->state == DB_READY && c->head && !PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);
        if (r)
            take_result(c, r);
        else if (PQstatus(c->pg) == CONNECTION_BAD)
            break;
        else
            statement_ended(c);
    }
    if (c->state == DB_READY && PQstatus(c->pg) == CONNECTION_BAD)
        db_conn_lose(c, PQerrorMessage(c->pg));
}

static void on_socket(int fd, short what, void *arg)
{
    struct db_conn *c = arg;

    (void)fd;
    if (c->state == DB_CONNECTING) {
        connecting(c);
        return;
    }
    if (c->broken) {
        db_conn_lose(c, "a call could not be sent");
        return;
    }
    if ((what & EV_READ) && (!PQconsumeInput(c->pg) || PQstatus(c->pg) == CONNECTION_BAD)) {
        db_conn_lose(c, PQerrorMessage(c->pg));
        return;
    }
    flush(c);
    if (c->state == DB_PREPARING)
        preparing(c);
    else if (c->state == DB_READY)
        reading(c);
    if (c->state == DB_READY)
        c->owner->wake(c->owner->arg);
}

/* The tenant, the statement, Sync. With a follow-up the Sync waits for it. */
static bool send_group(PGconn *pg, const struct db_call *call)
{
    char text[24];
    const char *tenant[1] = {text};

    snprintf(text, sizeof(text), "%lld", (long long)call->tenant);
    if (call->tenant &&
        !PQsendQueryPrepared(pg, statement_name(STMT_tenant_set), 1, tenant, NULL, NULL, 0))
        return false;
    return send_statement(pg, call) && (call->follow ? PQsendFlushRequest(pg) : PQpipelineSync(pg));
}

void db_conn_send(struct db_conn *c, struct db_call *call)
{
    BUG_ON(c->state != DB_READY);
    call->next = NULL;
    *c->tail = call;
    c->tail = &call->next;
    c->inflight++;
    c->holding = call->follow || call->bulk;
    if (send_group(c->pg, call))
        flush(c);
    else
        break_soon(c);
}
