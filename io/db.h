/* PostgreSQL over libpq in pipeline mode, one pool a loop thread.
 *
 * A call is one prepared statement (schema/queries/NAME.sql = STMT_NAME). It travels as one sync
 * group, which is one implicit transaction: set the tenant, the statement, Sync. So row-level
 * security costs no round trip and a failing call harms no neighbour. Connections: connecting ->
 * preparing -> ready -> lost (db_conn.c, one function changes it).
 *
 * Lifetimes: the caller embeds struct db_call and keeps it, and all that its parameters point to,
 * until `done` has been called, exactly once, never from inside db_submit(). The PGresult is
 * borrowed: it dies when `done` returns. A lost connection answers ERR_UNAVAILABLE: the outcome of
 * a write is then unknown, and the caller's compare-and-set or Idempotency-Key makes the retry
 * safe. */
#ifndef IO_DB_H
#define IO_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"
#include "schema/statement.h"

enum { DB_MAX_PARAMS = 48 };

struct db_pool;

struct db_call {
    enum statement stmt;
    int64_t tenant; /* 0: the statement touches no tenant table */
    int nparams;
    const char *value[DB_MAX_PARAMS]; /* NULL = SQL NULL */
    int length[DB_MAX_PARAMS];        /* bytes; for binary parameters */
    int format[DB_MAX_PARAMS];        /* 0 text, 1 binary */
    /* e: ERR_OK and `res` is PGRES_TUPLES_OK or PGRES_COMMAND_OK; else res may be NULL or the error
     * result. */
    void (*done)(struct db_call *c, enum err e, const PGresult *res);
    /* NULL, or: called with the good result while the transaction is still open. Returns a second
     * call to run in it (its statement and parameters; the rest of it is not used), or NULL to
     * commit. When that fails, all is rolled back and done gets its error; else done gets the first
     * result. The connection waits meanwhile: build the second call at once. */
    const struct db_call *(*follow)(struct db_call *c, const PGresult *res);
    /* A long statement for which nobody sits waiting. It has a connection to itself, at most half
     * of them have one, and it is no part of db_pool_load(). */
    bool bulk;
    /* the pool's own */
    struct db_call *next;
    int64_t deadline_us;
    bool retried;
};

struct db_options {
    const char *conninfo;
    unsigned users; /* which statements to prepare: STATEMENT_SERVER, ... */
    int connections;
    int max_queue;
    int deadline_ms;
};

struct db_pool *db_pool_new(struct loop *l, const struct db_options *o);
/* Fails what is queued with ERR_UNAVAILABLE, closes the connections. */
void db_pool_free(struct db_pool *p);
/* True when at least one connection is ready (for /readyz). */
bool db_pool_ready(const struct db_pool *p);

/* What a pool has to do for people: its calls that are not bulk. */
struct db_load {
    int64_t now, ever; /* asked and not answered yet; all that were asked so far */
};
/* Adds this pool's to *sum. From any thread. */
void db_pool_load(const struct db_pool *p, struct db_load *sum);

void db_call_init(struct db_call *c, enum statement stmt, int64_t tenant,
    void (*done)(struct db_call *, enum err, const PGresult *));
/* Parameters in order. Text is borrowed; ints are printed into the arena. */
void db_int(struct db_call *c, struct arena *a, int64_t v);
void db_text(struct db_call *c, struct arena *a, struct str s); /* copied: libpq wants a NUL */
void db_bytes(struct db_call *c, const void *p, size_t n);      /* bytea, binary, borrowed */
void db_null(struct db_call *c);
void db_bool(struct db_call *c, bool v);
/* Queues it. When the queue is full or the deadline passes first, done gets ERR_BUSY (503 +
 * Retry-After). */
void db_submit(struct db_pool *p, struct db_call *c);

/* A one-dimensional array parameter in PostgreSQL's binary format, built element by element. */
enum db_elem { DB_INT8, DB_INT4, DB_TEXT, DB_BYTEA, DB_FLOAT8, DB_BOOL };
struct db_array {
    struct buf buf;
    enum db_elem elem;
    int32_t n;
    bool has_null;
};
void db_array_init(struct db_array *a, enum db_elem elem);
void db_array_int(struct db_array *a, int64_t v); /* INT8 or INT4, by the array's element */
void db_array_text(struct db_array *a, struct str s);
void db_array_float(struct db_array *a, double v);
void db_array_bool(struct db_array *a, bool v);
void db_array_null(struct db_array *a);
/* Ends it and makes it the next parameter of c; the array must outlive the call. */
void db_array_bind(struct db_array *a, struct db_call *c);
void db_array_release(struct db_array *a);

/* Result getters; columns by position, rows from 0. NULL: 0, "", false, {"",0}. Borrowed from the
 * result. */
int64_t db_get_int(const PGresult *r, int row, int col);
double db_get_float(const PGresult *r, int row, int col);
bool db_get_bool(const PGresult *r, int row, int col);
struct str db_get_str(const PGresult *r, int row, int col);
bool db_is_null(const PGresult *r, int row, int col);
/* bytea column of exactly n bytes given as text \x…; false if it is not. */
bool db_get_bytes(const PGresult *r, int row, int col, void *out, size_t n);
/* {1,2,3} of bigint into the arena; the count comes back. */
size_t db_get_ints(const PGresult *r, int row, int col, struct arena *a, int64_t **out);

/* SQLSTATE -> enum err, in one place. */
enum err db_err(const PGresult *r);

/* The blocking sibling for workers and the CLI: one connection, the same statements, no pipeline.
 */
struct db_sync;
enum err db_sync_open(struct db_sync **out, const char *conninfo, unsigned users) MUSTCHECK;
void db_sync_close(struct db_sync *s);
/* Runs one call and returns its result (PQclear it); c->done is not used. Reconnects once when the
 * connection was lost before the statement went out. */
enum err db_sync_run(struct db_sync *s, struct db_call *c, PGresult **out) MUSTCHECK;
/* "BEGIN", "COMMIT", "ROLLBACK": what has no parameters and no rows. */
enum err db_sync_exec(struct db_sync *s, const char *sql) MUSTCHECK;
PGconn *db_sync_conn(struct db_sync *s);

#endif
