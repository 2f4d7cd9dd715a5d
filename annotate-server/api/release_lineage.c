/* Owns where a release's labels come from, and which releases a label went into. Never reads a
 * label's content. */
#include "annotate-server/api/listing.h"
#include "annotate-server/api/releases.h"
#include "annotate-server/api/row_stream.h"

enum { PAGE = 500 };

/* Columns of release_lineage; from COL_LABEL on they are members of `label` up to COL_VERSIONS. */
static const struct column item[] = {
    {"task", put_int}, {"external_id", put_str}, {"split", put_str}};
static const struct column label[] = {{"id", put_int}, {"sha256", put_str}, {"seq", put_int},
    {"kind", put_str}, {"config", put_int}, {"created_at", put_raw}, {"merged_from", put_raw}};
static const struct column origin[] = {
    {"versions", put_raw}, {"authors", put_raw}, {"models", put_raw}, {"reviewers", put_raw}};

enum { COL_TASK, COL_LABEL = ARRAY_LEN(item), COL_VERSIONS = COL_LABEL + ARRAY_LEN(label) };

struct lineage {
    struct row_stream rows;
    int64_t left; /* of the release's items */
};

static bool put_page(struct row_stream *s, const PGresult *res, struct buf *out)
{
    struct lineage *l = container_of(s, struct lineage, rows);
    int n = PQntuples(res);

    for (int row = 0; row < n; row++) {
        listing_put(out, item, ARRAY_LEN(item), res, row, COL_TASK);
        buf_chop(out, '}');
        buf_puts(out, ",\"label\":");
        listing_put(out, label, ARRAY_LEN(label), res, row, COL_LABEL);
        buf_puts(out, ",\"from\":");
        listing_put(out, origin, ARRAY_LEN(origin), res, row, COL_VERSIONS);
        buf_puts(out, "}\n");
    }
    if (n)
        s->after = db_get_int(res, n - 1, COL_TASK);
    l->left -= n;
    s->missing = n < PAGE && l->left != 0; /* the release is being deleted */
    return n == PAGE;
}

static void bind(struct row_stream *s, struct query *q)
{
    query_int(q, s->r->id_arg[0]);
    query_int(q, s->after);
    query_int(q, PAGE);
}

static void on_release(struct req *r, const PGresult *res)
{
    struct lineage *l = r->user;

    if (PQntuples(res) == 0 || !str_is(db_get_str(res, 0, 3), "ready")) {
        req_fail(r, ERR_CONFLICT, NULL, "the release is not ready");
        return;
    }
    l->left = db_get_int(res, 0, 4);
    row_stream_run(&l->rows, r);
}

void release_lineage_handler(struct req *r)
{
    struct lineage *l = arena_alloc(r->arena, sizeof(*l));
    struct query *q = query_new(r, STMT_release_get, on_release);

    l->rows = (struct row_stream){.stmt = STMT_release_lineage, .bind = bind, .put = put_page};
    r->user = l;
    query_int(q, r->id_arg[0]);
    query_run(q);
}

void label_releases_handler(struct req *r)
{
    static const struct column columns[] = {
        {"id", put_int}, {"name", put_str}, {"split", put_str}, {"created_at", put_raw}};
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q =
        listing_new(r, STMT_label_releases, "releases", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}
