/* Owns the reading of a round's list. Never knows what is stale about its rows. */
#include "workers/upkeep/stale.h"

enum err stale_run(struct db_sync *db, enum statement list, int64_t n,
    enum err (*mend)(struct db_sync *db, const PGresult *stale, struct arena *a, int64_t *rows),
    int64_t *rows)
{
    struct arena *a = arena_new();
    struct db_call c;
    PGresult *stale = NULL;

    *rows = 0;
    db_call_init(&c, list, 0, NULL);
    db_int(&c, a, n);
    enum err e = db_sync_run(db, &c, &stale);
    if (!e && PQntuples(stale))
        e = mend(db, stale, a, rows);
    PQclear(stale);
    arena_free(a);
    return e;
}
