/* Owns agreement over a project: of everybody, of each person, of two. The coefficients are
 * core/reliability.c's. Never reads a label: upkeep has counted what they say. */
#include "annotate-server/api/agreement.h"

#include <stdlib.h>

#include "annotate-server/api/query.h"
#include "annotate-server/api/statistics.h"
#include "core/reliability.h"

/* Pairs of values of a control that an answer may have; a control with more has no coefficients. */
enum { CELLS_MAX = 2000, OTHERS_CELLS_MAX = 1000 };

#define MILLION 1e6

/* Counted values of one control on their way into coefficients. */
struct tally {
    struct reliability *r;
    bool numbers, bad; /* bad: too many values, so there are no coefficients */
    int64_t cells, pairs, same;
    struct buf confusion;
};

static void tally_begin(struct tally *t, struct str kind)
{
    *t = (struct tally){.r = reliability_new(0, 0), .numbers = str_is(kind, "rating")};
    buf_init(&t->confusion, BUF_MAX_REPLY);
}

static void tally_end(struct tally *t)
{
    reliability_free(t->r);
    buf_release(&t->confusion);
}

/* What somebody said, as they said it; a long text is known by its hash alone. */
static void put_value(struct buf *out, struct str v)
{
    if (v.n && v.p[0] == 's')
        buf_json(out, v);
    else
        buf_str(out, v);
}

/* raters 0: of two people, v is what the first said. */
static void tally_add(struct tally *t, struct str v, struct str w, int64_t raters, int64_t n)
{
    double x = t->numbers ? strtod(v.p, NULL) : 0, y = t->numbers ? strtod(w.p, NULL) : 0;
    enum err e;

    if (raters)
        e = t->numbers ? reliability_add_pairs(t->r, x, y, raters, n)
                       : reliability_add_pairs_text(t->r, v, w, raters, n);
    else
        e = t->numbers ? reliability_add_cohen(t->r, x, y, n)
                       : reliability_add_cohen_text(t->r, v, w, n);
    t->bad = t->bad || e;
    t->cells++;
    t->pairs += n;
    t->same += str_eq(v, w) ? n : 0;
}

static void tally_put(struct tally *t, struct str v, struct str w, int64_t n)
{
    buf_puts(&t->confusion, "{\"a\":");
    put_value(&t->confusion, v);
    buf_puts(&t->confusion, ",\"b\":");
    put_value(&t->confusion, w);
    buf_printf(&t->confusion, ",\"n\":%lld},", (long long)n);
}

static void put_coefficient(struct buf *out, const char *name, bool known, double v)
{
    if (known)
        buf_printf(out, "\"%s\":%.6f", name, v);
    else
        buf_printf(out, "\"%s\":null", name);
}

static void put_alpha(
    struct buf *out, struct tally *t, enum reliability_level level, const char *name)
{
    double v = 0;
    bool known = t->cells && !t->bad && reliability_alpha(t->r, level, &v) == ERR_OK;

    put_coefficient(out, name, known, v);
}

static void put_share(struct buf *out, const char *name, int64_t k, int64_t n)
{
    put_coefficient(out, name, n > 0, n ? (double)k / (double)n : 0);
}

static void put_confusion(struct buf *out, struct tally *t)
{
    buf_chop(&t->confusion, ',');
    buf_puts(out, ",\"confusion\":");
    if (t->bad || t->cells == 0)
        buf_puts(out, "null");
    else
        buf_printf(out, "[%.*s]", STR_FMT(buf_view(&t->confusion)));
}

static bool same_control(const PGresult *res, int a, int b, int col)
{
    return str_eq(db_get_str(res, a, col), db_get_str(res, b, col)) &&
           str_eq(db_get_str(res, a, col + 1), db_get_str(res, b, col + 1));
}

static void put_control(struct buf *out, const PGresult *res, int row, int col)
{
    buf_puts(out, "{\"control\":");
    put_str(out, res, row, col);
    buf_puts(out, ",\"kind\":");
    put_str(out, res, row, col + 1);
}

/* ---- of everybody */

enum {
    COL_CONTROL,
    COL_KIND,
    COL_N,
    COL_UNITS,
    COL_SCORE,
    COL_NUMBERS,
    COL_SPREAD,
    COL_WITHIN,
    COL_RATERS,
    COL_VALUE_A,
    COL_VALUE_B,
    COL_CELL,
    COL_AS_OF
};

