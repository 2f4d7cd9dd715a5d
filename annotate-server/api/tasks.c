/* Owns reading tasks: list, one, history, comments. Never counts rows. */
#include "annotate-server/api/tasks.h"

#include "annotate-server/api/query.h"
#include "core/workflow.h"

/* A list's columns: member name and how it is written. */
struct column {
    const char *name;
    void (*put)(struct buf *out, const PGresult *res, int row, int col);
};

struct listing {
    const char *title;
    const struct column *columns;
    int ncolumns;
    int64_t limit; /* 0: not paged */
};

static void on_list(struct req *r, const PGresult *res)
{
    const struct listing *l = r->user;
    int n = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_printf(&out, "{\"%s\":[", l->title);
    for (int row = 0; row < n; row++) {
        buf_putc(&out, '{');
        for (int c = 0; c < l->ncolumns; c++) {
            buf_printf(&out, "\"%s\":", l->columns[c].name);
            l->columns[c].put(&out, res, row, c);
            buf_putc(&out, ',');
        }
        buf_chop(&out, ',');
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    page_end(&out, n, l->limit, n ? db_get_int(res, n - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static struct query *list_new(struct req *r, enum statement s, const char *title,
    const struct column *columns, int ncolumns, int64_t limit)
{
    struct listing *l = arena_alloc(r->arena, sizeof(*l));

    *l = (struct listing){title, columns, ncolumns, limit};
    r->user = l;
    return query_new(r, s, on_list);
}

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
        req_fail(r, ERR_INVALID, "state", "is no state of a task");
        return;
    }
    struct query *q = list_new(r, STMT_task_list, "tasks", columns, (int)ARRAY_LEN(columns), limit);
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
    struct query *q =
        list_new(r, STMT_event_list, "events", columns, (int)ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

void task_comments_handler(struct req *r)
{
    static const struct column columns[] = {{"id", put_int}, {"author", put_int},
        {"region", put_str}, {"text", put_str}, {"resolved", put_bool}, {"created_at", put_raw}};
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q =
        list_new(r, STMT_comment_list, "comments", columns, (int)ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

static void on_task(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such task");
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    buf_str(&out, db_get_str(res, 0, 2));
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
