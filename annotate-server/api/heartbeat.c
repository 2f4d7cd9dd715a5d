/* Owns extending leases: one statement for all the heartbeats that arrive together. Never changes a
 * version. */
#include "annotate-server/api/claim.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/work.h"

enum { BEATS_MAX = 500, TRIES_MAX = 5 };

struct beat {
    int64_t assignment, version;
    struct str expires; /* p NULL: lost */
    bool soon;          /* the lease was nearly over, or there is a pause */
};

struct beats { /* of one request */
    struct batch_item item;
    struct req *r;
    int64_t lease_s;
    struct beat *v;
    int n;
    bool one; /* POST …/heartbeat: a plain answer, errors by status */
};

struct run {
    struct batch *b;
    struct db_call call;
    struct db_array id, version, holder, lease;
    int tries;
};

static void run_batch(struct batch *b);

static const struct batch_kind heartbeats = {"heartbeat", 1000, NULL, run_batch};

static void print_one(struct beats *h)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_printf(&out,
        "{\"id\":%lld,\"version\":%lld,\"lease_expires_at\":%.*s,\"deadline_soon\":%s}",
        (long long)h->v->assignment, (long long)h->v->version, STR_FMT(h->v->expires),
        h->v->soon ? "true" : "false");
    req_reply_json(h->r, 200, &out);
    buf_release(&out);
}

static void print_many(struct beats *h)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"results\":[");
    for (int i = 0; i < h->n; i++) {
        const struct beat *v = &h->v[i];
        buf_printf(&out, "{\"id\":%lld,", (long long)v->assignment);
        if (v->expires.p)
            buf_printf(&out, "\"lease_expires_at\":%.*s,\"deadline_soon\":%s},",
                STR_FMT(v->expires), v->soon ? "true" : "false");
        else
            buf_printf(&out, "\"error\":\"%s\"},", err_slug(ERR_LEASE_LOST));
    }
    buf_chop(&out, ',');
    buf_puts(&out, "]}");
    req_reply_json(h->r, 200, &out);
    buf_release(&out);
}

/* A lease is what this is about: who has none any more has lost it, whatever the version. */
static void on_why_not(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such assignment");
    else if (db_get_bool(res, 0, 3) && !db_get_bool(res, 0, 2))
        req_fail(r, ERR_VERSION, NULL, "the assignment has moved on to another version");
    else
        req_fail(r, ERR_LEASE_LOST, NULL, "this assignment is not yours, or no longer");
}

static void answer(struct beats *h)
{
    if (!h->one) {
        print_many(h);
    } else if (h->v->expires.p) {
        print_one(h);
    } else {
        struct query *q = query_new(h->r, STMT_assignment_why, on_why_not);
        query_int(q, h->v->assignment);
        query_int(q, h->v->version);
        query_int(q, h->r->who.user);
        query_read(q); /* an old answer would be of an old lease */
    }
}

static void take(
    struct run *run, int64_t id, int64_t version, int64_t holder, struct str expires, bool soon)
{
    for (struct batch_item *i = run->b->items; i; i = i->next) {
        struct beats *h = container_of(i, struct beats, item);
        for (int k = 0; k < h->n && h->r->who.user == holder; k++)
            if (h->v[k].assignment == id && h->v[k].version == version) {
                h->v[k].expires = arena_str(h->r->arena, expires);
                h->v[k].soon = soon;
            }
    }
}

static void extend(struct run *run);

static void extended(struct db_call *call, enum err e, const PGresult *res)
{
    struct run *run = container_of(call, struct run, call);
    struct batch_item *next;

    if (e == ERR_EXISTS && ++run->tries < TRIES_MAX) { /* one of them claimed elsewhere just now */
        extend(run);
        return;
    }
    for (int row = 0; !e && row < PQntuples(res); row++)
        take(run, db_get_int(res, row, 0), db_get_int(res, row, 1), db_get_int(res, row, 2),
            db_get_str(res, row, 3), db_get_bool(res, row, 4));
    for (struct batch_item *i = run->b->items; i; i = next) {
        next = i->next;
        struct beats *h = container_of(i, struct beats, item);
        if (e)
            query_fail(h->r, e);
        else
            answer(h);
    }
    batch_end(run->b);
}

