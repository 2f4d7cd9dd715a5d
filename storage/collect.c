/* Owns garbage collection. Never removes an object that has a row, or that is younger than the
 * grace period. */
#include "storage/collect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "storage/pack.h"

/* The kinds of objects that are looked at, in the order of the walk. */
enum kind { KIND_MEDIA, KIND_PACKS, KINDS };
static const char *const prefixes[KINDS] = {"assets", "packs"};

/* An object of a listing that is old enough. */
struct object {
    int64_t tenant, bytes, stored;
    char id[SHA256_HEX + 1]; /* what follows the last '/' of its key */
};

struct page {
    struct object objects[COLLECT_OBJECTS];
    size_t n;
    int listed;
    int64_t before; /* stored before this second */
    size_t id_len;
    char last[BLOB_KEY_MAX + 1];
};

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdef", s.p[i]))
            return false;
    return true;
}

/* KIND/<tenant>/<aa>/<id>, exactly as we write them: anything else is not ours to judge. */
static bool parse_key(const char *key, size_t id_len, struct object *o)
{
    struct str rest = str_of(key), kind, tenant, part, id;

    if (!str_split(&rest, '/', &kind) || !str_split(&rest, '/', &tenant) ||
        !str_split(&rest, '/', &part) || !str_split(&rest, '/', &id) || rest.n || part.n != 2 ||
        id.n != id_len || !is_hex(id) || !str_starts(id, part) || !str_int(tenant, &o->tenant))
        return false;
    snprintf(o->id, sizeof(o->id), "%.*s", STR_FMT(id));
    return true;
}

static void take_entry(void *arg, const struct blob_entry *e)
{
    struct page *p = arg;
    struct object *o = &p->objects[p->n];

    p->listed++;
    snprintf(p->last, sizeof(p->last), "%s", e->key);
    if (e->modified >= p->before || !parse_key(e->key, p->id_len, o))
        return;
    o->bytes = e->bytes;
    o->stored = e->modified;
    p->n++;
}

/* ---- packs */

enum { SEEN_TENANT, SEEN_ID, SEEN_STORED, SEEN_BYTES, SEEN_COLUMNS };

static enum err look_at_packs(struct collect *c, const struct page *p, struct collected *sum)
{
    static const enum db_elem elems[SEEN_COLUMNS] = {DB_INT8, DB_TEXT, DB_INT8, DB_INT8};
    struct db_array cols[SEEN_COLUMNS];
    struct arena *a = arena_new();
    struct db_call call;
    PGresult *res = NULL;

    for (int i = 0; i < SEEN_COLUMNS; i++)
        db_array_init(&cols[i], elems[i]);
    for (size_t i = 0; i < p->n; i++) {
        db_array_int(&cols[SEEN_TENANT], p->objects[i].tenant);
        db_array_text(&cols[SEEN_ID], str_of(p->objects[i].id));
        db_array_int(&cols[SEEN_STORED], p->objects[i].stored);
        db_array_int(&cols[SEEN_BYTES], p->objects[i].bytes);
    }
    db_call_init(&call, STMT_pack_seen, 0, NULL);
    for (int i = SEEN_TENANT; i <= SEEN_STORED; i++)
        db_array_bind(&cols[i], &call);
    db_int(&call, a, c->grace_s);
    db_bool(&call, c->dry_run);
    db_array_bind(&cols[SEEN_BYTES], &call);
    enum err e = db_sync_run(c->db, &call, &res);
    if (!e) {
        sum->packs += db_get_int(res, 0, 0) + db_get_int(res, 0, 1);
        sum->bytes += db_get_int(res, 0, 2);
    }
    PQclear(res);
    for (int i = 0; i < SEEN_COLUMNS; i++)
        db_array_release(&cols[i]);
    arena_free(a);
    return e ? e : FAULT("collect.marked");
}

/* ---- media */

static enum err remove_media(
    struct collect *c, const struct page *p, const struct object *o, struct collected *sum)
{
    struct sha256 hash;
    char key[BLOB_KEY_MAX];
    bool removed = c->blobs->backend->remove_older != NULL;

    BUG_ON(!sha256_parse(str_of(o->id), &hash));
    blob_asset_key(o->tenant, hash, key, sizeof(key));
    if (!c->dry_run) {
        enum err e = blob_remove_older(c->blobs, key, p->before, &removed);
        if (e && e != ERR_NOT_IMPLEMENTED) /* then media stay, and the walk goes on to packs */
            return e;
    }
    sum->media += removed;
    sum->bytes += removed ? o->bytes : 0;
    return ERR_OK;
}

static enum err look_at_media(struct collect *c, const struct page *p, struct collected *sum)
{
    struct db_array tenants, hashes;
    struct db_call call;
    PGresult *res = NULL;

