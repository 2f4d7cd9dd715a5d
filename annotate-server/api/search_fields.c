/* Owns the data paths that a project can be searched by. Never reads a task: upkeep does. */
#include "annotate-server/api/listing.h"
#include "annotate-server/api/task_search.h"
#include "core/filter.h"

static const struct column columns[] = {
    {"path", put_str}, {"state", put_str}, {"created_at", put_raw}};

void search_field_list_handler(struct req *r)
{
    struct query *q =
        listing_new(r, STMT_search_field_list, "fields", columns, ARRAY_LEN(columns), 0);

    query_int(q, r->id_arg[0]);
    query_run(q);
}

static void on_put(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_CONFLICT, NULL,
            "a project is searched by at most 8 data paths: give one up first, or try again");
        return;
    }
    if (str_is(db_get_str(res, 0, 1), "dropping")) {
        req_fail(r, ERR_CONFLICT, NULL, "this path is being given up; try again in a while");
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    listing_put(&out, columns, ARRAY_LEN(columns), res, 0, 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void search_field_put_handler(struct req *r)
{
    if (!filter_is_path(r->arg[1])) {
        req_fail(r, ERR_INVALID, "/path",
            "a path is data.KEY or data.KEY.KEY…: up to 8 keys of letters, digits, _ and -");
        return;
    }
    struct query *q = query_new(r, STMT_search_field_put, on_put);
    query_int(q, r->id_arg[0]);
    query_text(q, r->arg[1]);
    query_int(q, r->who.user);
    query_run(q);
}

static void on_drop(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        req_reply_empty(r, 204);
    else
        req_fail(r, ERR_NOT_FOUND, NULL, "the project is not searched by this path");
}

void search_field_drop_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_search_field_drop, on_drop);

    query_int(q, r->id_arg[0]);
    query_text(q, r->arg[1]);
    query_run(q);
}
