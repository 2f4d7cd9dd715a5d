/* One connection of a pool: connecting -> preparing -> ready -> lost -> connecting ...
 * Only db_conn.c's change_state() moves it. Private to io/db_*.c. */
#ifndef IO_DB_CONN_H
#define IO_DB_CONN_H

#include "io/db.h"

struct event;

enum db_conn_state { DB_LOST, DB_CONNECTING, DB_PREPARING, DB_READY };

/* Who a connection belongs to: what it needs, and whom it tells. */
struct db_owner {
    struct loop *loop;
    const struct db_options *options;
    void *arg;
    void (*wake)(void *arg); /* the connection can take calls, or more of them */
    void (*done)(
        void *arg, struct db_call *c, enum err e, const PGresult *res); /* a call has ended */
};

struct db_conn {
    const struct db_owner *owner;
    PGconn *pg;
    enum db_conn_state state;
    struct event *read, *write;   /* on PQsocket, made anew whenever that may have changed */
    struct timer retry;           /* lost: connects again; till ready: gives up */
    int failures;                 /* in a row: the back-off */
    struct db_call *head, **tail; /* sent, oldest first */
    int inflight;
    bool broken;           /* half a call went out: nothing that follows can be trusted */
    struct db_call forget; /* its plans (plan_forget), now and then */
    bool forgetting;
    int64_t forget_us; /* when the next time is; 0: not set yet */
    PGresult *result;  /* of head, until its Sync comes */
    int ended;         /* statements of head that have ended */
    bool holding;  /* the newest call is bulk, or has a follow-up (its transaction is open): nothing
                      else may be sent */
    bool followed; /* head's follow-up has been sent */
};

/* owner: borrowed, outlives the connection. */
void db_conn_init(struct db_conn *c, const struct db_owner *owner);
void db_conn_release(struct db_conn *c);
/* Sends a call as one sync group. Only while ready. */
void db_conn_send(struct db_conn *c, struct db_call *call);
/* Gives the connection up: fails what is in flight, connects again later. */
void db_conn_lose(struct db_conn *c, const char *why);

#endif
