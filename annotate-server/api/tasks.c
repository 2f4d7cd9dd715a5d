/* Owns reading tasks: list, one, history. Never counts rows. */
#include "annotate-server/api/tasks.h"

#include "annotate-server/api/listing.h"
#include "annotate-server/api/media.h"
#include "annotate-server/auth/media_link.h"
#include "core/workflow.h"

void task_list_handler(struct req *r)
{
    static const struct column columns[] = {{"id", put_int}, {"state", put_str},
        {"version", put_int}, {"data", put_raw}, {"external_id", put_str}, {"priority", put_int},
        {"overlap", put_int}, {"rework_count", put_int}, {"created_at", put_raw}};
    struct str state = req_query(r, "state");
    enum task_state known;
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    if (state.p && (!task_state_parse(state, &known) || known == TASK_NONE)) {
        req_fail(r, ERR_INVALID, "/state", "is no state of a task");
        return;
    }
    struct query *q = listing_new(r, STMT_task_list, "tasks", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_text(q, state);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

void task_events_handler(struct req *r)
{
    static const struct column columns[] = {{"seq", put_int}, {"at", put_raw}, {"action", put_str},
        {"from", put_str}, {"to", put_str}, {"version", put_int}, {"actor", put_int},
        {"assignment", put_int}, {"label", put_int}, {"detail", put_raw}};
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q = listing_new(r, STMT_event_list, "events", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

static void on_task(struct req *r, const PGresult *res)
{
    struct str task;
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such task");
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    task = db_get_str(res, 0, 2);
    buf_str(&out, (struct str){task.p, task.n - 1}); /* up to its last brace */
    buf_puts(&out, ",\"media\":");
    media_links(r, task, media_link_end(0), &out);
    buf_putc(&out, '}');
    req_set_etag(r, db_get_int(res, 0, 0));
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void task_get_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_task_get, on_task);

    query_int(q, r->id_arg[0]);
    query_run(q);
}