/* Numbers are too many to be told apart: their alpha of interval level comes from sums. */
static void put_interval(struct buf *out, const PGresult *res, int row, struct tally *t)
{
    double v = 0;

    if (t->cells) {
        put_alpha(out, t, LEVEL_INTERVAL, "interval");
        return;
    }
    bool known =
        reliability_alpha_of_sums(db_get_float(res, row, COL_NUMBERS),
            db_get_float(res, row, COL_SPREAD), db_get_float(res, row, COL_WITHIN), &v) == ERR_OK;
    put_coefficient(out, "interval", known, v);
}

static bool same_values(const PGresult *res, int a, int b)
{
    return str_eq(db_get_str(res, a, COL_VALUE_A), db_get_str(res, b, COL_VALUE_A)) &&
           str_eq(db_get_str(res, a, COL_VALUE_B), db_get_str(res, b, COL_VALUE_B));
}

/* Two values have a row for each number of raters, side by side. */
static void tally_rows(struct tally *t, const PGresult *res, int row, int end)
{
    for (int next; row < end && !db_is_null(res, row, COL_VALUE_A); row = next) {
        struct str v = db_get_str(res, row, COL_VALUE_A), w = db_get_str(res, row, COL_VALUE_B);
        int64_t sum = 0;
        for (next = row; next < end && same_values(res, row, next); next++) {
            int64_t n = db_get_int(res, next, COL_CELL);
            tally_add(t, v, w, db_get_int(res, next, COL_RATERS), n);
            sum += n;
        }
        tally_put(t, v, w, sum);
    }
}

/* One control, of rows row..end - 1. */
static void put_figures(struct buf *out, const PGresult *res, int row, int end)
{
    int64_t n = db_get_int(res, row, COL_N);
    struct tally t;
    double v = 0;

    tally_begin(&t, db_get_str(res, row, COL_KIND));
    t.bad = end - row > CELLS_MAX;
    tally_rows(&t, res, row, end);
    put_control(out, res, row, COL_CONTROL);
    buf_printf(out, ",\"units\":%lld,\"pairs\":%lld,", (long long)db_get_int(res, row, COL_UNITS),
        (long long)n);
    put_share(out, "agreement", db_get_int(res, row, COL_SCORE), n * (int64_t)MILLION);
    buf_putc(out, ',');
    put_share(out, "observed", t.same, t.bad ? 0 : t.pairs);
    buf_putc(out, ',');
    bool known = t.cells && !t.bad && reliability_fleiss(t.r, &v) == ERR_OK;
    put_coefficient(out, "fleiss", known, v);
    buf_puts(out, ",\"alpha\":{");
    put_alpha(out, &t, LEVEL_NOMINAL, "nominal");
    buf_putc(out, ',');
    put_alpha(out, &t, LEVEL_ORDINAL, "ordinal");
    buf_putc(out, ',');
    put_interval(out, res, row, &t);
    buf_putc(out, '}');
    put_confusion(out, &t);
    buf_puts(out, "},");
    tally_end(&t);
}

static void on_figures(struct req *r, const PGresult *res)
{
    int n = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"controls\":[");
    for (int row = 0, end; row < n; row = end) {
        for (end = row + 1; end < n && same_control(res, row, end, COL_CONTROL);)
            end++;
        put_figures(&out, res, row, end);
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    put_as_of(&out, res, COL_AS_OF);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void agreement_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_agreement_figures, on_figures);

    query_int(q, r->id_arg[0]);
    query_int(q, CELLS_MAX + 1);
    query_run(q);
}

/* ---- of people: a member's rows stand together, a control's among them */

enum { COL_USER, COL_NAME, COL_ROLE, COL_OF };

struct page {
    int64_t limit;
    const char *title;
    int as_of;
    void (*put)(struct buf *out, const PGresult *res, int row, int end); /* of one control */
};

