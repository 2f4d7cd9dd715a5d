/* Owns the plumbing between requests and statements. Never holds SQL: statements are in
 * schema/queries. */
#include "annotate-server/api/query.h"

#include "annotate-server/api/idempotency.h"
#include "annotate-server/api/quota.h"

#include "base/json_scan.h"

static void fail(struct query *q, enum err e)
{
    if (q->failed)
        q->failed(q->r, e);
    else
        query_fail(q->r, e);
}

/* The write is committed, and with it its answer; or neither. */
static void settled(struct query *q, enum err e)
{
    const struct captured *a = q->answer;
    struct db_call *next = q->r->idempotency->waiting;

    if (next && !e) { /* `then` has begun another statement, which answers */
        q->r->idempotency->waiting = NULL;
        db_submit(q->r->ctx->db, next);
        return;
    }
    if (e == ERR_EXISTS)
        idempotency_replay(q->r);
    else if (e)
        query_fail(q->r, e);
    else if (a->type)
        req_reply(q->r, a->status, a->type, a->body);
    else
        req_reply_empty(q->r, a->status);
}

static void done(struct db_call *c, enum err e, const PGresult *res)
{
    struct query *q = container_of(c, struct query, call);

    if (e == ERR_QUOTA && res)
        quota_fail(q->r, res);
    else if (q->answer)
        settled(q, e);
    else if (e)
        fail(q, e);
    else
        q->then(q->r, res);
}

/* While the transaction is open: what the handler answers is kept in it. */
static const struct db_call *keep_answer(struct db_call *c, const PGresult *res)
{
    struct query *q = container_of(c, struct query, call);
    struct req *r = q->r;

    q->answer = arena_alloc(r->arena, sizeof(*q->answer));
    r->capture = q->answer;
    q->then(r, res);
    r->capture = NULL;
    BUG_ON(!q->answer->given ==
           !r->idempotency->waiting); /* it answers, or goes on to one more statement */
    if (!q->answer->given || q->answer->status >= 500)
        return NULL;
    idempotency_put(r, q->answer->status, q->answer->body, &q->keep);
    return &q->keep;
}

struct query *query_new(
    struct req *r, enum statement s, void (*then)(struct req *, const PGresult *))
{
    struct query *q = arena_alloc(r->arena, sizeof(*q));

    db_call_init(&q->call, s, r->who.tenant, done);
    q->r = r;
    q->then = then;
    return q;
}

void query_int(struct query *q, int64_t v)
{
    db_int(&q->call, q->r->arena, v);
}

void query_text(struct query *q, struct str s)
{
    db_text(&q->call, q->r->arena, s);
}

void query_bytes(struct query *q, const void *p, size_t n)
{
    db_bytes(&q->call, p, n);
}

void query_bool(struct query *q, bool v)
{
    db_bool(&q->call, v);
}

void query_null(struct query *q)
{
    db_null(&q->call);
}

void query_run(struct query *q)
{
    if (q->r->idempotency)
        q->call.follow = keep_answer;
    if (q->r->capture)
        q->r->idempotency->waiting = &q->call;
    else
        db_submit(q->r->ctx->db, &q->call);
}

void query_read(struct query *q)
{
    db_submit(q->r->ctx->db, &q->call);
}

void query_fail(struct req *r, enum err e)
{
    req_fail(r, e, NULL, "%s", err_title(e));
}

static const char *pointer(struct req *r, const char *name)
{
    char *p = arena_alloc(r->arena, JSON_POINTER_SIZE);

    json_pointer_add(p, JSON_POINTER_SIZE, str_of(name)); /* "" when the name is too long for one */
    return p;
}

bool page_params(struct req *r, int64_t *after, int64_t *limit)
{
    return req_query_int(r, "after", 0, 0, JSON_INT_MAX, after) &&
           req_query_int(r, "limit", 100, 1, 500, limit);
}

bool flag_param(struct req *r, const char *name, bool *out)
{
    struct str value = req_query(r, name);

    if (value.p && !str_is(value, "true") && !str_is(value, "false")) {
        req_fail(r, ERR_INVALID, pointer(r, name), "must be true or false");
        return false;
    }
    if (value.p)
        *out = str_is(value, "true");
    return true;
}

