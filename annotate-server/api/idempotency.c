/* Owns the look-up and the keeping of first answers. Never runs a handler twice for one key. */
#include "annotate-server/api/idempotency.h"

#include "annotate-server/api/query.h"
#include "annotate-server/http/problem.h"
#include "annotate-server/http/route.h"
#include "annotate-server/http/server.h"
#include "base/log.h"

enum { KEY_MAX = 200 };

static void give(struct req *r, const PGresult *res)
{
    const struct idempotency *i = r->idempotency;
    int status = (int)db_get_int(res, 0, 1);
    struct sha256 request;

    if (!db_get_bytes(res, 0, 0, request.b, SHA256_LEN) || !sha256_eq(request, i->request)) {
        req_fail(r, ERR_INVALID, NULL, "this Idempotency-Key was used for another request");
        return;
    }
    req_set_header(r, "Idempotency-Replayed", "true");
    if (status == 204)
        req_reply_empty(r, status);
    else
        req_reply(
            r, status, status < 400 ? "application/json" : PROBLEM_TYPE, db_get_str(res, 0, 2));
}

static void on_found(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        http_handler_pass(r);
    else
        give(r, res);
}

static void on_replay(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        query_fail(r, ERR_BUSY); /* gone again: the client tries once more */
    else
        give(r, res);
}

static void find(struct req *r, void (*then)(struct req *, const PGresult *))
{
    struct query *q = query_new(r, STMT_idempotency_find, then);

    query_int(q, r->who.user);
    query_text(q, r->idempotency->key);
    query_read(q);
}

void idempotency_replay(struct req *r)
{
    find(r, on_replay);
}

static bool good_key(struct str key)
{
    if (key.n == 0 || key.n > KEY_MAX)
        return false;
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] <= ' ' || key.p[i] > '~')
            return false;
    return true;
}

void idempotency_before(struct req *r)
{
    struct str key = req_header(r, "idempotency-key");
    struct idempotency *i;

    if (!key.p || !r->who.user) {
        http_handler_pass(r);
        return;
    }
    if (!good_key(key)) {
        req_fail(r, ERR_BAD_REQUEST, NULL, "Idempotency-Key must be 1 to %d printable characters",
            KEY_MAX);
        return;
    }
    const struct str parts[] = {
        str_of(method_name(r->method)), STR(" "), r->path, STR("\n"), r->body};
    i = arena_alloc(r->arena, sizeof(*i));
    i->key = key;
    i->request = sha256_parts(parts, ARRAY_LEN(parts));
    r->idempotency = i;
    find(r, on_found);
}

void idempotency_put(struct req *r, int status, struct str answer, struct db_call *out)
{
    const struct idempotency *i = r->idempotency;

    db_call_init(out, STMT_idempotency_put, r->who.tenant, NULL);
    db_int(out, r->arena, r->who.user);
    db_text(out, r->arena, i->key);
    db_bytes(out, i->request.b, SHA256_LEN);
    db_int(out, r->arena, status);
    db_text(out, r->arena, answer);
}

struct kept {
    struct db_call call;
    struct req *r;
    int status;
    struct buf answer;
};

static void release_answer(void *answer)
{
    buf_release(answer);
}

static void on_kept(struct db_call *call, enum err e, const PGresult *res)
{
    struct kept *k = container_of(call, struct kept, call);

    (void)res;
    if (e == ERR_EXISTS) {
        idempotency_replay(k->r);
        return;
    }
    if (e)
        log_req(LOG_WARN, k->r->id, "idempotency", "an answer was not kept: %s", err_title(e));
    req_reply_json(k->r, k->status, &k->answer);
}

void idempotency_reply(struct req *r, int status, struct buf *answer)
{
    struct kept *k;

    if (!r->idempotency || buf_err(answer)) {
        req_reply_json(r, status, answer);
        return;
    }
    k = arena_alloc(r->arena, sizeof(*k));
    k->r = r;
    k->status = status;
    buf_init(&k->answer, BUF_MAX_REPLY);
    arena_defer(r->arena, release_answer, &k->answer);
    buf_str(&k->answer, buf_view(answer));
    idempotency_put(r, status, buf_view(&k->answer), &k->call);
    k->call.done = on_kept;
    db_submit(r->ctx->db, &k->call);
}
