/* Owns bringing the terms of head labels up to date. Never changes a label or a task. */
#include "workers/upkeep/label_index.h"

#include "base/config.h"
#include "base/log.h"
#include "core/label_terms.h"
#include "storage/pack.h"
#include "workers/upkeep/stale.h"
#include "workers/upkeep/store.h"

/* Columns of label_stale_list. */
enum { COL_TENANT, COL_TASK, COL_STAMP, COL_PROJECT, COL_SHA256, COL_BYTES, COL_PACK, COL_OFF };

/* Parameters of label_stale_apply, in order. */
struct update {
    struct db_array tenants, tasks, stamps, projects, owners, terms;
    int n;
};

static void update_init(struct update *u)
{
    db_array_init(&u->tenants, DB_INT8);
    db_array_init(&u->tasks, DB_INT8);
    db_array_init(&u->stamps, DB_INT8);
    db_array_init(&u->projects, DB_INT8);
    db_array_init(&u->owners, DB_INT4);
    db_array_init(&u->terms, DB_TEXT);
    u->n = 0;
}

static void update_release(struct update *u)
{
    db_array_release(&u->tenants);
    db_array_release(&u->tasks);
    db_array_release(&u->stamps);
    db_array_release(&u->projects);
    db_array_release(&u->owners);
    db_array_release(&u->terms);
}

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

/* The terms of one task's head label. False when it has to wait: storage does not answer. */
static bool read_terms(struct blob_store *blobs, const PGresult *res, int row, struct arena *a,
    struct label_terms *terms)
{
    struct buf text;

    *terms = (struct label_terms){NULL, 0};
    if (db_is_null(res, row, COL_SHA256)) /* the task or its label is gone */
        return true;
    buf_init(&text, BUF_MAX_LABEL);
    enum err e = read_document(blobs, res, row, &text);
    if (!e)
        e = label_terms_read(buf_view(&text), a, terms);
    buf_release(&text);
    if (e && e != ERR_GONE)
        log_error("label_index", "task %lld: %s", (long long)db_get_int(res, row, COL_TASK),
            err_title(e));
    return !e || e == ERR_GONE || e == ERR_CORRUPT || e == ERR_NOT_FOUND || e == ERR_BAD_JSON ||
           e == ERR_RANGE;
}

static void add(struct update *u, const PGresult *res, int row, const struct label_terms *terms)
{
    u->n++;
    db_array_int(&u->tenants, db_get_int(res, row, COL_TENANT));
    db_array_int(&u->tasks, db_get_int(res, row, COL_TASK));
    db_array_int(&u->stamps, db_get_int(res, row, COL_STAMP));
    db_array_int(&u->projects, db_get_int(res, row, COL_PROJECT));
    for (size_t i = 0; i < terms->n; i++) {
        db_array_int(&u->owners, u->n);
        db_array_text(&u->terms, terms->v[i]);
    }
}

static enum err apply(struct db_sync *db, struct update *u, int64_t *rows)
{
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, STMT_label_stale_apply, 0, NULL);
    db_array_bind(&u->tenants, &c);
    db_array_bind(&u->tasks, &c);
    db_array_bind(&u->stamps, &c);
    db_array_bind(&u->projects, &c);
    db_array_bind(&u->owners, &c);
    db_array_bind(&u->terms, &c);
    enum err e = db_sync_run(db, &c, &res);
    *rows = e ? 0 : db_get_int(res, 0, 0);
    PQclear(res);
    return e;
}

static enum err refresh(struct db_sync *db, const PGresult *stale, struct arena *a, int64_t *rows)
{
    struct blob_store *blobs = upkeep_store();
    struct label_terms terms;
    struct update u;

    if (!blobs)
        return ERR_OK; /* the next round tries again */
    update_init(&u);
    for (int row = 0; row < PQntuples(stale); row++)
        if (read_terms(blobs, stale, row, a, &terms))
            add(&u, stale, row, &terms);
    enum err e = u.n ? apply(db, &u, rows) : ERR_OK;
    update_release(&u);
    return e;
}

enum err label_index_run(struct db_sync *db, int64_t n, int64_t *rows)
{
    return stale_run(db, STMT_label_stale_list, n, refresh, rows);
}
