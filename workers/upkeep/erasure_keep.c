/* Owns the order of the steps by which content is erased. Never erases what no order names. What
 * must not be read any more goes first (rows, versions), then its bytes: in packs, media, copies.
 */
#include "workers/upkeep/erasure_keep.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "storage/erase.h"
#include "storage/pack_lock.h"
#include "workers/upkeep/store.h"

enum {
    ROWS = 1000,
    LABELS = 1000,
    TASKS = 2000,
    MEDIA = 100,
    SETTLE_S = 15, /* whoever may still write for what was taken out of use has ended then */
    WAIT_S = 30,   /* for who is at work with a pack */
    RETRY_S = 10,
    ROUND_US = 1000000,
};

/* Columns of erasure_begin. */
enum { COL_STEP, COL_PLACE, COL_TASK, COL_USER, COL_DRY_RUN, COL_YOUNG };

struct order {
    struct db_sync *db;
    struct blob_store *blobs;
    struct arena *arena; /* of the step */
    int64_t tenant, id;
    bool is_task, dry_run, young;
    /* Where it stands; a step sets what comes next, the same step for more of it. */
    const char *step;
    struct buf place;
    int64_t delay_s;
};

static struct db_call call_of(struct order *o, enum statement s)
{
    struct db_call c;

    db_call_init(&c, s, 0, NULL);
    db_int(&c, o->arena, o->tenant);
    db_int(&c, o->arena, o->id);
    return c;
}

static enum err run(struct order *o, struct db_call *c)
{
    PGresult *res = NULL;
    enum err e = db_sync_run(o->db, c, &res);

    PQclear(res);
    return e;
}

static void go_to(struct order *o, const char *step)
{
    o->step = step;
    buf_clear(&o->place);
}

static int64_t place_id(const struct order *o)
{
    int64_t id;

    return str_int(buf_view(&o->place), &id) ? id : 0;
}

static void place_at(struct order *o, int64_t id)
{
    buf_clear(&o->place);
    buf_int(&o->place, id);
}

/* ---- rows and versions */

static enum err take_rows(struct order *o, bool *more)
{
    struct db_call c = call_of(o, STMT_erasure_rows);
    PGresult *res = NULL;

    db_int(&c, o->arena, ROWS);
    enum err e = db_sync_run(o->db, &c, &res);
    *more = !e && PQntuples(res) && db_get_bool(res, 0, 0);
    PQclear(res);
    return e;
}

static enum err rows_step(struct order *o)
{
    bool more;
    enum err e = take_rows(o, &more);

    if (!e && !more)
        go_to(o, "labels");
    return e;
}

/* The versions of a step of the walk. */
struct versions {
    int64_t *ids, last, kept; /* last: 0 when that was all */
    size_t n;
};

static enum err find_versions(struct order *o, int64_t after, struct versions *v)
{
    struct db_call c = call_of(o, STMT_erasure_labels);
    PGresult *res = NULL;

    db_int(&c, o->arena, after);
    db_int(&c, o->arena, LABELS);
    enum err e = db_sync_run(o->db, &c, &res);
    *v = (struct versions){.n = 0};
    if (!e) {
        v->last = db_get_int(res, 0, 0);
        v->n = db_get_ints(res, 0, 1, o->arena, &v->ids);
        v->kept = db_get_int(res, 0, 2);
    }
    PQclear(res);
    return e;
}

static enum err count_versions(struct order *o, int64_t n, int64_t kept)
{
    struct db_call c = call_of(o, STMT_erasure_labels_count);

    db_int(&c, o->arena, n);
    db_int(&c, o->arena, kept);
    return run(o, &c);
}

static enum err mark(struct order *o, const struct versions *v)
{
    struct db_call c = call_of(o, STMT_erasure_mark);
    struct db_array ids;

    db_array_init(&ids, DB_INT8);
    for (size_t i = 0; i < v->n; i++)
        db_array_int(&ids, v->ids[i]);
    db_array_bind(&ids, &c);
    enum err e = run(o, &c);
    db_array_release(&ids);
    return e ? e : FAULT("erase.marked");
}

static enum err labels_step(struct order *o)
{
    struct versions v;
    enum err e = find_versions(o, place_id(o), &v);

    if (!e && v.n && !o->dry_run)
        e = mark(o, &v);
    if (!e && (o->dry_run || v.kept))
        e = count_versions(o, o->dry_run ? (int64_t)v.n : 0, v.kept);
    if (e)
        return e;
    if (v.last) {
        place_at(o, v.last);
        return ERR_OK;
    }
    go_to(o, o->dry_run ? (o->is_task ? "media" : "end") : "packs");
    /* A person's label may be about to become another version, where it lies, on a task that goes
     * on: then it stays for that one. */
    o->delay_s = o->is_task || o->dry_run ? 0 : SETTLE_S;
    return ERR_OK;
}