static void extend(struct run *run)
{
    const struct thread_ctx *ctx = run->b->ctx;

    db_call_init(&run->call, STMT_heartbeat_extend, run->b->key.tenant, extended);
    db_array_bind(&run->id, &run->call);
    db_array_bind(&run->version, &run->call);
    db_array_bind(&run->holder, &run->call);
    db_array_bind(&run->lease, &run->call);
    db_submit(ctx->db, &run->call);
}

static void release(void *arg)
{
    struct run *run = arg;

    db_array_release(&run->id);
    db_array_release(&run->version);
    db_array_release(&run->holder);
    db_array_release(&run->lease);
}

static void run_batch(struct batch *b)
{
    struct run *run = arena_alloc(b->arena, sizeof(*run));

    run->b = b;
    db_array_init(&run->id, DB_INT8);
    db_array_init(&run->version, DB_INT8);
    db_array_init(&run->holder, DB_INT8);
    db_array_init(&run->lease, DB_INT4);
    arena_defer(b->arena, release, run);
    for (struct batch_item *i = b->items; i; i = i->next) {
        const struct beats *h = container_of(i, struct beats, item);
        for (int k = 0; k < h->n; k++) {
            db_array_int(&run->id, h->v[k].assignment);
            db_array_int(&run->version, h->v[k].version);
            db_array_int(&run->holder, h->r->who.user);
            db_array_int(&run->lease, h->lease_s);
        }
    }
    extend(run);
}

static void start(struct beats *h)
{
    struct batch_key key = {&heartbeats, h->r->who.tenant, 0, 0};

    h->item.weight = h->n ? h->n : 1;
    batch_add(h->r->ctx->batches, &key, &h->item);
}

void heartbeat_handler(struct req *r)
{
    static const char *const members[] = {"lease_s"};
    struct beats *h = arena_alloc(r->arena, sizeof(*h));

    if (!body_only(r, members, 1) ||
        !body_int(r, "lease_s", false, LEASE_MIN_S, LEASE_MAX_S, &h->lease_s))
        return;
    h->r = r;
    h->one = true;
    h->n = 1;
    h->v = arena_alloc(r->arena, sizeof(*h->v));
    h->v->assignment = r->id_arg[0];
    h->v->version = r->version;
    start(h);
}

static bool read_beat(struct req *r, size_t i, struct json_object *v, struct beat *out)
{
    struct json_object *id = NULL, *version = NULL;

    json_object_object_get_ex(v, "id", &id);
    json_object_object_get_ex(v, "version", &version);
    if (!json_object_is_type(id, json_type_int) || !json_object_is_type(version, json_type_int) ||
        json_object_object_length(v) != 2) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/assignments/%zu", i),
            "must be an object with id and version");
        return false;
    }
    out->assignment = json_object_get_int64(id);
    out->version = json_object_get_int64(version);
    if (out->assignment < 1 || out->version < 0) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/assignments/%zu", i),
            "an id is at least 1, a version at least 0");
        return false;
    }
    return true;
}

void heartbeats_handler(struct req *r)
{
    static const char *const members[] = {"assignments", "lease_s"};
    struct beats *h = arena_alloc(r->arena, sizeof(*h));
    struct json_object *list;

    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_int(r, "lease_s", false, LEASE_MIN_S, LEASE_MAX_S, &h->lease_s))
        return;
    list = body_get(r, "assignments");
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) > BEATS_MAX) {
        req_fail(r, ERR_INVALID, "/assignments", "must be an array of at most %d", BEATS_MAX);
        return;
    }
    h->r = r;
    h->n = (int)json_object_array_length(list);
    h->v = arena_array(r->arena, (size_t)h->n, sizeof(*h->v));
    for (int i = 0; i < h->n; i++)
        if (!read_beat(r, (size_t)i, json_object_array_get_idx(list, (size_t)i), &h->v[i]))
            return;
    start(h);
}
