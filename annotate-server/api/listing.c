/* Owns writing a result as a page of a list. Never counts rows. */
#include "annotate-server/api/listing.h"

struct listing {
    const char *title;
    const struct column *columns;
    size_t ncolumns;
    int64_t limit;
};

void listing_put(struct buf *out, const struct column *columns, size_t ncolumns,
    const PGresult *res, int row, int col)
{
    buf_putc(out, '{');
    for (size_t c = 0; c < ncolumns; c++) {
        buf_printf(out, "%s\"%s\":", c ? "," : "", columns[c].name);
        columns[c].put(out, res, row, col + (int)c);
    }
    buf_putc(out, '}');
}

static void on_list(struct req *r, const PGresult *res)
{
    const struct listing *l = r->user;
    int n = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_printf(&out, "{\"%s\":[", l->title);
    for (int row = 0; row < n; row++) {
        listing_put(&out, l->columns, l->ncolumns, res, row, 0);
        buf_putc(&out, ',');
    }
    buf_chop(&out, ',');
    buf_puts(&out, l->limit ? "]," : "]}");
    if (l->limit)
        page_end(&out, n, l->limit, n ? db_get_int(res, n - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

struct query *listing_new(struct req *r, enum statement s, const char *title,
    const struct column *columns, size_t ncolumns, int64_t limit)
{
    struct listing *l = arena_alloc(r->arena, sizeof(*l));

    *l = (struct listing){title, columns, ncolumns, limit};
    r->user = l;
    return query_new(r, s, on_list);
}
