/* Owns bringing a project's agreement up to date with the submissions of its tasks. Never changes a
 * label or a task. */
#include "workers/upkeep/agreement_keep.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "core/coding.h"
#include "storage/pack.h"
#include "workers/upkeep/stale.h"
#include "workers/upkeep/store.h"

enum { ROUND_US = 1000000 }; /* then the other duties have their turn: what is left waits */

/* Columns of agreement_stale_list. */
enum {
    COL_TENANT,
    COL_TASK,
    COL_STAMP,
    COL_PROJECT,
    COL_AUTHOR,
    COL_SHA256,
    COL_BYTES,
    COL_PACK,
    COL_OFF
};

/* Parameters of agreement_stale_apply, in order: four of a task, twelve of a pair. */
enum column {
    T_TENANT,
    T_TASK,
    T_STAMP,
    T_PROJECT,
    P_ORD,
    P_CONTROL,
    P_KIND,
    P_A,
    P_B,
    P_RATERS,
    P_UNITS,
    P_SCORE,
    P_VALUE_A,
    P_VALUE_B,
    P_NUMBER_A,
    P_NUMBER_B,
    COLUMNS
};

static const enum db_elem elems[COLUMNS] = {DB_INT8, DB_INT8, DB_INT8, DB_INT8, DB_INT4, DB_TEXT,
    DB_TEXT, DB_INT8, DB_INT8, DB_INT4, DB_INT4, DB_INT8, DB_TEXT, DB_TEXT, DB_FLOAT8, DB_FLOAT8};

struct keeping {
    struct blob_store *blobs;
    struct db_array cols[COLUMNS];
    int tasks;
};

static void put_int(struct keeping *k, enum column c, int64_t v)
{
    db_array_int(&k->cols[c], v);
}

static void put_number(struct keeping *k, enum column c, const struct coding *p, double v)
{
    if (p->numbers)
        db_array_float(&k->cols[c], v);
    else
        db_array_null(&k->cols[c]);
}

static void put_pair(struct keeping *k, const struct coding *p, const int64_t *authors)
{
    put_int(k, P_ORD, k->tasks);
    db_array_text(&k->cols[P_CONTROL], p->control);
    db_array_text(&k->cols[P_KIND], str_of(p->kind));
    put_int(k, P_A, authors[p->a]);
    put_int(k, P_B, authors[p->b]);
    put_int(k, P_RATERS, p->raters);
    put_int(k, P_UNITS, p->first);
    put_int(k, P_SCORE, p->score);
    db_array_text(&k->cols[P_VALUE_A], p->value_a);
    db_array_text(&k->cols[P_VALUE_B], p->value_b);
    put_number(k, P_NUMBER_A, p, p->number_a);
    put_number(k, P_NUMBER_B, p, p->number_b);
}

/* The submissions of one task. */
struct submissions {
    struct buf text[AGREEMENT_DOCS];
    struct str docs[AGREEMENT_DOCS];
    int64_t authors[AGREEMENT_DOCS];
    size_t n;
};

static enum err read_document(
    struct blob_store *blobs, const PGresult *res, int row, struct buf *out)
{
    struct sha256 sha256;
    struct pack_id pack;

    if (!db_get_bytes(res, row, COL_SHA256, sha256.b, SHA256_LEN) ||
        !pack_id_parse(db_get_str(res, row, COL_PACK), &pack))
        return ERR_CORRUPT;
    return pack_get(blobs, db_get_int(res, row, COL_TENANT), pack, db_get_int(res, row, COL_OFF),
        db_get_int(res, row, COL_BYTES), sha256, out);
}

/* False when the task has to wait: storage does not answer. */
static bool read_submissions(
    struct keeping *k, const PGresult *res, int row, int end, struct submissions *s)
{
    for (; row < end && s->n < AGREEMENT_DOCS; row++) {
        struct buf *text = &s->text[s->n];
        if (db_is_null(res, row, COL_SHA256) || db_is_null(res, row, COL_AUTHOR))
            continue;
        buf_clear(text);
        enum err e = read_document(k->blobs, res, row, text);
        if (e && e != ERR_GONE)
            log_error("agreement_keep", "task %lld: %s", (long long)db_get_int(res, row, COL_TASK),
                err_title(e));
        if (e && e != ERR_GONE && e != ERR_CORRUPT && e != ERR_NOT_FOUND && e != ERR_RANGE)
            return false;
        if (e)
            continue;
        s->docs[s->n] = buf_view(text);
        s->authors[s->n++] = db_get_int(res, row, COL_AUTHOR);
    }
    return true;
}

/* One task, of rows row..end - 1. A task that is gone, or that one person alone has done, gives
 * nothing, and takes back what it gave. */
static void add_task(struct keeping *k, const PGresult *res, int row, int end,
    struct submissions *s, struct arena *a)
{
    struct coding *pairs = NULL;
    size_t n = 0;

    s->n = 0;
    if (!read_submissions(k, res, row, end, s))
        return;
    if (coding_read(s->docs, s->n, a, &pairs, &n))
        log_error("agreement_keep", "task %lld: its submissions cannot be compared",
            (long long)db_get_int(res, row, COL_TASK));
    k->tasks++;
    for (enum column c = T_TENANT; c <= T_PROJECT; c++)
        put_int(k, c, db_get_int(res, row, (int)c));
    for (size_t i = 0; i < n; i++)
        put_pair(k, &pairs[i], s->authors);
}

static enum err apply(struct db_sync *db, struct keeping *k, int64_t *rows)
{
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, STMT_agreement_stale_apply, 0, NULL);
    for (int i = 0; i < COLUMNS; i++)
        db_array_bind(&k->cols[i], &c);
    enum err e = db_sync_run(db, &c, &res);
    *rows = e ? 0 : db_get_int(res, 0, 0);
    PQclear(res);
    return e;
}

static enum err compare_all(struct db_sync *db, const PGresult *res, struct arena *a, int64_t *rows)
{
    struct submissions s = {.n = 0};
    struct keeping k = {.blobs = upkeep_store()};
    int n = PQntuples(res);

    if (!k.blobs)
        return ERR_OK; /* the next round tries again */
    for (int i = 0; i < COLUMNS; i++)
        db_array_init(&k.cols[i], elems[i]);
    for (int i = 0; i < AGREEMENT_DOCS; i++)
        buf_init(&s.text[i], BUF_MAX_LABEL);
    int64_t until_us = clock_mono_us() + ROUND_US;
    for (int row = 0, end; row < n && clock_mono_us() < until_us; row = end) {
        for (end = row + 1;
             end < n && db_get_int(res, end, COL_TASK) == db_get_int(res, row, COL_TASK);)
            end++;
        add_task(&k, res, row, end, &s, a);
    }
    enum err e = k.tasks ? apply(db, &k, rows) : ERR_OK;
    for (int i = 0; i < AGREEMENT_DOCS; i++)
        buf_release(&s.text[i]);
    for (int i = 0; i < COLUMNS; i++)
        db_array_release(&k.cols[i]);
    return e;
}

enum err agreement_keep_run(struct db_sync *db, int64_t n, int64_t *rows)
{
    return stale_run(db, STMT_agreement_stale_list, n, compare_all, rows);
}