    db_array_init(&tenants, DB_INT8);
    db_array_init(&hashes, DB_TEXT);
    for (size_t i = 0; i < p->n; i++) {
        db_array_int(&tenants, p->objects[i].tenant);
        db_array_text(&hashes, str_of(p->objects[i].id));
    }
    db_call_init(&call, STMT_asset_unknown, 0, NULL);
    db_array_bind(&tenants, &call);
    db_array_bind(&hashes, &call);
    enum err e = db_sync_run(c->db, &call, &res);
    for (int i = 0; !e && i < PQntuples(res); i++)
        e = remove_media(c, p, &p->objects[db_get_int(res, i, 0) - 1], sum);
    PQclear(res);
    db_array_release(&tenants);
    db_array_release(&hashes);
    return e;
}

/* ---- the walk */

static enum kind kind_of(struct str place)
{
    return str_starts(place, str_of(prefixes[KIND_PACKS])) ? KIND_PACKS : KIND_MEDIA;
}

/* The place is the last key that was looked at, or the prefix of a kind that is begun. */
static void move_on(struct buf *place, enum kind kind, const struct page *p)
{
    buf_clear(place);
    if (p->listed == COLLECT_OBJECTS)
        buf_add(place, p->last, strlen(p->last));
    else if (kind + 1 < KINDS)
        buf_add(place, prefixes[kind + 1], strlen(prefixes[kind + 1]));
}

enum err collect_walk(struct collect *c, struct buf *place, struct collected *sum)
{
    struct page *p = calloc(1, sizeof(*p));
    char after[BLOB_KEY_MAX + 1];
    enum kind kind = kind_of(buf_view(place));

    BUG_ON(!p);
    snprintf(after, sizeof(after), "%.*s", STR_FMT(buf_view(place)));
    p->before = clock_unix() - c->grace_s + (c->grace_s == 0);
    p->id_len = kind == KIND_PACKS ? 2 * sizeof(struct pack_id) : (size_t)SHA256_HEX;
    enum err e = blob_list(c->blobs, prefixes[kind], strchr(after, '/') ? after : NULL,
        COLLECT_OBJECTS, take_entry, p);
    if (!e && p->n)
        e = kind == KIND_PACKS ? look_at_packs(c, p, sum) : look_at_media(c, p, sum);
    if (!e) {
        sum->seen += p->listed;
        move_on(place, kind, p);
    }
    free(p);
    return e;
}

/* ---- what is dead goes */

static enum err count_dead(struct collect *c, struct db_call *call, struct collected *sum)
{
    PGresult *res = NULL;
    enum err e = db_sync_run(c->db, call, &res);

    if (!e) {
        sum->packs += db_get_int(res, 0, 0);
        sum->bytes += db_get_int(res, 0, 1);
        sum->waiting = db_get_int(res, 0, 2) - db_get_int(res, 0, 0);
    }
    PQclear(res);
    return e;
}

/* The object before its row, so that no object is left without one. */
static enum err remove_packs(struct collect *c, const PGresult *due, int64_t *n)
{
    struct db_array tenants, ids;
    struct db_call call;
    PGresult *res = NULL;
    enum err e = ERR_OK;

    db_array_init(&tenants, DB_INT8);
    db_array_init(&ids, DB_TEXT);
    for (int i = 0; !e && i < PQntuples(due); i++) {
        struct pack_id id;
        int64_t tenant = db_get_int(due, i, 0);
        BUG_ON(!pack_id_parse(db_get_str(due, i, 1), &id));
        e = pack_remove(c->blobs, tenant, id);
        if (e)
            break;
        db_array_int(&tenants, tenant);
        db_array_text(&ids, db_get_str(due, i, 1));
        ++*n;
    }
    enum err at = FAULT("collect.removed");
    db_call_init(&call, STMT_pack_forget, 0, NULL);
    db_array_bind(&tenants, &call);
    db_array_bind(&ids, &call);
    enum err forgot = at ? at : db_sync_run(c->db, &call, &res);
    PQclear(res);
    db_array_release(&tenants);
    db_array_release(&ids);
    return e ? e : forgot;
}

enum err collect_dead(struct collect *c, struct collected *sum, int64_t *n)
{
    struct arena *a = arena_new();
    struct db_call call;
    PGresult *due = NULL;

    *n = 0;
    db_call_init(&call, c->dry_run ? STMT_pack_dead_count : STMT_pack_dead_claim, 0, NULL);
    db_int(&call, a, c->grace_s);
    if (c->dry_run) {
        enum err counted = count_dead(c, &call, sum);
        arena_free(a);
        return counted;
    }
    db_int(&call, a, COLLECT_OBJECTS);
    enum err e = db_sync_run(c->db, &call, &due);
    if (!e)
        e = FAULT("collect.claimed");
    if (!e && PQntuples(due))
        e = remove_packs(c, due, n);
    sum->removed += *n;
    PQclear(due);
    arena_free(a);
    return e;
}