static void put_person(struct buf *out, const PGresult *res, int row, int end, const struct page *p)
{
    buf_puts(out, "{\"user\":");
    put_int(out, res, row, COL_USER);
    buf_puts(out, ",\"name\":");
    put_str(out, res, row, COL_NAME);
    buf_puts(out, ",\"role\":");
    put_str(out, res, row, COL_ROLE);
    buf_puts(out, ",\"controls\":[");
    for (int next; row < end && !db_is_null(res, row, COL_OF); row = next) {
        for (next = row + 1; next < end && same_control(res, row, next, COL_OF);)
            next++;
        p->put(out, res, row, next);
    }
    buf_chop(out, ',');
    buf_puts(out, "]},");
}

static void on_page(struct req *r, const PGresult *res)
{
    const struct page *p = r->user;
    int rows = PQntuples(res), people = 0;
    int64_t user = 0;
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_printf(&out, "{\"%s\":[", p->title);
    for (int row = 0, end; row < rows; row = end, people++) {
        user = db_get_int(res, row, COL_USER);
        for (end = row + 1; end < rows && db_get_int(res, end, COL_USER) == user;)
            end++;
        put_person(&out, res, row, end, p);
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    put_as_of(&out, res, p->as_of);
    buf_putc(&out, ',');
    page_end(&out, people, p->limit, user);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

/* NULL: answered. */
static struct query *page_query(struct req *r, enum statement s, const struct page *kind)
{
    struct page *p = arena_alloc(r->arena, sizeof(*p));
    int64_t after;

    *p = *kind;
    if (!page_params(r, &after, &p->limit))
        return NULL;
    r->user = p;
    struct query *q = query_new(r, s, on_page);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, p->limit);
    return q;
}

static void put_with_all(struct buf *out, const PGresult *res, int row, int end)
{
    enum { N = COL_OF + 2, SCORE };
    int64_t n = db_get_int(res, row, N);

    (void)end; /* one row a control */
    put_control(out, res, row, COL_OF);
    buf_printf(out, ",\"pairs\":%lld,", (long long)n);
    put_share(out, "agreement", db_get_int(res, row, SCORE), n * (int64_t)MILLION);
    buf_puts(out, "},");
}

void agreement_people_handler(struct req *r)
{
    static const struct page page = {.title = "people", .as_of = COL_OF + 4, .put = put_with_all};
    struct query *q = page_query(r, STMT_agreement_people, &page);

    if (q)
        query_run(q);
}

static void put_kappa(
    struct buf *out, struct tally *t, enum kappa_weights weights, const char *name)
{
    double v = 0;
    bool known = t->cells && !t->bad && reliability_cohen(t->r, weights, &v) == ERR_OK;

    put_coefficient(out, name, known, v);
}

/* The first row is of all together. */
static void put_with_other(struct buf *out, const PGresult *res, int row, int end)
{
    enum { VALUE_A = COL_OF + 2, VALUE_B, N, SCORE };
    int64_t n = db_get_int(res, row, N);
    struct tally t;

    tally_begin(&t, db_get_str(res, row, COL_OF + 1));
    t.bad = end - row >= OTHERS_CELLS_MAX;
    for (int i = row + 1; i < end; i++) {
        struct str v = db_get_str(res, i, VALUE_A), w = db_get_str(res, i, VALUE_B);
        tally_add(&t, v, w, 0, db_get_int(res, i, N));
        tally_put(&t, v, w, db_get_int(res, i, N));
    }
    put_control(out, res, row, COL_OF);
    buf_printf(out, ",\"units\":%lld,", (long long)n);
    put_share(out, "agreement", db_get_int(res, row, SCORE), n * (int64_t)MILLION);
    buf_putc(out, ',');
    put_share(out, "observed", t.same, t.bad ? 0 : t.pairs);
    buf_putc(out, ',');
    put_kappa(out, &t, KAPPA_NOMINAL, "kappa");
    buf_putc(out, ',');
    put_kappa(out, &t, KAPPA_QUADRATIC, "kappa_quadratic");
    put_confusion(out, &t);
    buf_puts(out, "},");
    tally_end(&t);
}

void agreement_others_handler(struct req *r)
{
    static const struct page page = {.title = "others", .as_of = COL_OF + 6, .put = put_with_other};
    struct query *q = page_query(r, STMT_agreement_others, &page);

    if (!q)
        return;
    query_int(q, r->id_arg[1]);
    query_int(q, OTHERS_CELLS_MAX);
    query_run(q);
}
