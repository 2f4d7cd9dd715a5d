/* Owns the figures of acceptance sampling: inspected, defective, and how sure that makes us. Never
 * counts tasks: the sums are kept by the statement that applies QA's verdicts. */
#include "annotate-server/api/quality.h"

#include "annotate-server/api/query.h"
#include "core/wilson.h"

struct figures {
    int64_t after, limit;
    int64_t confidence;   /* percent */
    int64_t max_permille; /* of defects that a lot may have; 0: nobody asked */
};

static void put_share(struct buf *out, const struct share *s)
{
    buf_printf(out, "\"rate\":%.6f,\"low\":%.6f,\"high\":%.6f", s->share, s->low, s->high);
}

static void put_figures(struct buf *out, const struct figures *f, const PGresult *res, int row)
{
    int64_t inspected = db_get_int(res, row, 1), defective = db_get_int(res, row, 2);
    struct acceptance a = acceptance_of(
        defective, inspected, (double)f->max_permille / 1000, (double)f->confidence / 100);

    buf_printf(
        out, "\"inspected\":%lld,\"defective\":%lld,", (long long)inspected, (long long)defective);
    put_share(out, &a.defects);
    if (f->max_permille)
        buf_printf(out, ",\"verdict\":\"%s\"",
            a.accept   ? "accept"
            : a.refuse ? "refuse"
                       : "inspect-more");
}

static void on_figures(struct req *r, const PGresult *res)
{
    const struct figures *f = r->user;
    int n = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_printf(&out, "{\"confidence\":%.2f,", (double)f->confidence / 100);
    put_figures(&out, f, res, 0);
    buf_puts(&out, ",\"annotators\":[");
    for (int row = 1; row < n; row++) {
        buf_puts(&out, "{\"user\":");
        put_int(&out, res, row, 0);
        buf_putc(&out, ',');
        put_figures(&out, f, res, row);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    page_end(&out, n - 1, f->limit, n > 1 ? db_get_int(res, n - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void qa_handler(struct req *r)
{
    struct figures *f = arena_alloc(r->arena, sizeof(*f));

    if (!page_params(r, &f->after, &f->limit) ||
        !req_query_int(r, "confidence", 95, 50, 99, &f->confidence) ||
        !req_query_int(r, "max_permille", 0, 1, 1000, &f->max_permille))
        return;
    r->user = f;
    struct query *q = query_new(r, STMT_qa_figures, on_figures);
    query_int(q, r->id_arg[0]);
    query_int(q, f->after);
    query_int(q, f->limit);
    query_run(q);
}
