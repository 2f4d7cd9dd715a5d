/* One connection of a pool: connecting -> preparing -> ready -> lost -> connecting ...
 * Only db_conn.c's change_state() moves it. Private to io/db_*.c. */
#ifndef IO_DB_CONN_H
#define IO_DB_CONN_H

#include "io/db.h"

struct event;

enum db_conn_state { DB_LOST, DB_CONNECTING, DB_PREPARING, DB_READY };

struct db_conn {
    struct db_pool *pool;
    PGconn *pg;
    enum db_conn_state state;
    struct event *read, *write; /* on PQsocket, made anew whenever that may have changed */
    struct timer retry;
    int failures;                 /* in a row: the back-off */
    struct db_call *head, **tail; /* sent, oldest first */
    int inflight;
    PGresult *result; /* of head, until its Sync comes */
};

/* What a connection needs of its pool. */
struct loop *db_pool_loop(struct db_pool *p);
const struct db_options *db_pool_options(const struct db_pool *p);
/* The connection can take calls, or more of them. */
void db_pool_wake(struct db_pool *p);
/* A call of the connection has ended. */
void db_pool_done(struct db_pool *p, struct db_call *c, enum err e, const PGresult *res);

void db_conn_init(struct db_conn *c, struct db_pool *p);
void db_conn_release(struct db_conn *c);
/* Sends a call as one sync group. Only while ready. */
void db_conn_send(struct db_conn *c, struct db_call *call);
/* Gives the connection up: fails what is in flight, connects again later. */
void db_conn_lose(struct db_conn *c, const char *why);

#endif
