/* Owns comments and their threads. Never changes a comment's text: only its thread's end. */
#include "annotate-server/api/comments.h"

#include "annotate-server/api/listing.h"
#include "base/json_scan.h"

static const struct column columns[] = {{"id", put_int}, {"parent", put_int}, {"author", put_int},
    {"region", put_str}, {"text", put_str}, {"resolved", put_bool}, {"resolved_by", put_int},
    {"resolved_at", put_raw}, {"created_at", put_raw}};

void comment_list_handler(struct req *r)
{
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q =
        listing_new(r, STMT_comment_list, "comments", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

void comment_history_handler(struct req *r)
{
    static const struct column changes[] = {
        {"id", put_int}, {"resolved", put_bool}, {"actor", put_int}, {"at", put_raw}};
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q =
        listing_new(r, STMT_comment_history, "changes", changes, ARRAY_LEN(changes), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, r->id_arg[1]);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

/* Annotators take part where they work; everybody else who sees the task does. */
static bool own_work_only(const struct req *r)
{
    return r->who.role == ROLE_ANNOTATOR;
}

static void refuse_stranger(struct req *r)
{
    req_fail(r, ERR_FORBIDDEN, NULL, "an annotator comments on tasks of their own only");
}

static void answer(struct req *r, int status, const PGresult *res, int col)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    listing_put(&out, columns, ARRAY_LEN(columns), res, 0, col);
    req_reply_json(r, status, &out);
    buf_release(&out);
}

static void on_added(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such task");
    else if (!db_get_bool(res, 0, 0))
        refuse_stranger(r);
    else if (!db_get_bool(res, 0, 1))
        req_fail(r, ERR_INVALID, "/parent", "is no comment of this task");
    else if (db_get_bool(res, 0, 2))
        req_fail(r, ERR_CONFLICT, "/parent", "the thread is resolved; open it first");
    else
        answer(r, 201, res, 3);
}

void comment_add_handler(struct req *r)
{
    static const char *const members[] = {"text", "region", "parent"};
    struct str text = {NULL, 0}, region = {NULL, 0};
    int64_t parent = 0;

    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_str(r, "text", true, COMMENT_MAX, &text) ||
        !body_str(r, "region", false, COMMENT_REGION_MAX, &region) ||
        !body_int(r, "parent", false, 1, JSON_INT_MAX, &parent))
        return;
    if (region.p && parent) {
        req_fail(r, ERR_INVALID, "/region", "a reply is anchored where its thread is");
        return;
    }
    struct query *q = query_new(r, STMT_comment_add, on_added);
    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_text(q, region);
    query_text(q, text);
    if (parent)
        query_int(q, parent);
    else
        query_null(q);
    query_bool(q, own_work_only(r));
    query_run(q);
}

static void on_resolved(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such comment");
    else if (!db_get_bool(res, 0, 0))
        refuse_stranger(r);
    else if (db_get_bool(res, 0, 1))
        req_fail(
            r, ERR_CONFLICT, NULL, "a thread is resolved by its first comment, not by a reply");
    else
        answer(r, 200, res, 2);
}

void comment_resolve_handler(struct req *r)
{
    static const char *const members[] = {"resolved"};
    bool resolved = false;

    if (!body_only(r, members, 1) || !body_bool(r, "resolved", &resolved))
        return;
    if (!body_get(r, "resolved")) {
        req_fail(r, ERR_INVALID, "/resolved", "must be true or false");
        return;
    }
    struct query *q = query_new(r, STMT_comment_resolve, on_resolved);
    query_int(q, r->id_arg[0]);
    query_int(q, r->id_arg[1]);
    query_int(q, r->who.user);
    query_bool(q, resolved);
    query_bool(q, own_work_only(r));
    query_run(q);
}
