/* Owns who belongs to a project and as what. Never lets a person change their own role. */
#include "annotate-server/api/claim.h"
#include "annotate-server/api/projects.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"

/* role, skills, paused, max_leases of a row, from column `col` on. */
static void put_terms(struct buf *out, const PGresult *res, int row, int col)
{
    buf_puts(out, "\"role\":");
    put_str(out, res, row, col);
    buf_puts(out, ",\"skills\":");
    put_raw(out, res, row, col + 1);
    buf_puts(out, ",\"paused\":");
    put_bool(out, res, row, col + 2);
    buf_puts(out, ",\"max_leases\":");
    put_int(out, res, row, col + 3);
}

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
        buf_putc(&out, ',');
        put_terms(&out, res, i, 3);
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
    buf_putc(&out, ',');
    put_terms(&out, res, 0, 1);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

/* What the body says of skills, a pause and a cap; what it leaves out stays as it is. false:
 * answered. */
static bool bind_terms(struct query *q, struct req *r)
{
    struct json_object *skills = body_get(r, "skills");
    char tags[TAGS_TEXT];
    int64_t max_leases = -1;
    bool paused = false;

    if (skills && tags_parse(skills, tags)) {
        req_fail(r, ERR_INVALID, "/skills", TAGS_RULE);
        return false;
    }
    if (!body_bool(r, "paused", &paused) ||
        !body_int(r, "max_leases", false, 0, CLAIM_MAX, &max_leases))
        return false;
    query_text(q, str_of(skills ? tags : NULL));
    if (body_get(r, "paused"))
        query_bool(q, paused);
    else
        query_null(q);
    if (max_leases >= 0)
        query_int(q, max_leases);
    else
        query_null(q);
    return true;
}

void member_put_handler(struct req *r)
{
    static const char *const members[] = {"role", "skills", "paused", "max_leases"};
    struct str name = {NULL, 0};
    enum role role;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "role", true, 16, &name) ||
        oneself(r))
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
    if (bind_terms(q, r))
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
