/* Owns the lists of late work and its dismissal. Never takes any in (adopt.c). */
#include "annotate-server/api/late.h"

#include "annotate-server/api/listing.h"

static const struct column columns[] = {{"id", put_int}, {"task", put_int}, {"seq", put_int},
    {"stage", put_str}, {"author", put_int}, {"parent", put_int}, {"sha256", put_hex},
    {"bytes", put_int}, {"regions", put_int}, {"lead_time", put_int}, {"created_at", put_raw},
    {"task_state", put_str}, {"task_version", put_int}, {"settled", put_str}, {"result", put_int},
    {"settled_by", put_int}, {"settled_at", put_raw}};

static void list(struct req *r, enum statement s, const bool *all)
{
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q = listing_new(r, s, "late", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
    if (all)
        query_bool(q, *all);
    query_run(q);
}

void late_list_handler(struct req *r)
{
    bool all = false;

    if (flag_param(r, "all", &all))
        list(r, STMT_late_list, &all);
}

void late_of_task_handler(struct req *r)
{
    list(r, STMT_late_of_task, NULL);
}

static void on_dismissed(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such label");
    else if (!db_get_bool(res, 0, 0))
        req_fail(r, ERR_CONFLICT, NULL, "this version did not come too late");
    else if (!db_get_bool(res, 0, 1))
        req_fail(r, ERR_CONFLICT, NULL, "this has been settled already");
    else
        req_reply_empty(r, 204);
}

void late_dismiss_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_late_dismiss, on_dismissed);

    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_run(q);
}
