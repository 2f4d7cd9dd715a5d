/* Owns the end of uploads. A part's blob goes before its row, and an upload's row goes last, so
 * that whatever interrupts it, the next round finds the rest. */
#include "workers/upkeep/upload_sweep.h"

#include "base/log.h"
#include "storage/upload_key.h"
#include "workers/upkeep/store.h"

static enum err remove_part(int64_t tenant, struct str name)
{
    struct blob_store *blobs = upkeep_store();
    char key[BLOB_KEY_MAX];

    upload_key(tenant, name, key, sizeof(key));
    enum err e = blobs ? blob_remove(blobs, key) : ERR_UNAVAILABLE;
    if (e)
        log_error("upload_sweep", "%s: %s", key, err_title(e));
    return e;
}

struct gone {
    struct db_array tenants, names;
};

static enum err remove_parts(const PGresult *res, struct gone *g)
{
    enum err e = ERR_OK;

    for (int i = 0; i < PQntuples(res) && !e; i++) {
        int64_t tenant = db_get_int(res, i, 0);
        struct str name = db_get_str(res, i, 1);
        e = remove_part(tenant, name);
        if (!e) {
            db_array_int(&g->tenants, tenant);
            db_array_text(&g->names, name);
        }
    }
    return e;
}

/* What was removed is forgotten, even where the next one could not be. */
static enum err forget(struct db_sync *db, struct gone *g)
{
    struct db_call c;
    PGresult *res = NULL;

    if (g->names.n == 0)
        return ERR_OK;
    db_call_init(&c, STMT_upload_litter_forget, 0, NULL);
    db_array_bind(&g->tenants, &c);
    db_array_bind(&g->names, &c);
    enum err e = db_sync_run(db, &c, &res);
    PQclear(res);
    return e;
}

static enum err ask(struct db_sync *db, enum statement s, int64_t most, PGresult **res)
{
    struct arena *a = arena_new();
    struct db_call c;

    db_call_init(&c, s, 0, NULL);
    db_int(&c, a, most);
    enum err e = db_sync_run(db, &c, res);
    arena_free(a);
    return e;
}

enum err upload_sweep_run(struct db_sync *db, int64_t most, int64_t *rows)
{
    struct gone g;
    PGresult *res = NULL;
    enum err e = ask(db, STMT_upload_expire, most, &res);

    *rows = e ? 0 : db_get_int(res, 0, 0);
    PQclear(res);
    res = NULL;
    if (e || (e = ask(db, STMT_upload_litter, most, &res))) {
        PQclear(res);
        return e;
    }
    db_array_init(&g.tenants, DB_INT8);
    db_array_init(&g.names, DB_TEXT);
    e = remove_parts(res, &g);
    *rows += g.names.n;
    enum err forgotten = forget(db, &g);
    db_array_release(&g.tenants);
    db_array_release(&g.names);
    PQclear(res);
    return e ? e : forgotten;
}
