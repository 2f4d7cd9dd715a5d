/* Owns the end of exports. The rows are locked while their bytes go, so that whoever orders the
 * same meanwhile waits and gets it made anew, never a row without bytes. */
#include "workers/upkeep/export_expire.h"

#include "base/log.h"
#include "storage/export_key.h"
#include "workers/upkeep/store.h"

/* Columns of export_job_stale. */
enum { COL_TENANT, COL_ID, COL_ATTEMPT };

/* How many of the first rows have lost their bytes. */
static int remove_bytes(const PGresult *stale)
{
    struct blob_store *blobs = upkeep_store();
    char key[BLOB_KEY_MAX];
    int row = 0;

    for (; blobs && row < PQntuples(stale); row++) {
        export_key(db_get_int(stale, row, COL_TENANT), db_get_int(stale, row, COL_ID),
            db_get_int(stale, row, COL_ATTEMPT), key, sizeof(key));
        enum err e = blob_remove(blobs, key);
        if (e) {
            log_error("export_expire", "%s: %s", key, err_title(e));
            break;
        }
    }
    return row;
}

static enum err forget(struct db_sync *db, const PGresult *stale, int n, int64_t *rows)
{
    struct db_array tenants, ids;
    struct db_call c;
    PGresult *res = NULL;

    db_array_init(&tenants, DB_INT8);
    db_array_init(&ids, DB_INT8);
    for (int row = 0; row < n; row++) {
        db_array_int(&tenants, db_get_int(stale, row, COL_TENANT));
        db_array_int(&ids, db_get_int(stale, row, COL_ID));
    }
    db_call_init(&c, STMT_export_job_expire, 0, NULL);
    db_array_bind(&tenants, &c);
    db_array_bind(&ids, &c);
    enum err e = db_sync_run(db, &c, &res);
    *rows = e ? 0 : PQntuples(res);
    PQclear(res);
    db_array_release(&tenants);
    db_array_release(&ids);
    return e;
}

static enum err expire(struct db_sync *db, struct arena *a, int64_t n, int64_t *rows)
{
    struct db_call c;
    PGresult *stale = NULL;

    db_call_init(&c, STMT_export_job_stale, 0, NULL);
    db_int(&c, a, n);
    enum err e = db_sync_run(db, &c, &stale);
    if (!e && PQntuples(stale)) {
        int gone = remove_bytes(stale);
        if (gone)
            e = forget(db, stale, gone, rows);
    }
    PQclear(stale);
    return e;
}

enum err export_expire_run(struct db_sync *db, int64_t n, int64_t *rows)
{
    struct arena *a = arena_new();
    enum err e = db_sync_exec(db, "BEGIN");

    *rows = 0;
    if (!e)
        e = expire(db, a, n, rows);
    enum err over = db_sync_exec(db, e ? "ROLLBACK" : "COMMIT");
    arena_free(a);
    return e ? e : over;
}
