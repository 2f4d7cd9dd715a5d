/* Owns `annotate storage copy`: every object that the database refers to, from one blob storage to
 * another. Never writes one whose bytes are not what its rows say, and never takes one for there
 * before it has read it there (I6). What was copied before is passed over, so it may be stopped and
 * run again. */
#include <inttypes.h>
#include <stdio.h>

#include "base/process.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/storage.h"
#include "io/db.h"
#include "storage/pack.h"

enum { PIECE = 4 << 20 };

struct copying {
    struct blob_store from, to;
    struct db_sync *db;
    struct arena *arena; /* of a page */
    struct progress progress;
    int64_t objects, copied, present, failed, bytes;
};

static enum err run(struct copying *c, struct db_call *call, PGresult **out)
{
    enum err e = db_sync_run(c->db, call, out);

    if (e) {
        PQclear(*out);
        *out = NULL;
    }
    return e;
}

/* ---- packs */

/* Columns of pack_documents. */
enum { DOCUMENT_OFF = 2, DOCUMENT_BYTES = 3, DOCUMENT_SHA256 = 4 };

static bool document_is_whole(const PGresult *documents, int row, struct str pack)
{
    int64_t off = db_get_int(documents, row, DOCUMENT_OFF);
    int64_t n = db_get_int(documents, row, DOCUMENT_BYTES);
    struct sha256 want;

    if (off < 0 || n < 0 || (uint64_t)off > pack.n || (uint64_t)n > pack.n - (uint64_t)off ||
        !db_get_bytes(documents, row, DOCUMENT_SHA256, want.b, SHA256_LEN))
        return false;
    return sha256_eq(sha256_of((struct str){pack.p + off, (size_t)n}), want);
}

/* Reads a pack and holds all of its documents against their hashes: they say whether it is whole.
 */
static enum err read_pack(
    struct blob_store *s, const char *key, const PGresult *documents, struct buf *out)
{
    enum err e = blob_get(s, key, 0, 0, NULL, out);

    if (e)
        return e;
    for (int i = 0; i < PQntuples(documents); i++)
        if (!document_is_whole(documents, i, buf_view(out)))
            return ERR_CORRUPT;
    return ERR_OK;
}

static enum err move_pack(struct copying *c, const char *key, const PGresult *documents)
{
    struct buf pack;
    enum err e;

    buf_init(&pack, BUF_MAX_PACK);
    e = read_pack(&c->to, key, documents, &pack);
    if (!e) {
        c->present++;
    } else if (e == ERR_NOT_FOUND || e == ERR_CORRUPT || e == ERR_FULL) {
        buf_clear(&pack);
        e = read_pack(&c->from, key, documents, &pack);
        struct str all = buf_view(&pack);
        if (!e)
            e = blob_put(&c->to, key, &all, 1);
        if (!e) {
            c->copied++;
            c->bytes += (int64_t)all.n;
        } else if (e == ERR_NOT_FOUND && PQntuples(documents) == 0) {
            e = ERR_OK; /* merged into another, and about to be forgotten */
        }
    }
    buf_release(&pack);
    return e;
}

static enum err copy_pack(struct copying *c, const PGresult *page, int row)
{
    int64_t tenant = db_get_int(page, row, 0);
    struct db_call call;
    struct db_array ids;
    struct pack_id id;
    PGresult *documents = NULL;
    char key[BLOB_KEY_MAX];
    enum err e;

    if (!pack_id_parse(db_get_str(page, row, 1), &id))
        return ERR_CORRUPT;
    pack_key(tenant, id, key, sizeof(key));
    db_call_init(&call, STMT_pack_documents, 0, NULL);
    db_int(&call, c->arena, tenant);
    db_array_init(&ids, DB_TEXT);
    db_array_text(&ids, db_get_str(page, row, 1));
    db_array_bind(&ids, &call);
    e = run(c, &call, &documents);
    if (!e)
        e = move_pack(c, key, documents);
    db_array_release(&ids);
    PQclear(documents);
    return e;
}

/* ---- media */

/* Reads all of it in pieces; each goes to `upload`, if there is one. */
static enum err read_asset(struct blob_store *s, const char *key, int64_t bytes,
    struct blob_upload *upload, struct sha256 *hash)
{
    struct sha256_ctx *sum = sha256_new();
    struct buf piece;
    enum err e = ERR_OK;

    buf_init(&piece, PIECE);
    for (int64_t off = 0; !e && off < bytes;) {
        int64_t n = bytes - off < PIECE ? bytes - off : PIECE;
        buf_clear(&piece);
        e = blob_get(s, key, off, n, NULL, &piece);
        if (e)
            break;
        sha256_add(sum, piece.p, piece.n);
        if (upload)
            e = blob_upload_write(upload, piece.p, piece.n);
        off += n;
    }
    buf_release(&piece);
    *hash = sha256_end(sum);
    return e;
}

static bool asset_is_there(struct copying *c, const char *key, int64_t bytes, struct sha256 want)
{
    struct sha256 hash;
    int64_t there = -1;

    return blob_size(&c->to, key, &there) == ERR_OK && there == bytes &&
           read_asset(&c->to, key, bytes, NULL, &hash) == ERR_OK && sha256_eq(hash, want);
}

