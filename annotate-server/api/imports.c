/* Owns showing imports, running and finished. Never moves one: task_import*.c do. */
#include "annotate-server/api/query.h"
#include "annotate-server/api/tasks.h"

static const struct {
    const char *name;
    void (*put)(struct buf *out, const PGresult *res, int row, int col);
} columns[] = {
    {"id", put_int},
    {"state", put_str},
    {"errors", put_str},
    {"created_by", put_int},
    {"seen", put_int},
    {"created", put_int},
    {"skipped", put_int},
    {"failed", put_int},
    {"labels", put_int},
    {"bytes", put_int},
    {"error", put_str},
    {"started_at", put_raw},
    {"updated_at", put_raw},
    {"ended_at", put_raw},
};

static void on_imports(struct req *r, const PGresult *res)
{
    int64_t *limit = r->user;
    int rows = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"imports\":[");
    for (int row = 0; row < rows; row++) {
        buf_puts(&out, row ? ",{" : "{");
        for (int c = 0; c < (int)ARRAY_LEN(columns); c++) {
            buf_printf(&out, "%s\"%s\":", c ? "," : "", columns[c].name);
            columns[c].put(&out, res, row, c);
        }
        buf_putc(&out, '}');
    }
    buf_puts(&out, "],");
    page_end(&out, rows, *limit, rows ? db_get_int(res, rows - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void import_list_handler(struct req *r)
{
    int64_t *limit = arena_alloc(r->arena, sizeof(*limit)), after;

    if (!page_params(r, &after, limit))
        return;
    r->user = limit;
    struct query *q = query_new(r, STMT_import_list, on_imports);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, *limit);
    query_run(q);
}
