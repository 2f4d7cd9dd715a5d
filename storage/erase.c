/* Owns taking documents out of packs. Never touches a byte of a document that was not erased. */
#include "storage/erase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"

enum {
    OBJECTS = 200,        /* of a listing */
    STEP_BYTES = 32 << 20 /* then the others have their turn */
};

/* True where the store has answered: there is nothing to erase, now or later. */
static bool is_lost(enum err e)
{
    return e == ERR_NOT_FOUND || e == ERR_CORRUPT || e == ERR_FULL;
}

static void blank(struct buf *text, int64_t off, int64_t bytes)
{
    int64_t left = (int64_t)text->n - off;

    if (off >= 0 && bytes > 0 && left > 0)
        memset(text->p + off, ' ', (size_t)(bytes < left ? bytes : left));
}

enum err erase_places(struct blob_store *s, int64_t tenant, struct pack_id id,
    const struct erase_place *places, size_t n)
{
    struct buf text;

    buf_init(&text, BUF_MAX_PACK);
    enum err e = n ? pack_get_all(s, tenant, id, &text) : ERR_NOT_FOUND;
    for (size_t i = 0; !e && i < n; i++)
        blank(&text, places[i].off, places[i].bytes);
    if (!e)
        e = pack_replace(s, tenant, id, buf_view(&text));
    buf_release(&text);
    return is_lost(e) ? ERR_OK : e ? e : FAULT("erase.blanked");
}

/* ---- copies */

/* A pack of a listing. */
struct found {
    struct pack_id id;
    int64_t stored;
    char key[BLOB_KEY_MAX + 1];
};

struct page {
    struct found packs[OBJECTS];
    size_t n;
    int listed;
    char last[BLOB_KEY_MAX + 1];
};

/* "packs/<tenant>/<aa>/<32 hex>" */
static bool key_id(const char *key, struct pack_id *id)
{
    const char *hex = strrchr(key, '/');
    char text[37];

    if (!hex || strlen(++hex) != 2 * sizeof(id->b))
        return false;
    snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
        hex + 20);
    return pack_id_parse(str_of(text), id);
}

static void take_entry(void *arg, const struct blob_entry *entry)
{
    struct page *p = arg;
    struct found *f = &p->packs[p->n];

    p->listed++;
    snprintf(p->last, sizeof(p->last), "%s", entry->key);
    if (!key_id(entry->key, &f->id))
        return;
    snprintf(f->key, sizeof(f->key), "%s", entry->key);
    f->stored = entry->modified;
    p->n++;
}

/* The next document of a pack from *at on: a JSON array. What is no document is passed over. */
static bool next_document(struct str text, size_t *at, struct str *doc)
{
    const char *from = *at < text.n ? memchr(text.p + *at, '[', text.n - *at) : NULL;
    bool quoted = false;
    int depth = 0;

    for (size_t i = from ? (size_t)(from - text.p) : text.n; i < text.n; i++) {
        char c = text.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            depth++;
        else if (!quoted && (c == ']' || c == '}') && --depth == 0) {
            *doc = (struct str){from, (size_t)(text.p + i + 1 - from)};
            *at = i + 1;
            return true;
        }
    }
    return false;
}

/* Which of a pack's documents were erased; the answer's numbers begin with 1. */
static enum err ask_known(struct erase_walk *w, struct db_array *hashes, PGresult **known)
{
    struct arena *a = arena_new();
    struct db_call c;

    db_call_init(&c, STMT_erasure_known, 0, NULL);
    db_int(&c, a, w->tenant);
    db_array_bind(hashes, &c);
    enum err e = db_sync_run(w->db, &c, known);
    arena_free(a);
    return e;
}

static enum err find_erased(struct erase_walk *w, struct str text, PGresult **known)
{
    struct db_array hashes;
    struct str doc;

    db_array_init(&hashes, DB_BYTEA);
    for (size_t at = 0; next_document(text, &at, &doc);) {
        struct sha256 h = sha256_of(doc);
        db_array_text(&hashes, (struct str){(const char *)h.b, SHA256_LEN});
    }
    enum err e = ask_known(w, &hashes, known);
    db_array_release(&hashes);
    return e;
}

/* Columns of pack_documents. */
enum { PLACE_OFF = 2, PLACE_BYTES };

/* Where rows say that documents lie in a pack that is alive. */
static enum err ask_places(struct erase_walk *w, const struct found *f, PGresult **places)
{
    struct arena *a = arena_new();
    struct db_array ids;
    struct db_call c;
    char id[37];

    pack_id_print(f->id, id);
    db_array_init(&ids, DB_TEXT);
    db_array_text(&ids, str_of(id));
    db_call_init(&c, STMT_pack_documents, 0, NULL);
    db_int(&c, a, w->tenant);
    db_array_bind(&ids, &c);
    enum err e = db_sync_run(w->db, &c, places);
    db_array_release(&ids);
    arena_free(a);
    return e;
}

