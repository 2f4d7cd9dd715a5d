/* The usual handler in two lines: one statement, then an answer. A failed statement is answered by
 * itself. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "annotate-server/context.h"
#include "annotate-server/http/request.h"

struct query {
    struct db_call call;
    struct req *r;
    void (*then)(struct req *r, const PGresult *res);
    void (*failed)(struct req *r, enum err e); /* NULL: answers e */
    struct captured *answer; /* of a write with an Idempotency-Key, until it is committed */
    struct db_call keep;
};

/* In the request's arena, for the request's tenant. `then` gets a good result, borrowed. */
struct query *query_new(
    struct req *r, enum statement s, void (*then)(struct req *, const PGresult *));
void query_int(struct query *q, int64_t v);
void query_text(struct query *q, struct str s); /* p NULL = SQL NULL */
void query_bytes(struct query *q, const void *p, size_t n);
void query_bool(struct query *q, bool v);
void query_null(struct query *q);
/* When the request carries an Idempotency-Key, the answer that `then` gives is kept in the same
 * transaction (I4). So the statement that writes must be the last one, and `then` must answer from
 * its result. */
void query_run(struct query *q);
/* For a look-up whose answer is not to be kept. */
void query_read(struct query *q);

/* The standard answer to a failed statement. */
void query_fail(struct req *r, enum err e);

/* The page parameters ?after=&limit=. false: answered. */
bool page_params(struct req *r, int64_t *after, int64_t *limit);
/* The parameter ?name=true or false; absent leaves *out alone. false: answered. */
bool flag_param(struct req *r, const char *name, bool *out);
/* "next":<id>} or "next":null}, after a list was written with `rows` of `limit` rows. */
void page_end(struct buf *out, int rows, int64_t limit, int64_t last);

/* JSON writing shared by handlers: a column as JSON number, string, raw JSON; SQL NULL is null. */
void put_int(struct buf *out, const PGresult *res, int row, int col);
void put_str(struct buf *out, const PGresult *res, int row, int col);
void put_raw(struct buf *out, const PGresult *res, int row, int col);
void put_bool(struct buf *out, const PGresult *res, int row, int col);
/* A bytea column \x… as a hex string. */
void put_hex(struct buf *out, const PGresult *res, int row, int col);

/* Members of the request body. Each returns false after answering 422 with the member's pointer.
 * Absent optional members leave *out alone. */
bool body_only(struct req *r, const char *const *names, size_t n); /* no other keys */
bool body_str(struct req *r, const char *name, bool required, size_t max, struct str *out);
bool body_int(
    struct req *r, const char *name, bool required, int64_t min, int64_t max, int64_t *out);
bool body_num(struct req *r, const char *name, double min, double max, double *out);
bool body_bool(struct req *r, const char *name, bool *out);
/* NULL when absent. */
struct json_object *body_get(struct req *r, const char *name);

#endif
