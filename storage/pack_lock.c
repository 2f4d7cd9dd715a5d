/* Owns the lock on a tenant's packs. */
#include "storage/pack_lock.h"

static enum err ask(struct db_sync *db, enum statement s, int64_t tenant, bool *yes)
{
    struct arena *a = arena_new();
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, s, 0, NULL);
    db_int(&c, a, tenant);
    enum err e = db_sync_run(db, &c, &res);
    *yes = !e && db_get_bool(res, 0, 0);
    PQclear(res);
    arena_free(a);
    return e;
}

enum err pack_lock(struct db_sync *db, int64_t tenant, bool *held)
{
    return ask(db, STMT_storage_lock, tenant, held);
}

enum err pack_unlock(struct db_sync *db, int64_t tenant)
{
    bool was_held; /* false: the connection was lost, and the lock with it */

    return ask(db, STMT_storage_unlock, tenant, &was_held);
}
