/* Owns making an export: pages of items, their documents, the format's bytes into one object.
 * Memory is one page of rows and one document, whatever the release's size (I9). The bytes follow
 * from the release and the options, so an attempt that ended in the middle is simply made anew; an
 * attempt has an object of its own, so that a late one harms no other. */
#include "workers/export/job.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/process.h"
#include "formats/export_row.h"
#include "formats/exporter.h"
#include "storage/export_key.h"
#include "storage/pack.h"

enum { PAGE_ITEMS = 200, BEAT_US = 2000000 };

/* Columns of export_job_next. */
enum {
    COL_TENANT,
    COL_ID,
    COL_RELEASE,
    COL_FORMAT,
    COL_CONTAINER,
    COL_MEDIA,
    COL_LABELLED,
    COL_ATTEMPT,
    COL_STATE,
    COL_NAME,
    COL_ROOT,
    COL_CONFIG,
    COL_ITEMS
};

struct job {
    struct db_sync *db;
    const PGresult *row; /* of export_job_next */
    int64_t tenant, id, release, attempt;
    struct blob_store blobs;
    void *upload; /* NULL: not begun, or consumed */
    struct label_config *config;
    struct exporter exporter;
    bool begun;      /* the exporter */
    struct buf text; /* a label's document */
    int64_t after, done, beat_us;
    char why[LABEL_CONFIG_WHY];
};

/* ---- the row */

static struct db_call call_of(const struct job *j, struct arena *a, enum statement s)
{
    struct db_call c;

    db_call_init(&c, s, 0, NULL);
    db_int(&c, a, j->tenant);
    db_int(&c, a, j->id);
    db_int(&c, a, j->attempt);
    db_int(&c, a, j->done);
    return c;
}

/* ERR_CONFLICT: the job is no longer ours. */
static enum err run(struct job *j, struct db_call *c)
{
    PGresult *res = NULL;
    enum err e = db_sync_run(j->db, c, &res);

    if (!e && PQntuples(res) != 1)
        e = ERR_CONFLICT;
    PQclear(res);
    return e;
}

/* Says now and then that we live and how far we are. */
static enum err beat(struct job *j)
{
    int64_t now = clock_mono_us();

    if (process_stopping())
        return ERR_UNAVAILABLE;
    if (now < j->beat_us + BEAT_US)
        return ERR_OK;
    j->beat_us = now;
    struct arena *a = arena_new();
    struct db_call c = call_of(j, a, STMT_export_job_step);
    enum err e = run(j, &c);
    arena_free(a);
    return e;
}

static enum err end(struct job *j, const char *why)
{
    const struct exporter *x = &j->exporter;
    struct arena *a = arena_new();
    struct db_call c = call_of(j, a, STMT_export_job_end);

    if (why) {
        db_null(&c);
        db_null(&c);
        db_text(&c, a, str_of(why));
    } else {
        db_int(&c, a, x->bytes);
        db_bytes(&c, x->sha256.b, SHA256_LEN);
        db_null(&c);
    }
    enum err e = run(j, &c);
    arena_free(a);
    return e;
}

/* ---- the bytes */

static enum err write_bytes(void *arg, struct str bytes)
{
    struct job *j = arg;
    enum err e = beat(j);

    return e ? e : j->blobs.backend->put_write(&j->blobs, j->upload, bytes.p, bytes.n);
}

static enum err read_media(
    void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out)
{
    struct job *j = arg;
    char key[BLOB_KEY_MAX];

    blob_asset_key(j->tenant, asset->sha256, key, sizeof(key));
    return blob_get(&j->blobs, key, off, (int64_t)n, NULL, out);
}

static enum err pump(struct job *j)
{
    bool idle = false;
    enum err e = ERR_OK;

    while (!e && !idle)
        e = exporter_pump(&j->exporter, &idle);
    return e;
}

static enum err read_label(struct job *j, const PGresult *page, int row)
{
    struct sha256 sha;
    struct pack_id pack;
    int col = EXPORT_ROW_SHA;

    if (!db_get_bytes(page, row, col, sha.b, SHA256_LEN) ||
        !pack_id_parse(db_get_str(page, row, col + 2), &pack))
        return ERR_CORRUPT;
    buf_clear(&j->text);
    return pack_get(&j->blobs, j->tenant, pack, db_get_int(page, row, col + 3),
        db_get_int(page, row, col + 1), sha, &j->text);
}

static enum err write_item(struct job *j, const PGresult *page, int row)
{
    struct arena *a = arena_new();
    struct export_item item;
    enum err e = beat(j);

    if (!e)
        e = FAULT("export.item");
    if (!e)
        e = read_label(j, page, row);
    bool erased = e == ERR_GONE;
    if (!e || erased)
        e = export_row_read(page, row, buf_view(&j->text), a, &item);
    if (!e && erased)
        exporter_erased(&j->exporter);
    else if (!e)
        e = exporter_item(&j->exporter, &item);
    if (!e)
        e = pump(j);
    if (!e) {
        j->after = item.task;
        j->done++;
    }
    arena_free(a);
    return e;
}

static enum err next_page(struct job *j, PGresult **page)
{
    struct arena *a = arena_new();
    struct db_call c;

    db_call_init(&c, STMT_release_page, j->tenant, NULL);
    db_int(&c, a, j->release);
    db_int(&c, a, j->after);
    db_int(&c, a, PAGE_ITEMS);
    enum err e = db_sync_run(j->db, &c, page);
    arena_free(a);
    return e;
}

