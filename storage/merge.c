/* Owns the merge of small packs. Never moves a document that does not match its hash (I6). */
#include "storage/merge.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "storage/pack.h"
#include "storage/pack_lock.h"

enum {
    MERGED_BYTES = 16 << 20,
    MERGED_PACKS = 1000,
    MERGED_DOCUMENTS = 20000,
    READ_MAX = 2 * MERGED_BYTES,
};

/* Columns of pack_documents. */
enum { COL_LABEL, COL_PACK, COL_OFF, COL_BYTES, COL_SHA256 };

struct source {
    struct pack_id id;
    size_t at, n; /* where it lies in merge.text */
    bool failed;
};

struct merge {
    struct db_sync *db;
    struct blob_store *blobs;
    int64_t tenant;
    struct source *sources; /* by id */
    size_t nsources;
    struct buf text;         /* all of their bytes */
    PGresult *docs;          /* their documents */
    struct pack_item *items; /* those that move, */
    int *rows;               /* and which row each is */
    size_t n;
    struct pack_id pack; /* where they move to */
};

static int by_id(const void *a, const void *b)
{
    return memcmp(
        ((const struct source *)a)->id.b, ((const struct source *)b)->id.b, sizeof(struct pack_id));
}

/* True where the store has answered: another time would be no better. */
static bool is_lost(enum err e)
{
    return e == ERR_NOT_FOUND || e == ERR_CORRUPT || e == ERR_RANGE || e == ERR_FULL;
}

static void fail_source(const struct merge *m, struct source *s, enum err e)
{
    char id[37];

    pack_id_print(s->id, id);
    log_error("pack_merge", "tenant %" PRId64 ", pack %s is left as it is: %s", m->tenant, id,
        err_title(e));
    s->failed = true;
}

static enum err read_sources(struct merge *m, const PGresult *picked)
{
    m->nsources = (size_t)PQntuples(picked);
    m->sources = calloc(m->nsources, sizeof(*m->sources));
    BUG_ON(!m->sources);
    m->tenant = db_get_int(picked, 0, 0);
    for (size_t i = 0; i < m->nsources; i++) {
        struct source *s = &m->sources[i];
        BUG_ON(!pack_id_parse(db_get_str(picked, (int)i, 1), &s->id));
        s->at = m->text.n;
        enum err e = pack_get_all(m->blobs, m->tenant, s->id, &m->text);
        if (e && !is_lost(e))
            return e;
        if (e)
            fail_source(m, s, e);
        s->n = m->text.n - s->at;
    }
    qsort(m->sources, m->nsources, sizeof(*m->sources), by_id);
    return ERR_OK;
}

static void add_ids(const struct merge *m, bool failed, struct db_array *out)
{
    char id[37];

    for (size_t i = 0; i < m->nsources; i++) {
        if (m->sources[i].failed != failed)
            continue;
        pack_id_print(m->sources[i].id, id);
        db_array_text(out, str_of(id));
    }
}

static enum err find_documents(struct merge *m)
{
    struct arena *a = arena_new();
    struct db_array ids;
    struct db_call c;

    db_array_init(&ids, DB_TEXT);
    add_ids(m, false, &ids);
    db_call_init(&c, STMT_pack_documents, 0, NULL);
    db_int(&c, a, m->tenant);
    db_array_bind(&ids, &c);
    enum err e = db_sync_run(m->db, &c, &m->docs);
    db_array_release(&ids);
    arena_free(a);
    return e;
}

static struct source *source_of(const struct merge *m, int row)
{
    struct source key;

    BUG_ON(!pack_id_parse(db_get_str(m->docs, row, COL_PACK), &key.id));
    return bsearch(&key, m->sources, m->nsources, sizeof(key), by_id);
}

/* The document of a row; false when its pack does not hold it. */
static bool document(const struct merge *m, const struct source *s, int row, struct str *doc)
{
    int64_t off = db_get_int(m->docs, row, COL_OFF), bytes = db_get_int(m->docs, row, COL_BYTES);
    struct sha256 sha256;

    if (off < 0 || bytes <= 0 || (uint64_t)off > s->n || (uint64_t)bytes > s->n - (size_t)off)
        return false;
    *doc = (struct str){buf_view(&m->text).p + s->at + off, (size_t)bytes};
    return db_get_bytes(m->docs, row, COL_SHA256, sha256.b, SHA256_LEN) &&
           sha256_eq(sha256_of(*doc), sha256);
}

/* A pack moves whole or not at all, so first all is checked. */
static void choose(struct merge *m)
{
    int n = PQntuples(m->docs);
    struct str doc;

    m->items = calloc((size_t)n + 1, sizeof(*m->items));
    m->rows = calloc((size_t)n + 1, sizeof(*m->rows));
    BUG_ON(!m->items || !m->rows);
    for (int row = 0; row < n; row++) {
        struct source *s = source_of(m, row);
        if (!s->failed && !document(m, s, row, &doc))
            fail_source(m, s, ERR_CORRUPT);
    }
    for (int row = 0; row < n; row++) {
        const struct source *s = source_of(m, row);
        if (s->failed || !document(m, s, row, &doc))
            continue;
        m->rows[m->n] = row;
        m->items[m->n++].doc = doc;
    }
}