/* Another version of the same words, which was not erased. */
static bool is_named(const PGresult *places, int64_t off, int64_t bytes)
{
    for (int row = 0; places && row < PQntuples(places); row++) {
        int64_t from = db_get_int(places, row, PLACE_OFF);
        if (from < off + bytes && off < from + db_get_int(places, row, PLACE_BYTES))
            return true;
    }
    return false;
}

/* How many it has overwritten. */
static int64_t blank_known(struct buf *text, const PGresult *known, const PGresult *places)
{
    struct str doc;
    int64_t nth = 0, blanked = 0;
    int row = 0, n = PQntuples(known);

    for (size_t at = 0; row < n && next_document(buf_view(text), &at, &doc);) {
        if (++nth != db_get_int(known, row, 0))
            continue;
        row++;
        if (is_named(places, (int64_t)(at - doc.n), (int64_t)doc.n))
            continue;
        blank(text, (int64_t)(at - doc.n), (int64_t)doc.n);
        blanked++;
    }
    return blanked;
}

/* A pack that may hold copies. */
struct suspect {
    const struct found *pack;
    bool in_use, alive;
};

static enum err blank_copies(
    struct erase_walk *w, const struct suspect *s, const PGresult *known, struct buf *text)
{
    PGresult *places = NULL;
    enum err e = s->alive ? ask_places(w, s->pack, &places) : ERR_OK;
    int64_t n = e ? 0 : blank_known(text, known, places);

    if (n && s->in_use) {
        w->wait = true;
    } else if (n) {
        e = pack_replace(w->blobs, w->tenant, s->pack->id, buf_view(text));
        w->found += e ? 0 : n;
        if (!e)
            e = FAULT("erase.copied");
    }
    PQclear(places);
    return e;
}

static enum err look_into(struct erase_walk *w, const struct suspect *s, struct buf *text)
{
    PGresult *known = NULL;
    enum err e = pack_get_all(w->blobs, w->tenant, s->pack->id, text);

    if (is_lost(e))
        return ERR_OK; /* collected meanwhile, or none of ours */
    if (!e)
        e = find_erased(w, buf_view(text), &known);
    if (!e && PQntuples(known))
        e = blank_copies(w, s, known, text);
    PQclear(known);
    return e;
}

static enum err ask_suspects(struct erase_walk *w, const struct page *p, PGresult **suspects)
{
    struct arena *a = arena_new();
    struct db_array ids, stored;
    struct db_call c;
    char id[37];

    db_array_init(&ids, DB_TEXT);
    db_array_init(&stored, DB_INT8);
    for (size_t i = 0; i < p->n; i++) {
        pack_id_print(p->packs[i].id, id);
        db_array_text(&ids, str_of(id));
        db_array_int(&stored, p->packs[i].stored);
    }
    db_call_init(&c, STMT_erasure_suspects, 0, NULL);
    db_int(&c, a, w->tenant);
    db_array_bind(&ids, &c);
    db_array_bind(&stored, &c);
    enum err e = db_sync_run(w->db, &c, suspects);
    db_array_release(&ids);
    db_array_release(&stored);
    arena_free(a);
    return e;
}

static void move_to(struct buf *place, const char *key)
{
    buf_clear(place);
    buf_puts(place, key);
}

static enum err look_at_page(struct erase_walk *w, const struct page *p, struct buf *place)
{
    PGresult *suspects = NULL;
    struct buf text;
    size_t bytes = 0;
    enum err e = ask_suspects(w, p, &suspects);
    int row = 0, n = e ? 0 : PQntuples(suspects);

    buf_init(&text, BUF_MAX_PACK);
    for (; !e && !w->wait && row < n && bytes < STEP_BYTES; row++) {
        const struct suspect s = {&p->packs[db_get_int(suspects, row, 0) - 1],
            db_get_bool(suspects, row, 1), db_get_bool(suspects, row, 2)};
        buf_clear(&text);
        e = look_into(w, &s, &text);
        bytes += text.n;
        if (!e && !w->wait)
            move_to(place, s.pack->key);
    }
    if (!e && !w->wait && row == n)
        move_to(place, p->listed == OBJECTS ? p->last : "");
    buf_release(&text);
    PQclear(suspects);
    return e;
}

enum err erase_copies(struct erase_walk *w, struct buf *place)
{
    struct page *p = calloc(1, sizeof(*p));
    char prefix[64], after[BLOB_KEY_MAX + 1];

    BUG_ON(!p);
    snprintf(prefix, sizeof(prefix), "packs/%" PRId64, w->tenant);
    snprintf(after, sizeof(after), "%.*s", STR_FMT(buf_view(place)));
    w->wait = false;
    enum err e = blob_list(w->blobs, prefix, *after ? after : NULL, OBJECTS, take_entry, p);
    if (!e)
        e = look_at_page(w, p, place);
    else if (e == ERR_NOT_IMPLEMENTED)
        buf_clear(place);
    free(p);
    return e == ERR_NOT_IMPLEMENTED ? ERR_OK : e;
}