/* ---- the bytes in packs */

static enum err erase_pack(struct order *o, const PGresult *res)
{
    int n = PQntuples(res);
    struct erase_place *places = arena_array(o->arena, (size_t)n, sizeof(*places));
    struct pack_id id;
    size_t used = 0;

    BUG_ON(!pack_id_parse(db_get_str(res, 0, 0), &id));
    for (int row = 0; row < n; row++)
        if (!db_get_bool(res, row, 3)) /* else it is another's, too */
            places[used++] = (struct erase_place){db_get_int(res, row, 1), db_get_int(res, row, 2)};
    enum err e = erase_places(o->blobs, o->tenant, id, places, used);
    if (e)
        return e;
    struct db_call c = call_of(o, STMT_erasure_pack_done);
    db_text(&c, o->arena, db_get_str(res, 0, 0));
    return run(o, &c);
}

static enum err packs_step(struct order *o)
{
    struct db_call c = call_of(o, STMT_erasure_pack);
    PGresult *res = NULL;
    enum err e = db_sync_run(o->db, &c, &res);

    if (!e && PQntuples(res))
        e = erase_pack(o, res);
    else if (!e)
        go_to(o, o->is_task ? "media" : "copies");
    PQclear(res);
    return e;
}

/* ---- media */

/* A walk serves all orders that wait for one. *media: any of them has named media. */
static enum err lead(struct order *o, bool *media)
{
    struct db_call c = call_of(o, STMT_erasure_lead);
    PGresult *res = NULL;

    db_text(&c, o->arena, str_of(o->step));
    enum err e = db_sync_run(o->db, &c, &res);
    *media = false;
    for (int row = 0; !e && row < PQntuples(res); row++)
        *media = *media || db_get_bool(res, row, 0);
    PQclear(res);
    return e;
}

static enum err media_step(struct order *o)
{
    bool any = true;
    int64_t last = 0;
    enum err e = o->place.n == 0 ? lead(o, &any) : ERR_OK;

    if (!e && any) {
        struct db_call c = call_of(o, STMT_erasure_media_look);
        PGresult *res = NULL;
        db_int(&c, o->arena, place_id(o));
        db_int(&c, o->arena, TASKS);
        e = db_sync_run(o->db, &c, &res);
        last = e ? 0 : db_get_int(res, 0, 0);
        PQclear(res);
    }
    if (!e && last)
        place_at(o, last);
    else if (!e)
        go_to(o, "objects");
    return e;
}

/* Where the store can tell, what was stored anew since `before` stays: it is somebody else's. */
static enum err remove_media(struct order *o, struct str hex, int64_t before, bool *removed)
{
    struct sha256 hash;
    char key[BLOB_KEY_MAX];

    *removed = true;
    BUG_ON(!sha256_parse(hex, &hash));
    blob_asset_key(o->tenant, hash, key, sizeof(key));
    enum err e = blob_remove_older(o->blobs, key, before, removed);
    if (e == ERR_NOT_IMPLEMENTED)
        e = blob_remove(o->blobs, key);
    if (e || *removed)
        return e ? e : FAULT("erase.removed");
    int64_t bytes; /* not there, or of this very second: then the next time */
    e = blob_size(o->blobs, key, &bytes);
    *removed = e == ERR_NOT_FOUND;
    return *removed ? ERR_OK : e;
}

static enum err remove_all(struct order *o, const PGresult *res, int64_t before)
{
    struct db_call c = call_of(o, STMT_erasure_media_gone);
    struct db_array gone;
    bool removed;
    enum err e = FAULT("erase.taken");

    db_array_init(&gone, DB_TEXT);
    for (int row = 0; !e && row < PQntuples(res); row++) {
        e = remove_media(o, db_get_str(res, row, 0), before, &removed);
        if (!e && removed)
            db_array_text(&gone, db_get_str(res, row, 0));
    }
    o->delay_s = gone.n < PQntuples(res);
    db_array_bind(&gone, &c);
    enum err noted = run(o, &c);
    db_array_release(&gone);
    return e ? e : noted;
}

static enum err objects_step(struct order *o)
{
    struct db_call c = call_of(o, STMT_erasure_media_take);
    PGresult *res = NULL;
    int64_t before = clock_unix();

    db_int(&c, o->arena, MEDIA);
    enum err e = db_sync_run(o->db, &c, &res);
    if (!e && PQntuples(res))
        e = remove_all(o, res, before);
    else if (!e)
        go_to(o, o->dry_run ? "end" : "copies");
    PQclear(res);
    return e;
}

/* ---- copies, and the end */

static enum err copies_step(struct order *o)
{
    struct erase_walk w = {.db = o->db, .blobs = o->blobs, .tenant = o->tenant};
    bool unused;
    enum err e = o->place.n == 0 ? lead(o, &unused) : ERR_OK;

