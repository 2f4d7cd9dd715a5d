/* Owns who belongs to a project and as what. Never lets a person change their own role. */
#include "annotate-server/api/claim.h"
#include "annotate-server/api/listing.h"
#include "annotate-server/api/projects.h"
#include "annotate-server/auth/gate.h"

void member_list_handler(struct req *r)
{
    static const struct column columns[] = {{"user", put_int}, {"email", put_str},
        {"name", put_str}, {"role", put_str}, {"skills", put_raw}, {"paused", put_bool},
        {"max_leases", put_int}};
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q =
        listing_new(r, STMT_member_list, "members", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
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
    static const struct column columns[] = {{"user", put_int}, {"role", put_str},
        {"skills", put_raw}, {"paused", put_bool}, {"max_leases", put_int}};
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such user");
        return;
    }
    role_changed(r);
    buf_init(&out, BUF_MAX_JSON);
    listing_put(&out, columns, ARRAY_LEN(columns), res, 0, 0);
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
