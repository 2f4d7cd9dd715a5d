/* Owns comparing two releases of a project: two walks along their items in task order, side by
 * side (I9). Never reads a label: equal hashes are equal labels. */
#include "annotate-server/api/releases.h"
#include "annotate-server/api/row_stream.h"

enum { PAGE = 1000 };

/* Columns of release_diff_facts. */
enum { FACT_ID, FACT_PROJECT, FACT_NAME, FACT_STATE, FACT_ROOT, FACT_ITEMS };

/* Columns of release_diff. */
enum {
    COL_UPTO,
    COL_EQUAL,
    COL_TASK,
    COL_EXTERNAL,
    COL_KEPT,
    COL_RELABELLED,
    COL_MEDIA,
    COL_MOVED,
    COL_LABELS,
    COL_SHAS = COL_LABELS + 2,
    COL_SPLITS = COL_SHAS + 2
};

struct diff {
    struct row_stream rows;
    int64_t left[2]; /* of each release's items */
    int64_t equal, added, removed, relabelled, media, moved;
};

static void put_side(struct buf *out, const PGresult *res, int row, int side)
{
    static const char *const names[] = {"a", "b"};

    buf_printf(out, ",\"%s\":", names[side]);
    if (db_is_null(res, row, COL_LABELS + side)) {
        buf_puts(out, "null");
        return;
    }
    buf_puts(out, "{\"label\":");
    put_int(out, res, row, COL_LABELS + side);
    buf_puts(out, ",\"sha256\":");
    put_str(out, res, row, COL_SHAS + side);
    buf_puts(out, ",\"split\":");
    put_str(out, res, row, COL_SPLITS + side);
    buf_putc(out, '}');
}

static void put_changes(struct diff *d, const PGresult *res, int row, struct buf *out)
{
    bool kept = db_get_bool(res, row, COL_KEPT), had = !db_is_null(res, row, COL_LABELS);
    const struct {
        const char *name;
        bool is;
        int64_t *count;
    } changes[] = {{"added", !kept && !had, &d->added}, {"removed", !kept && had, &d->removed},
        {"relabelled", kept && db_get_bool(res, row, COL_RELABELLED), &d->relabelled},
        {"media", kept && db_get_bool(res, row, COL_MEDIA), &d->media},
        {"split", kept && db_get_bool(res, row, COL_MOVED), &d->moved}};

    buf_puts(out, ",\"changes\":[");
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        if (changes[i].is) {
            buf_printf(out, "\"%s\",", changes[i].name);
            ++*changes[i].count;
        }
    buf_chop(out, ',');
    buf_putc(out, ']');
}

/* Of the items of both releases; some are left in the end when one is being deleted. */
static void count_down(struct diff *d, const PGresult *res, int row)
{
    for (int side = 0; side < 2; side++)
        d->left[side] -= !db_is_null(res, row, COL_LABELS + side);
}

static void put_counts(const struct diff *d, struct buf *out)
{
    buf_printf(out,
        "{\"counts\":{\"equal\":%lld,\"added\":%lld,\"removed\":%lld,\"relabelled\":%lld,"
        "\"media\":%lld,\"split\":%lld}}\n",
        (long long)d->equal, (long long)d->added, (long long)d->removed, (long long)d->relabelled,
        (long long)d->media, (long long)d->moved);
}

static bool put_page(struct row_stream *s, const PGresult *res, struct buf *out)
{
    struct diff *d = container_of(s, struct diff, rows);

    if (PQntuples(res) == 0 || db_is_null(res, 0, COL_UPTO)) {
        s->missing = d->left[0] || d->left[1];
        put_counts(d, out);
        return false;
    }
    s->after = db_get_int(res, 0, COL_UPTO);
    int64_t equal = db_get_int(res, 0, COL_EQUAL);
    d->equal += equal;
    d->left[0] -= equal;
    d->left[1] -= equal;
    for (int row = 0; row < PQntuples(res) && !db_is_null(res, row, COL_TASK); row++) {
        buf_puts(out, "{\"task\":");
        put_int(out, res, row, COL_TASK);
        buf_puts(out, ",\"external_id\":");
        put_str(out, res, row, COL_EXTERNAL);
        put_changes(d, res, row, out);
        count_down(d, res, row);
        put_side(out, res, row, 0);
        put_side(out, res, row, 1);
        buf_puts(out, "}\n");
    }
    return true;
}

static void bind(struct row_stream *s, struct query *q)
{
    query_int(q, s->r->id_arg[0]);
    query_int(q, s->r->id_arg[1]);
    query_int(q, s->after);
    query_int(q, PAGE);
}

/* The row of a release, or -1. */
static int find(const PGresult *res, int64_t id)
{
    for (int row = 0; row < PQntuples(res); row++)
        if (db_get_int(res, row, FACT_ID) == id)
            return row;
    return -1;
}

/* false: answered. */
static bool is_ready(struct req *r, const PGresult *res, int row)
{
    if (str_is(db_get_str(res, row, FACT_STATE), "ready"))
        return true;
    req_fail(r, ERR_CONFLICT, NULL, "release %lld is not ready",
        (long long)db_get_int(res, row, FACT_ID));
    return false;
}

/* Equal roots are equal contents, whatever their size: nothing needs to be walked. */
static void reply_equal(struct req *r, int64_t items)
{
    const struct diff d = {.equal = items};
    struct buf out;

    buf_init(&out, BUF_MAX_LINE);
    put_counts(&d, &out);
    req_reply(r, 200, "application/x-ndjson", buf_view(&out));
    buf_release(&out);
}

static void walk(struct diff *d, struct req *r, int64_t a_items, int64_t b_items)
{
    d->left[0] = a_items;
    d->left[1] = b_items;
    row_stream_run(&d->rows, r);
}

static void on_facts(struct req *r, const PGresult *res)
{
    struct diff *d = r->user;
    int a = find(res, r->id_arg[0]), b = find(res, r->id_arg[1]);

    /* First whether it is there for them: of another project's not even the state is told. */
    if (a < 0 || b < 0 || db_get_int(res, a, FACT_PROJECT) != db_get_int(res, b, FACT_PROJECT))
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such release to compare with");
    else if (!is_ready(r, res, a) || !is_ready(r, res, b))
        return;
    else if (str_eq(db_get_str(res, a, FACT_ROOT), db_get_str(res, b, FACT_ROOT)))
        reply_equal(r, db_get_int(res, a, FACT_ITEMS));
    else
        walk(d, r, db_get_int(res, a, FACT_ITEMS), db_get_int(res, b, FACT_ITEMS));
}

void release_diff_handler(struct req *r)
{
    struct diff *d = arena_alloc(r->arena, sizeof(*d));
    struct query *q = query_new(r, STMT_release_diff_facts, on_facts);

    d->rows = (struct row_stream){.stmt = STMT_release_diff, .bind = bind, .put = put_page};
    r->user = d;
    query_int(q, r->id_arg[0]);
    query_int(q, r->id_arg[1]);
    query_run(q);
}