    if (!e)
        e = erase_copies(&w, &o->place);
    if (!e && w.wait)
        o->delay_s = WAIT_S;
    else if (!e && o->place.n == 0)
        go_to(o, o->is_task ? "settle" : "end");
    return e;
}

/* A draft or a label that was under way when the task was archived is there now. */
static enum err settle_step(struct order *o)
{
    struct versions v;
    bool more;

    if (o->young) {
        o->delay_s = 1;
        return ERR_OK;
    }
    enum err e = take_rows(o, &more);
    if (!e)
        e = find_versions(o, 0, &v);
    if (!e)
        go_to(o, more ? "rows" : v.n || v.last ? "labels" : "end");
    return e;
}

static const struct {
    const char *name;
    enum err (*run)(struct order *o);
} steps[] = {{"rows", rows_step}, {"labels", labels_step}, {"packs", packs_step},
    {"media", media_step}, {"objects", objects_step}, {"copies", copies_step},
    {"settle", settle_step}};

/* ---- an order's turn */

static bool is_storage(enum err e)
{
    return e == ERR_IO || e == ERR_CORRUPT || e == ERR_FULL || e == ERR_NOT_FOUND;
}

static enum err keep_step(struct order *o)
{
    struct db_call c = call_of(o, STMT_erasure_step);

    db_text(&c, o->arena, str_of(o->step));
    db_text(&c, o->arena, buf_view(&o->place));
    db_int(&c, o->arena, o->delay_s);
    enum err e = run(o, &c);
    if (!e && strcmp(o->step, "end") == 0)
        log_info("erasure", "order %lld of tenant %lld is carried out", (long long)o->id,
            (long long)o->tenant);
    return e;
}

static enum err run_step(struct order *o, const PGresult *res)
{
    size_t i = 0;

    o->is_task = !db_is_null(res, 0, COL_TASK);
    o->dry_run = db_get_bool(res, 0, COL_DRY_RUN);
    o->young = db_get_bool(res, 0, COL_YOUNG);
    buf_str(&o->place, db_get_str(res, 0, COL_PLACE));
    while (i < ARRAY_LEN(steps) && !str_is(db_get_str(res, 0, COL_STEP), steps[i].name))
        i++;
    BUG_ON(i == ARRAY_LEN(steps));
    o->step = steps[i].name;
    enum err e = steps[i].run(o);
    if (is_storage(e)) {
        log_error("erasure", "order %lld of tenant %lld, step %s: %s; again in %d s",
            (long long)o->id, (long long)o->tenant, steps[i].name, err_title(e), RETRY_S);
        o->step = steps[i].name;
        buf_clear(&o->place);
        buf_str(&o->place, db_get_str(res, 0, COL_PLACE));
        o->delay_s = RETRY_S;
        e = ERR_OK;
    }
    return e ? e : keep_step(o);
}

/* Under the lock. */
static enum err take_turn(struct order *o)
{
    struct db_call c = call_of(o, STMT_erasure_begin);
    PGresult *res = NULL;
    enum err e = db_sync_run(o->db, &c, &res);

    buf_init(&o->place, BUF_MAX_LINE);
    if (!e && PQntuples(res)) /* else another worker was here */
        e = run_step(o, res);
    buf_release(&o->place);
    PQclear(res);
    return e;
}

/* *did: a step of the order that is due longest. */
static enum err next_turn(struct db_sync *db, struct blob_store *blobs, bool *did)
{
    struct order o = {.db = db, .blobs = blobs, .arena = arena_new()};
    struct db_call c;
    PGresult *res = NULL;

    *did = false;
    db_call_init(&c, STMT_erasure_next, 0, NULL);
    enum err e = db_sync_run(db, &c, &res);
    if (!e && PQntuples(res)) {
        o.tenant = db_get_int(res, 0, 0);
        o.id = db_get_int(res, 0, 1);
        e = pack_lock(db, o.tenant, did);
    }
    if (*did) {
        e = take_turn(&o);
        enum err freed = pack_unlock(db, o.tenant);
        e = e ? e : freed;
    }
    PQclear(res);
    arena_free(o.arena);
    return e;
}

enum err erasure_keep_run(struct db_sync *db, int64_t most, int64_t *rows)
{
    struct blob_store *blobs = upkeep_store();
    bool did = true;
    enum err e = ERR_OK;

    *rows = 0;
    if (!blobs)
        return ERR_OK; /* it has said why */
    int64_t until_us = clock_mono_us() + ROUND_US;
    while (!e && did && *rows < most && clock_mono_us() < until_us) {
        e = next_turn(db, blobs, &did);
        *rows += !e && did;
    }
    return e;
}