static enum err copy_asset(struct copying *c, const PGresult *page, int row)
{
    int64_t tenant = db_get_int(page, row, 0), bytes = db_get_int(page, row, 2);
    struct blob_upload *upload;
    struct sha256 want, hash;
    char key[BLOB_KEY_MAX];
    enum err e;

    if (!sha256_parse(db_get_str(page, row, 1), &want))
        return ERR_CORRUPT;
    blob_asset_key(tenant, want, key, sizeof(key));
    if (asset_is_there(c, key, bytes, want)) {
        c->present++;
        return ERR_OK;
    }
    if ((e = blob_upload_begin(&c->to, &upload)))
        return e;
    if ((e = read_asset(&c->from, key, bytes, upload, &hash))) {
        blob_upload_abort(upload);
        return e;
    }
    e = blob_upload_commit_as(upload, key, want);
    if (!e) {
        c->copied++;
        c->bytes += bytes;
    }
    return e;
}

/* ---- all of it */

static const struct {
    const char *name, *first; /* before any id */
    enum statement page;
    /* One of a page, unless it is there. ERR_CORRUPT: the source is not what it should be. */
    enum err (*copy)(struct copying *c, const PGresult *page, int row);
} kinds[] = {
    {"pack", "00000000-0000-0000-0000-000000000000", STMT_copy_packs, copy_pack},
    {"media", "", STMT_copy_assets, copy_asset},
};

/* What is missing or wrong in the source is told and passed over: the rest is worth copying. */
static enum err settle(
    struct copying *c, const char *kind, const PGresult *page, int row, enum err e)
{
    if (e == ERR_OK || (e != ERR_NOT_FOUND && e != ERR_CORRUPT && e != ERR_RANGE))
        return e;
    fprintf(stderr, "tenant %" PRId64 ": %s %.*s: %s\n", db_get_int(page, row, 0), kind,
        STR_FMT(db_get_str(page, row, 1)),
        e == ERR_NOT_FOUND ? "is missing" : "is not what was stored");
    c->failed++;
    return ERR_OK;
}

static enum err copy_page(struct copying *c, size_t kind, int64_t *tenant, char *id, size_t size)
{
    struct db_call call;
    PGresult *page = NULL;
    enum err e;

    db_call_init(&call, kinds[kind].page, 0, NULL);
    db_int(&call, c->arena, *tenant);
    db_text(&call, c->arena, str_of(id));
    e = run(c, &call, &page);
    int n = e ? 0 : PQntuples(page);
    for (int i = 0; i < n && !e && !process_stopping(); i++) {
        e = settle(c, kinds[kind].name, page, i, kinds[kind].copy(c, page, i));
        progress_show(&c->progress, ++c->objects, -1);
    }
    if (n) {
        *tenant = db_get_int(page, n - 1, 0);
        snprintf(id, size, "%.*s", STR_FMT(db_get_str(page, n - 1, 1)));
    } else {
        id[0] = '\0';
    }
    PQclear(page);
    return e;
}

static enum err copy_kind(struct copying *c, size_t kind)
{
    char id[SHA256_HEX + 1];
    int64_t tenant = 0;
    enum err e;

    snprintf(id, sizeof(id), "%s", kinds[kind].first);
    do {
        c->arena = arena_new();
        e = copy_page(c, kind, &tenant, id, sizeof(id));
        arena_free(c->arena);
    } while (!e && id[0] && !process_stopping());
    return e;
}

static int copy_all(struct copying *c)
{
    enum err e = ERR_OK;

    process_catch_stop();
    progress_begin(&c->progress, "objects", -1);
    for (size_t i = 0; i < ARRAY_LEN(kinds) && !e && !process_stopping(); i++)
        e = copy_kind(c, i);
    progress_end(&c->progress, c->objects);
    printf("{\"objects\":%" PRId64 ",\"copied\":%" PRId64 ",\"present\":%" PRId64
           ",\"failed\":%" PRId64 ",\"bytes\":%" PRId64 "}\n",
        c->objects, c->copied, c->present, c->failed, c->bytes);
    if (e)
        return fail("the copy ended early: %s; run it again to go on.", err_title(e));
    if (process_stopping())
        return fail("stopped; run it again to go on.");
    return c->failed ? fail("%" PRId64 " objects could not be copied.", c->failed) : 0;
}

static bool open_store(struct blob_store *s, const char *option, const char *spec)
{
    if (blob_open(s, spec) == ERR_OK)
        return true;
    fail("the blob storage of --%s cannot be opened.", option);
    return false;
}

int storage_copy(int argc, char **argv)
{
    const char *from = NULL, *to = NULL;
    const struct opt opts[] = {
        {"from", .text = &from, .required = true}, {"to", .text = &to, .required = true}};
    struct copying c = {0};
    int status = 1;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (str_eq(str_of(from), str_of(to)))
        return misuse("storage", "--from and --to are the same.");
    if (open_store(&c.from, "from", from) && open_store(&c.to, "to", to) &&
        storage_open(NULL, &c.db))
        status = copy_all(&c);
    storage_close(NULL, c.db);
    blob_close(&c.to);
    blob_close(&c.from);
    return status;
}