void page_end(struct buf *out, int rows, int64_t limit, int64_t last)
{
    buf_puts(out, "\"next\":");
    if (rows == limit)
        buf_int(out, last);
    else
        buf_puts(out, "null");
    buf_putc(out, '}');
}

void put_raw(struct buf *out, const PGresult *res, int row, int col)
{
    if (db_is_null(res, row, col))
        buf_puts(out, "null");
    else
        buf_str(out, db_get_str(res, row, col));
}

void put_int(struct buf *out, const PGresult *res, int row, int col)
{
    put_raw(out, res, row, col); /* PostgreSQL prints integers and reals as JSON does */
}

void put_str(struct buf *out, const PGresult *res, int row, int col)
{
    if (db_is_null(res, row, col))
        buf_puts(out, "null");
    else
        buf_json(out, db_get_str(res, row, col));
}

void put_bool(struct buf *out, const PGresult *res, int row, int col)
{
    buf_puts(out, db_get_bool(res, row, col) ? "true" : "false");
}

void put_hex(struct buf *out, const PGresult *res, int row, int col)
{
    struct str s = db_get_str(res, row, col);

    if (s.n < 2)
        buf_puts(out, "null");
    else
        buf_json(out, (struct str){s.p + 2, s.n - 2});
}

bool body_only(struct req *r, const char *const *names, size_t n)
{
    if (!json_object_is_type(r->json, json_type_object)) {
        req_fail(r, ERR_INVALID, "", "the body must be an object");
        return false;
    }
    json_object_object_foreach(r->json, key, value)
    {
        size_t i = 0;
        while (i < n && strcmp(key, names[i]) != 0)
            i++;
        if (i == n || !value) { /* null is no value of any member: leave it out instead */
            req_fail(
                r, ERR_INVALID, pointer(r, key), i == n ? "unknown member" : "must not be null");
            return false;
        }
    }
    return true;
}

struct json_object *body_get(struct req *r, const char *name)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(r->json, name, &v);
    return v;
}

/* Whether the member is there and of that type; *go = carry on with the value. */
static bool member(
    struct req *r, const char *name, bool required, enum json_type type, struct json_object **v)
{
    static const char *const names[] = {
        [json_type_boolean] = "true or false",
        [json_type_double] = "a number",
        [json_type_int] = "a whole number",
        [json_type_object] = "an object",
        [json_type_array] = "an array",
        [json_type_string] = "a string",
    };

    *v = body_get(r, name);
    if (!*v && !required)
        return true;
    bool number = type == json_type_double && json_object_is_type(*v, json_type_int);
    if (!*v || !(json_object_is_type(*v, type) || number)) {
        req_fail(r, ERR_INVALID, pointer(r, name), "must be %s", names[type]);
        return false;
    }
    return true;
}

bool body_str(struct req *r, const char *name, bool required, size_t max, struct str *out)
{
    struct json_object *v;

    if (!member(r, name, required, json_type_string, &v))
        return false;
    if (!v)
        return true;
    struct str s = {json_object_get_string(v), (size_t)json_object_get_string_len(v)};
    if (s.n > max || (required && s.n == 0)) {
        req_fail(r, ERR_INVALID, pointer(r, name), "must have 1 to %zu bytes", max);
        return false;
    }
    *out = s;
    return true;
}

bool body_int(
    struct req *r, const char *name, bool required, int64_t min, int64_t max, int64_t *out)
{
    struct json_object *v;

    if (!member(r, name, required, json_type_int, &v))
        return false;
    if (!v)
        return true;
    int64_t n = json_object_get_int64(v);
    if (n < min || n > max) {
        req_fail(r, ERR_INVALID, pointer(r, name), "must be from %lld to %lld", (long long)min,
            (long long)max);
        return false;
    }
    *out = n;
    return true;
}

bool body_num(struct req *r, const char *name, double min, double max, double *out)
{
    struct json_object *v;

    if (!member(r, name, false, json_type_double, &v))
        return false;
    if (!v)
        return true;
    double d = json_object_get_double(v);
    if (!(d >= min && d <= max)) {
        req_fail(r, ERR_INVALID, pointer(r, name), "must be from %g to %g", min, max);
        return false;
    }
    *out = d;
    return true;
}

bool body_bool(struct req *r, const char *name, bool *out)
{
    struct json_object *v;

    if (!member(r, name, false, json_type_boolean, &v))
        return false;
    if (v)
        *out = json_object_get_boolean(v);
    return true;
}