/* Parameters of pack_merge_apply from $5 on. */
enum { MOVED_LABEL, MOVED_PACK, MOVED_OFF, OLD_PACKS, FAILED_PACKS, COLUMNS };

static void bind_move(
    const struct merge *m, struct db_call *c, struct arena *a, struct db_array *cols)
{
    char id[37];
    int64_t bytes = 0;

    for (size_t i = 0; i < m->n; i++) {
        db_array_int(&cols[MOVED_LABEL], db_get_int(m->docs, m->rows[i], COL_LABEL));
        db_array_text(&cols[MOVED_PACK], db_get_str(m->docs, m->rows[i], COL_PACK));
        db_array_int(&cols[MOVED_OFF], m->items[i].off);
        bytes += (int64_t)m->items[i].doc.n;
    }
    add_ids(m, false, &cols[OLD_PACKS]);
    add_ids(m, true, &cols[FAILED_PACKS]);
    pack_id_print(m->pack, id);
    db_int(c, a, m->tenant);
    db_text(c, a, str_of(id));
    db_int(c, a, bytes);
    db_int(c, a, (int64_t)m->n);
    for (int i = 0; i < COLUMNS; i++)
        db_array_bind(&cols[i], c);
}

static enum err move_rows(struct merge *m, int64_t *moved)
{
    static const enum db_elem elems[COLUMNS] = {DB_INT8, DB_TEXT, DB_INT8, DB_TEXT, DB_TEXT};
    struct arena *a = arena_new();
    struct db_array cols[COLUMNS];
    struct db_call c;
    PGresult *res = NULL;

    for (int i = 0; i < COLUMNS; i++)
        db_array_init(&cols[i], elems[i]);
    db_call_init(&c, STMT_pack_merge_apply, 0, NULL);
    bind_move(m, &c, a, cols);
    enum err e = db_sync_run(m->db, &c, &res);
    *moved = e ? 0 : db_get_int(res, 0, 0);
    PQclear(res);
    for (int i = 0; i < COLUMNS; i++)
        db_array_release(&cols[i]);
    arena_free(a);
    return e;
}

static enum err write_and_move(struct merge *m)
{
    int64_t moved;
    enum err e = ERR_OK;

    if (m->n)
        e = pack_put(m->blobs, m->tenant, m->items, m->n, &m->pack);
    if (!e)
        e = FAULT("merge.packed");
    if (!e)
        e = move_rows(m, &moved);
    if (!e)
        e = FAULT("merge.applied");
    /* Somebody else was there first. Where the outcome is not known, collection finds it. */
    if (!e && m->n && moved == 0)
        e = pack_remove(m->blobs, m->tenant, m->pack);
    return e;
}

static enum err pick(struct db_sync *db, const struct merge_limits *l, PGresult **picked)
{
    struct arena *a = arena_new();
    struct db_call c;

    db_call_init(&c, STMT_pack_merge_pick, 0, NULL);
    db_int(&c, a, l->packs_min);
    db_int(&c, a, l->age_s);
    db_int(&c, a, MERGED_BYTES);
    db_int(&c, a, MERGED_PACKS);
    db_int(&c, a, MERGED_DOCUMENTS);
    enum err e = db_sync_run(db, &c, picked);
    arena_free(a);
    return e;
}

/* Under the tenant's lock: what is erased meanwhile would be written again. */
static enum err merge_picked(
    struct db_sync *db, struct blob_store *blobs, const PGresult *picked, int64_t *packs)
{
    struct merge m = {.db = db, .blobs = blobs};

    buf_init(&m.text, READ_MAX);
    enum err e = read_sources(&m, picked);
    if (!e)
        e = find_documents(&m);
    if (!e) {
        choose(&m);
        e = write_and_move(&m);
    }
    *packs = e ? 0 : (int64_t)m.nsources;
    PQclear(m.docs);
    buf_release(&m.text);
    free(m.sources);
    free(m.items);
    free(m.rows);
    return e;
}

enum err merge_packs(
    struct db_sync *db, struct blob_store *blobs, const struct merge_limits *l, int64_t *packs)
{
    PGresult *picked = NULL;
    bool held = false;
    enum err e = pick(db, l, &picked);

    *packs = 0;
    if (!e && PQntuples(picked) >= 2)
        e = pack_lock(db, db_get_int(picked, 0, 0), &held);
    if (held) {
        e = merge_picked(db, blobs, picked, packs);
        enum err freed = pack_unlock(db, db_get_int(picked, 0, 0));
        e = e ? e : freed;
    }
    PQclear(picked);
    return e;
}