static enum err write_items(struct job *j)
{
    int n = PAGE_ITEMS;
    enum err e = ERR_OK;

    while (!e && n == PAGE_ITEMS) {
        PGresult *page = NULL;
        e = next_page(j, &page);
        n = e ? 0 : PQntuples(page);
        for (int row = 0; !e && row < n; row++)
            e = write_item(j, page, row);
        PQclear(page);
    }
    if (!e && j->done != db_get_int(j->row, 0, COL_ITEMS)) {
        snprintf(j->why, sizeof(j->why), "the release was deleted meanwhile");
        e = ERR_NOT_FOUND;
    }
    return e;
}

/* ---- the attempt */

static enum err options_of(struct job *j, struct export_options *o)
{
    enum err e = label_config_parse(db_get_str(j->row, 0, COL_CONFIG), &j->config, j->why);

    *o = (struct export_options){.format = format_find(db_get_str(j->row, 0, COL_FORMAT)),
        .config = j->config,
        .labelled_only = db_get_bool(j->row, 0, COL_LABELLED),
        .name = db_get_str(j->row, 0, COL_NAME),
        .root = db_get_str(j->row, 0, COL_ROOT),
        .release = j->release};
    if (db_get_bool(j->row, 0, COL_MEDIA))
        o->media = (struct export_media_source){read_media, j};
    if (!e && (!o->format || !container_find(db_get_str(j->row, 0, COL_CONTAINER), &o->container)))
        e = ERR_INVALID;
    return e;
}

/* Objects of earlier attempts that were ended between their last byte and their row. */
static enum err forget_attempts(struct job *j)
{
    char key[BLOB_KEY_MAX];
    enum err e = ERR_OK;

    for (int64_t n = 1; !e && n < j->attempt; n++) {
        export_key(j->tenant, j->id, n, key, sizeof(key));
        e = blob_remove(&j->blobs, key);
    }
    return e;
}

static enum err write_all(struct job *j)
{
    struct export_options o;
    enum err e = options_of(j, &o);

    if (!e)
        e = forget_attempts(j);
    if (!e)
        e = j->blobs.backend->put_begin(&j->blobs, &j->upload);
    if (e)
        return e;
    j->begun = true;
    e = exporter_begin(&j->exporter, &o, (struct export_sink){write_bytes, j});
    if (!e)
        e = write_items(j);
    if (!e)
        e = exporter_end(&j->exporter);
    if (!e)
        e = pump(j);
    return e;
}

/* I6: the row says done after the object is durable. */
static enum err commit(struct job *j)
{
    char key[BLOB_KEY_MAX];
    void *upload = j->upload;

    export_key(j->tenant, j->id, j->attempt, key, sizeof(key));
    j->upload = NULL;
    enum err e = j->blobs.backend->put_commit(&j->blobs, upload, key);
    if (e)
        return e;
    if (!(e = FAULT("export.stored")))
        e = end(j, NULL);
    if (e == ERR_CONFLICT) {
        enum err gone = blob_remove(&j->blobs, key);
        return gone ? gone : e;
    }
    return e;
}

static enum err attempt(struct job *j)
{
    enum err e;

    buf_init(&j->text, BUF_MAX_LABEL);
    e = write_all(j);
    if (!e)
        e = commit(j);
    if (j->upload)
        j->blobs.backend->put_abort(&j->blobs, j->upload);
    if (!e)
        log_info("export_done", "export %lld of release %lld: %lld items, %lld bytes",
            (long long)j->id, (long long)j->release, (long long)j->done,
            (long long)j->exporter.bytes);
    return e;
}

static bool passes(enum err e)
{
    return e == ERR_UNAVAILABLE || e == ERR_BUSY;
}

static enum err make(struct db_sync *db, const PGresult *row)
{
    struct job j = {.db = db,
        .row = row,
        .tenant = db_get_int(row, 0, COL_TENANT),
        .id = db_get_int(row, 0, COL_ID),
        .release = db_get_int(row, 0, COL_RELEASE),
        .attempt = db_get_int(row, 0, COL_ATTEMPT),
        .beat_us = clock_mono_us()};
    enum err e;

    if (blob_open(&j.blobs, config_str(CONFIG_blobs)))
        return ERR_UNAVAILABLE;
    e = attempt(&j);
    if (e == ERR_CONFLICT) { /* cancelled, or somebody else's: nothing more to say */
        e = ERR_OK;
    } else if (e && !passes(e)) {
        const char *why = *j.exporter.why ? j.exporter.why : *j.why ? j.why : err_title(e);
        log_error("export_failed", "export %lld after task %lld: %s", (long long)j.id,
            (long long)j.after, why);
        e = end(&j, why);
        e = e == ERR_CONFLICT ? ERR_OK : e;
    }
    if (j.begun)
        exporter_release(&j.exporter);
    label_config_free(j.config);
    buf_release(&j.text);
    blob_close(&j.blobs);
    return e;
}

enum err job_next(struct db_sync *db, bool *did)
{
    struct db_call c;
    PGresult *row = NULL;

    db_call_init(&c, STMT_export_job_next, 0, NULL);
    enum err e = db_sync_run(db, &c, &row);
    *did = !e && PQntuples(row) == 1;
    if (*did && str_is(db_get_str(row, 0, COL_STATE), "running"))
        e = make(db, row);
    PQclear(row);
    return e;
}
