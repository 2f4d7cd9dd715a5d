/* Owns hashing the storage again. Never changes an object. */
#include "storage/scrub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "storage/pack.h"

/* Columns of pack_documents. */
enum { COL_LABEL, COL_PACK, COL_OFF, COL_BYTES, COL_SHA256 };

static const char no_pack[] = "00000000-0000-0000-0000-000000000000";

/* What one step says of the objects of one kind and tenant. */
struct notes {
    const char *kind;
    int64_t tenant;
    struct db_array good, bad, what;
};

static void notes_init(struct notes *n, const char *kind, int64_t tenant)
{
    *n = (struct notes){.kind = kind, .tenant = tenant};
    db_array_init(&n->good, DB_TEXT);
    db_array_init(&n->bad, DB_TEXT);
    db_array_init(&n->what, DB_TEXT);
}

static void notes_release(struct notes *n)
{
    db_array_release(&n->good);
    db_array_release(&n->bad);
    db_array_release(&n->what);
}

/* True: the store has answered, and this is what it said of the object. */
static bool note(struct notes *n, struct str id, enum err e)
{
    const char *what = e == ERR_NOT_FOUND ? "missing" : "corrupt";

    if (e && e != ERR_NOT_FOUND && e != ERR_CORRUPT && e != ERR_RANGE && e != ERR_FULL)
        return false;
    if (!e) {
        db_array_text(&n->good, id);
        return true;
    }
    log_error("scrub", "tenant %" PRId64 ", %s %.*s is %s", n->tenant, n->kind, STR_FMT(id), what);
    db_array_text(&n->bad, id);
    db_array_text(&n->what, str_of(what));
    return true;
}

static enum err keep(struct scrub *s, struct notes *n, struct str pack)
{
    struct arena *a = arena_new();
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, STMT_scrub_note, 0, NULL);
    db_int(&c, a, n->tenant);
    db_text(&c, a, str_of(n->kind));
    db_array_bind(&n->good, &c);
    db_array_bind(&n->bad, &c);
    db_array_bind(&n->what, &c);
    if (pack.n)
        db_text(&c, a, pack);
    else
        db_null(&c);
    enum err e = db_sync_run(s->db, &c, &res);
    if (!e)
        s->findings += db_get_int(res, 0, 0);
    PQclear(res);
    arena_free(a);
    return e;
}

void scrub_init(struct scrub *s, struct db_sync *db, struct blob_store *blobs, struct str place)
{
    *s = (struct scrub){.db = db, .blobs = blobs};
    buf_init(&s->place, 4096);
    buf_str(&s->place, place);
}

static void forget_hash(struct scrub *s)
{
    if (s->hash)
        (void)sha256_end(s->hash);
    s->hash = NULL;
    s->off = 0;
}

void scrub_release(struct scrub *s)
{
    forget_hash(s);
    buf_release(&s->place);
}

/* "pack TENANT ID" or "asset TENANT SHA256": what was hashed last. */
struct place {
    bool media;
    int64_t tenant;
    struct str id;
};

static struct place place_parse(struct str text)
{
    struct place p = {false, 0, str_of(no_pack)};
    struct str kind, tenant;

    if (!str_split(&text, ' ', &kind) || !str_split(&text, ' ', &tenant) ||
        !str_int(tenant, &p.tenant))
        return (struct place){false, 0, str_of(no_pack)};
    p.media = str_is(kind, "asset");
    p.id = text;
    return p;
}

/* The row behind a place; no row: it was the last. */
static enum err next_row(
    struct scrub *s, enum statement stmt, const struct place *p, PGresult **row)
{
    struct arena *a = arena_new();
    struct db_call c;

    db_call_init(&c, stmt, 0, NULL);
    db_int(&c, a, p->tenant);
    db_text(&c, a, p->id);
    enum err e = db_sync_run(s->db, &c, row);
    arena_free(a);
    return e;
}

/* ---- labels */

static enum err documents_of(struct scrub *s, int64_t tenant, struct str pack, PGresult **docs)
{
    struct arena *a = arena_new();
    struct db_array ids;
    struct db_call c;

    db_array_init(&ids, DB_TEXT);
    db_array_text(&ids, pack);
    db_call_init(&c, STMT_pack_documents, 0, NULL);
    db_int(&c, a, tenant);
    db_array_bind(&ids, &c);
    enum err e = db_sync_run(s->db, &c, docs);
    db_array_release(&ids);
    arena_free(a);
    return e;
}

static enum err hash_documents(
    struct scrub *s, struct notes *n, struct str pack, const PGresult *docs, int64_t *read)
{
    struct buf text;
    struct pack_id id;
    struct sha256 sha256;
    enum err e = ERR_OK;

