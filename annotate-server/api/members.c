/* Owns who belongs to a project and as what. Never lets a person change their own role. */
#include "annotate-server/api/projects.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"

static void on_members(struct req *r, const PGresult *res)
{
    const int64_t *limit = r->user;
    int n = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"members\":[");
    for (int i = 0; i < n; i++) {
        buf_puts(&out, "{\"user\":");
        put_int(&out, res, i, 0);
        buf_puts(&out, ",\"email\":");
        put_str(&out, res, i, 1);
        buf_puts(&out, ",\"name\":");
        put_str(&out, res, i, 2);
        buf_puts(&out, ",\"role\":");
        put_str(&out, res, i, 3);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    page_end(&out, n, *limit, n ? db_get_int(res, n - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void member_list_handler(struct req *r)
{
    int64_t *limit = arena_alloc(r->arena, sizeof(*limit)), after;

    if (!page_params(r, &after, limit))
        return;
    r->user = limit;
    struct query *q = query_new(r, STMT_member_list, on_members);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, *limit);
    query_run(q);
}

/* Everywhere in this process at once; other servers learn within the memory's time. */
static void role_changed(struct req *r)
{
    gate_forget_role(r->ctx, r->who.tenant, r->id_arg[0], r->id_arg[1]);
    context_broadcast(r->ctx->server, gate_forget_role, r->who.tenant, r->id_arg[0], r->id_arg[1]);
}

static bool oneself(struct req *r)
{
    if (r->id_arg[1] != r->who.user || r->who.admin)
        return false;
    req_fail(r, ERR_FORBIDDEN, NULL, "nobody changes their own role");
    return true;
}

static void on_put(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such user");
        return;
    }
    role_changed(r);
    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"user\":");
    put_int(&out, res, 0, 0);
    buf_puts(&out, ",\"role\":");
    put_str(&out, res, 0, 1);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void member_put_handler(struct req *r)
{
    static const char *const members[] = {"role"};
    struct str name = {NULL, 0};
    enum role role;

    if (!body_only(r, members, 1) || !body_str(r, "role", true, 16, &name) || oneself(r))
        return;
    if (!role_parse(name, &role)) {
        req_fail(
            r, ERR_INVALID, "/role", "must be viewer, annotator, reviewer, qa, model or manager");
        return;
    }
    struct query *q = query_new(r, STMT_member_put, on_put);
    query_int(q, r->id_arg[0]);
    query_int(q, r->id_arg[1]);
    query_text(q, str_of(role_name(role)));
    query_int(q, r->who.user);
    query_run(q);
}

static void on_removed(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such member");
        return;
    }
    role_changed(r);
    req_reply_empty(r, 204);
}

void member_remove_handler(struct req *r)
{
    if (oneself(r))
        return;
    struct query *q = query_new(r, STMT_member_remove, on_removed);
    query_int(q, r->id_arg[0]);
    query_int(q, r->id_arg[1]);
    query_run(q);
}
