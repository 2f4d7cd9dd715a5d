/* Owns ordering erasures and showing them. Never erases a label or media itself: that is
 * annotate-upkeep's work. */
#include "annotate-server/api/erasures.h"

#include "annotate-server/api/query.h"
#include "annotate-server/api/task_move.h"
#include "annotate-server/auth/gate.h"
#include "base/log.h"

enum { REASON_MAX = 1000 };

struct order {
    struct task_move move; /* of a task */
    struct str reason;
    bool labels, force, dry_run;
};

static bool read_reason(struct req *r, struct order *o)
{
    if (!body_str(r, "reason", true, REASON_MAX, &o->reason))
        return false;
    if (o->reason.n)
        return true;
    req_fail(r, ERR_INVALID, "/reason", "must not be empty");
    return false;
}

static void reply_json(struct req *r, int status, const PGresult *res)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    put_raw(&out, res, 0, 0);
    req_reply_json(r, status, &out);
    buf_release(&out);
}

static void log_order(const struct req *r, const char *what, const struct order *o)
{
    if (!o->dry_run)
        log_req(LOG_INFO, r->id, "erasure_ordered", "%s %lld by %lld", what,
            (long long)r->id_arg[0], (long long)r->who.user);
}

/* ---- of a task */

static void on_task_ordered(struct req *r, const PGresult *res)
{
    const struct order *o = container_of(r->user, struct order, move);

    if (!db_is_null(res, 0, 0)) {
        log_order(r, "task", o);
        reply_json(r, 202, res);
    } else if (db_get_bool(res, 0, 2)) {
        req_fail(r, ERR_CONFLICT, NULL,
            "release \"%.*s\" is protected and holds a label of it; \"force\" erases it there, too",
            STR_FMT(db_get_str(res, 0, 1)));
    } else {
        req_fail(r, ERR_VERSION, NULL, "the task has moved on to another version");
    }
}

static void write_order(struct req *r, struct task_move *m)
{
    const struct order *o = container_of(m, struct order, move);
    struct query *q = query_new(r, STMT_task_erase, on_task_ordered);

    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_text(q, str_of(task_state_name(m->facts.state)));
    query_int(q, r->who.user);
    query_text(q, o->reason);
    query_bool(q, o->force);
    query_bool(q, o->dry_run);
    query_run(q);
}

void task_erase_handler(struct req *r)
{
    static const char *const members[] = {"reason", "force", "dry_run"};
    struct order *o = arena_alloc(r->arena, sizeof(*o));

    o->move = (struct task_move){.action = ACTION_ERASE, .write = write_order};
    if (body_only(r, members, ARRAY_LEN(members)) && read_reason(r, o) &&
        body_bool(r, "force", &o->force) && body_bool(r, "dry_run", &o->dry_run))
        task_move_start(r, &o->move);
}

/* ---- of a person */

static void not_there(struct req *r)
{
    req_fail(r, ERR_NOT_FOUND, NULL, "there is no such user");
}

static void on_user_ordered(struct req *r, const PGresult *res)
{
    const struct order *o = r->user;

    if (PQntuples(res) == 0) {
        not_there(r);
        return;
    }
    if (!o->dry_run) {
        context_broadcast(r->ctx->server, gate_forget_user, r->who.tenant, r->id_arg[0], 0);
        gate_forget_user(r->ctx, r->who.tenant, r->id_arg[0], 0);
    }
    log_order(r, "user", o);
    reply_json(r, 202, res);
}

static void order_user(struct req *r, struct order *o)
{
    static const char *const members[] = {"reason", "labels", "force", "dry_run"};
    struct query *q;

    if (!body_only(r, members, ARRAY_LEN(members)) || !read_reason(r, o) ||
        !body_bool(r, "labels", &o->labels) || !body_bool(r, "force", &o->force) ||
        !body_bool(r, "dry_run", &o->dry_run))
        return;
    if (r->id_arg[0] == r->who.user) {
        req_fail(r, ERR_FORBIDDEN, NULL, "nobody erases themselves; ask another administrator");
        return;
    }
    q = query_new(r, STMT_user_erase, on_user_ordered);
    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_text(q, o->reason);
    query_bool(q, o->labels);
    query_bool(q, o->force);
    query_bool(q, o->dry_run);
    query_read(
        q); /* the same again finds the same order; and what is forgotten must be committed */
}

static void on_user(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        not_there(r);
    else
        order_user(r, r->user);
}

/* As with a task, who it is about comes before what is asked. */
void user_erase_handler(struct req *r)
{
    struct order *o = arena_alloc(r->arena, sizeof(*o));
    struct query *q = query_new(r, STMT_user_state, on_user);

    r->user = o;
    query_int(q, r->id_arg[0]);
    query_read(q);
}

/* ---- showing */

static void on_erasure(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        reply_json(r, 200, res);
    else
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such erasure");
}

void erasure_get_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_erasure_get, on_erasure);

    query_int(q, r->id_arg[0]);
    query_bool(q, r->who.admin);
    query_int(q, r->who.user);
    query_run(q);
}

static void on_erasures(struct req *r, const PGresult *res)
{
    const int64_t *limit = r->user;
    int rows = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"erasures\":[");
    for (int row = 0; row < rows; row++) {
        if (row)
            buf_putc(&out, ',');
        put_raw(&out, res, row, 1);
    }
    buf_puts(&out, "],");
    page_end(&out, rows, *limit, rows ? db_get_int(res, rows - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void erasure_list_handler(struct req *r)
{
    int64_t *limit = arena_alloc(r->arena, sizeof(*limit)), after;

    if (!page_params(r, &after, limit))
        return;
    r->user = limit;
    struct query *q = query_new(r, STMT_erasure_list, on_erasures);
    query_int(q, after);
    query_bool(q, r->who.admin);
    query_int(q, r->who.user);
    query_int(q, *limit);
    query_run(q);
}
