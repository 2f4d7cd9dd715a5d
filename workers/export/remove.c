/* Owns the end of deleted releases: their items a part at a time, then the row. Never touches a
 * label or its content. */
#include "workers/export/remove.h"

enum { PART = 5000 };

enum err remove_next(struct db_sync *db, bool *did)
{
    struct arena *a = arena_new();
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, STMT_release_delete_next, 0, NULL);
    db_int(&c, a, PART);
    enum err e = db_sync_run(db, &c, &res);
    *did = !e && db_get_int(res, 0, 0) > 0;
    PQclear(res);
    arena_free(a);
    return e;
}