    BUG_ON(!pack_id_parse(pack, &id));
    buf_init(&text, BUF_MAX_LABEL);
    for (int row = 0; !e && row < PQntuples(docs); row++) {
        int64_t bytes = db_get_int(docs, row, COL_BYTES);
        buf_clear(&text);
        e = ERR_CORRUPT;
        if (db_get_bytes(docs, row, COL_SHA256, sha256.b, SHA256_LEN))
            e = pack_get(
                s->blobs, n->tenant, id, db_get_int(docs, row, COL_OFF), bytes, sha256, &text);
        if (note(n, db_get_str(docs, row, COL_LABEL), e))
            e = ERR_OK;
        *read += bytes;
        s->labels++;
    }
    buf_release(&text);
    return e;
}

static enum err hash_pack(struct scrub *s, const PGresult *row, int64_t *read)
{
    struct notes n;
    struct str pack = db_get_str(row, 0, 1);
    PGresult *docs = NULL;

    notes_init(&n, "label", db_get_int(row, 0, 0));
    enum err e = documents_of(s, n.tenant, pack, &docs);
    if (!e)
        e = hash_documents(s, &n, pack, docs, read);
    if (!e)
        e = keep(s, &n, pack);
    if (!e) {
        buf_clear(&s->place);
        buf_printf(&s->place, "pack %" PRId64 " %.*s", n.tenant, STR_FMT(pack));
    }
    PQclear(docs);
    notes_release(&n);
    return e;
}

/* ---- media */

/* Adds the next part to the hash; *over: that was all of it. */
static enum err hash_part(
    struct scrub *s, const char *key, int64_t bytes, int64_t *read, bool *over)
{
    struct buf part;
    int64_t n = bytes - s->off < SCRUB_STEP ? bytes - s->off : SCRUB_STEP, stored;
    enum err e = ERR_OK;

    if (!s->hash) {
        e = blob_size(s->blobs, key, &stored);
        if (!e && stored != bytes)
            e = ERR_CORRUPT;
        if (e)
            return e;
        s->hash = sha256_new();
    }
    buf_init(&part, SCRUB_STEP);
    if (n)
        e = blob_get(s->blobs, key, s->off, n, NULL, &part);
    if (!e) {
        sha256_add(s->hash, buf_view(&part).p, part.n);
        s->off += n;
        *read += n;
        *over = s->off == bytes;
    }
    buf_release(&part);
    return e;
}

static enum err hash_media(struct scrub *s, const PGresult *row, int64_t *read)
{
    int64_t tenant = db_get_int(row, 0, 0);
    char key[BLOB_KEY_MAX], hex[SHA256_HEX + 1];
    struct sha256 sha256, got;
    struct notes n;
    bool over = false;

    BUG_ON(!db_get_bytes(row, 0, 1, sha256.b, SHA256_LEN));
    if (tenant != s->media_tenant || !sha256_eq(sha256, s->media_id))
        forget_hash(s); /* what came meanwhile is before what was begun */
    s->media_tenant = tenant;
    s->media_id = sha256;
    blob_asset_key(tenant, sha256, key, sizeof(key));
    sha256_hex(sha256, hex);
    enum err e = hash_part(s, key, db_get_int(row, 0, 2), read, &over);
    if (!e && !over)
        return ERR_OK;
    if (!e) {
        got = sha256_end(s->hash);
        s->hash = NULL;
        e = sha256_eq(got, sha256) ? ERR_OK : ERR_CORRUPT;
    }
    notes_init(&n, "asset", tenant);
    if (note(&n, str_of(hex), e)) { /* else it goes on here the next time */
        forget_hash(s);
        e = keep(s, &n, (struct str){NULL, 0});
    }
    notes_release(&n);
    if (!e) {
        s->media++;
        buf_clear(&s->place);
        buf_printf(&s->place, "asset %" PRId64 " %s", tenant, hex);
    }
    return e;
}

/* ---- the walk */

static enum err media_step(struct scrub *s, const struct place *p, int64_t *read)
{
    PGresult *row = NULL;
    enum err e = next_row(s, STMT_scrub_next_asset, p, &row);

    if (!e && PQntuples(row))
        e = hash_media(s, row, read);
    else if (!e)
        buf_clear(&s->place);
    PQclear(row);
    return e;
}

enum err scrub_step(struct scrub *s, int64_t *read)
{
    struct place p = place_parse(buf_view(&s->place));
    PGresult *row = NULL;
    enum err e;

    *read = 0;
    if (p.media) {
        e = media_step(s, &p, read);
    } else {
        e = next_row(s, STMT_scrub_next_pack, &p, &row);
        if (!e && PQntuples(row))
            e = hash_pack(s, row, read);
        else if (!e)
            e = media_step(s, &(struct place){true, 0, STR("")}, read);
        PQclear(row);
    }
    s->bytes += *read;
    return e;
}
