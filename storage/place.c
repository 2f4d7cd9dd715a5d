/* Owns the kept places of walks. Never reads the storage. */
#include "storage/place.h"

enum err place_get(struct db_sync *db, const char *name, struct buf *place)
{
    struct arena *a = arena_new();
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, STMT_storage_place, 0, NULL);
    db_text(&c, a, str_of(name));
    enum err e = db_sync_run(db, &c, &res);
    if (!e && PQntuples(res))
        buf_str(place, db_get_str(res, 0, 0));
    PQclear(res);
    arena_free(a);
    return e ? e : buf_err(place);
}

enum err place_set(struct db_sync *db, const char *name, const struct buf *place)
{
    struct arena *a = arena_new();
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, STMT_storage_place_set, 0, NULL);
    db_text(&c, a, str_of(name));
    db_text(&c, a, buf_view(place));
    enum err e = db_sync_run(db, &c, &res);
    PQclear(res);
    arena_free(a);
    return e;
}
