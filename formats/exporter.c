/* Owns the order of an export's bytes: buffering, counting, hashing, files that wait for their
 * turn. Never knows what a format looks like. */
#include "formats/exporter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/bundle.h"

enum {
    FLUSH_AT = 64 << 10,
    ITEM_MAX = 32 << 20, /* a task: its data and meta as imported, and its label */
};

/* A file that pump() writes: spools joined, or an asset. */
struct export_waiting {
    struct export_waiting *next;
    char path[CONTAINER_PATH_MAX + 1];
    struct spool *pieces[EXPORT_PIECES];
    size_t npieces;
    struct bundle *bundle;     /* npieces 0 */
    struct export_asset asset; /* npieces 0 and no bundle */
    int64_t bytes, off;        /* off: of all pieces */
    struct sha256_ctx *hash;   /* of an asset */
    bool packed;
};

static enum err fail(struct exporter *x, enum err e)
{
    if (!x->err)
        x->err = e;
    return x->err;
}

/* Hands on what is buffered once there is enough of it. */
static enum err flush(struct exporter *x, size_t at_least)
{
    if (buf_err(&x->out))
        return fail(x, buf_err(&x->out));
    if (x->err || x->out.n < at_least || x->out.n == 0)
        return x->err;
    sha256_add(x->hash, x->out.p, x->out.n);
    x->bytes += (int64_t)x->out.n;
    fail(x, x->sink.write(x->sink.arg, buf_view(&x->out)));
    buf_clear(&x->out);
    return x->err;
}

enum err export_refuse(struct exporter *x, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(x->why, sizeof(x->why), fmt, args);
    va_end(args);
    return ERR_INVALID;
}

/* ---- driving */

enum container_kind export_container(const struct format *f, bool media)
{
    return f->tree || media ? CONTAINER_ZIP : CONTAINER_FILE;
}

static enum err check(struct exporter *x)
{
    const struct export_options *o = &x->options;
    bool bare = o->container == CONTAINER_FILE;

    if (bare && o->format->tree)
        return export_refuse(x, "%s is several files: it needs a container", o->format->name);
    if (bare && o->media.read)
        return export_refuse(x, "media need a container");
    if (o->format->media && !o->media.read)
        return export_refuse(x, "%s is made of media: it needs them", o->format->name);
    if (o->format->classes && !o->config)
        return export_refuse(x, "%s needs the label config", o->format->name);
    return ERR_OK;
}

enum err exporter_begin(struct exporter *x, const struct export_options *o, struct export_sink sink)
{
    *x = (struct exporter){.options = *o, .sink = sink, .arena = arena_new()};
    x->hash = sha256_new();
    x->last = &x->first;
    spool_init(&x->text);
    spool_init(&x->missing);
    buf_init(&x->out, ITEM_MAX + FLUSH_AT);
    if (fail(x, check(x)) || fail(x, container_new(&x->container, o->container, &x->out)))
        return x->err;
    if (o->container == CONTAINER_FILE)
        x->files = 1;
    if (o->format->begin && fail(x, o->format->begin(x)))
        return x->err;
    return flush(x, FLUSH_AT);
}

static bool count_split(struct exporter *x, struct str split)
{
    size_t i = 0;

    if (split.n == 0)
        return true;
    while (i < x->nsplits && !str_is(split, x->splits[i].name))
        i++;
    if (i == EXPORT_SPLITS || split.n >= EXPORT_SPLIT_NAME)
        return false;
    if (i == x->nsplits) {
        snprintf(x->splits[i].name, EXPORT_SPLIT_NAME, "%.*s", STR_FMT(split));
        x->nsplits++;
    }
    x->splits[i].items++;
    return true;
}

static bool is_empty(const struct export_label *l)
{
    return l->id == 0 || str_is(l->result, "[]");
}

enum err exporter_item(struct exporter *x, const struct export_item *i)
{
    BUG_ON(x->phase != EXPORT_OPEN);
    if (x->err || (x->options.labelled_only && is_empty(&i->label)))
        return x->err;
    if (!count_split(x, i->split))
        return fail(x, ERR_INVALID);
    if (fail(x, x->options.format->item(x, i)))
        return x->err;
    x->items++;
    x->labels += i->label.id != 0;
    if (x->options.container != CONTAINER_FILE && fail(x, spool_settle(&x->text)))
        return x->err;
    return flush(x, FLUSH_AT);
}

void exporter_erased(struct exporter *x)
{
    x->erased++;
}

/* The text of a bare format in an archive, and the list of what was missing. */
static enum err join_own(struct exporter *x)
{
    struct spool *text = &x->text, *missing = &x->missing;
    char path[80];
    enum err e = ERR_OK;

    if (x->options.container == CONTAINER_FILE)
        return ERR_OK;
    if (!x->options.format->tree) {
        snprintf(path, sizeof(path), "tasks%s", x->options.format->extension);
        e = export_join(x, path, &text, 1);
    }
    return e ? e : export_join(x, "missing.jsonl", &missing, 1);
}

enum err exporter_end(struct exporter *x)
{
    BUG_ON(x->phase != EXPORT_OPEN);
    if (x->err)
        return x->err;
    if (x->options.format->end && fail(x, x->options.format->end(x)))
        return x->err;
    x->phase = EXPORT_ENDING;
    return fail(x, join_own(x));
}

static void free_waiting(struct export_waiting *w)
{
    if (w->hash)
        (void)sha256_end(w->hash);
    bundle_free(w->bundle);
    free(w);
}

void exporter_release(struct exporter *x)
{
    for (struct export_waiting *w = x->first, *next; w; w = next) {
        next = w->next;
        free_waiting(w);
    }
    if (x->hash)
        (void)sha256_end(x->hash);
    x->hash = NULL;
    x->first = NULL;
    container_free(x->container);
    x->container = NULL;
    spool_release(&x->text);
    spool_release(&x->missing);
    buf_release(&x->out);
    arena_free(x->arena);
    x->arena = NULL;
}

/* ---- what waits */

static enum err append_waiting(struct exporter *x, const char *path, struct export_waiting **out)
{
    struct export_waiting *w = calloc(1, sizeof(*w));

    if (!w)
        return ERR_NO_MEMORY;
    if (strlen(path) > CONTAINER_PATH_MAX) {
        free(w);
        return ERR_INVALID;
    }
    snprintf(w->path, sizeof(w->path), "%s", path);
    *x->last = w;
    x->last = &w->next;
    *out = w;
    return ERR_OK;
}

enum err export_join(struct exporter *x, const char *path, struct spool *const *pieces, size_t n)
{
    struct export_waiting *w;
    enum err e = append_waiting(x, path, &w);

    BUG_ON(n == 0 || n > EXPORT_PIECES);
    for (size_t i = 0; !e && i < n; i++) {
        w->pieces[w->npieces++] = pieces[i];
        e = buf_err(&pieces[i]->tail);
    }
    return e;
}

enum err export_media(struct exporter *x, const char *path, const struct export_asset *asset)
{
    struct export_waiting *w;
    enum err e = ERR_OK;

    if (!x->options.media.read)
        return ERR_OK;
    e = append_waiting(x, path, &w);
    if (!e) {
        w->asset =
            *asset; /* of its strings only the media type is looked at, before this returns */
        w->asset.field = w->asset.media_type = STR("");
        w->bytes = asset->bytes;
        w->hash = sha256_new();
        w->packed = true;
    }
    return e;
}

enum err export_bundle(struct exporter *x, const char *path, struct bundle *bundle, bool packed)
{
    struct export_waiting *w;
    enum err e = bundle ? buf_err(bundle_text(bundle)) : ERR_NO_MEMORY;

    if (!e)
        e = append_waiting(x, path, &w);
    if (e) {
        bundle_free(bundle);
        return e;
    }
    w->bundle = bundle;
    w->bytes = bundle_bytes(bundle);
    w->packed = packed;
    return ERR_OK;
}

static enum err note_missing(struct exporter *x, const char *path, const struct export_asset *asset)
{
    char hex[SHA256_HEX + 1];

    sha256_hex(asset->sha256, hex);
    buf_printf(&x->missing.tail, "{\"asset\":\"%s\",\"file\":\"%s\"}\n", hex, path);
    x->absent++;
    return spool_settle(&x->missing);
}

enum err export_media_find(
    struct exporter *x, const char *path, const struct export_asset *asset, bool *found)
{
    struct buf first;
    enum err e = ERR_OK;

    buf_init(&first, EXPORT_PUMP);
    if (asset->bytes > 0)
        e = x->options.media.read(x->options.media.arg, asset, 0, 1, &first);
    buf_release(&first);
    *found = !e;
    return e == ERR_NOT_FOUND ? note_missing(x, path, asset) : e;
}

/* Appends the next piece to `piece`. */
static enum err read_on(struct exporter *x, struct export_waiting *w, struct buf *piece)
{
    int64_t skip = w->off, left = w->bytes - w->off;
    size_t n = left < EXPORT_PUMP ? (size_t)left : (size_t)EXPORT_PUMP;

    if (w->bundle)
        return bundle_read(w->bundle, &x->options.media, n, piece);
    if (w->npieces == 0)
        return x->options.media.read(x->options.media.arg, &w->asset, w->off, n, piece);
    for (size_t i = 0; i < w->npieces; i++) {
        int64_t bytes = spool_bytes(w->pieces[i]);
        if (skip < bytes)
            return spool_read(w->pieces[i], skip, n, piece);
        skip -= bytes;
    }
    return ERR_OK;
}

/* The next of the file's bytes; its entry is begun with the first of them, so that what is missing
 * leaves no trace in the container. */
static enum err write_on(struct exporter *x, struct export_waiting *w)
{
    struct buf piece;
    enum err e = ERR_OK;

    buf_init(&piece, EXPORT_PUMP + 1);
    if (w->off == 0)
        for (size_t i = 0; i < w->npieces; i++)
            w->bytes += spool_bytes(w->pieces[i]);
    if (w->bytes > 0)
        e = read_on(x, w, &piece);
    if (!e && w->off == 0)
        e = container_begin(x->container, w->path, w->bytes, w->packed);
    if (!e && w->bytes > 0 && piece.n == 0)
        e = ERR_CORRUPT; /* shorter than it should be */
    if (!e)
        e = container_add(x->container, buf_view(&piece));
    if (!e && w->hash)
        sha256_add(w->hash, piece.p, piece.n);
    w->off += (int64_t)piece.n;
    buf_release(&piece);
    return e;
}

static enum err finish_waiting(struct exporter *x, struct export_waiting *w)
{
    enum err e = container_end(x->container);

    if (!e && w->hash) {
        struct sha256 h = sha256_end(w->hash);
        w->hash = NULL;
        x->media++;
        if (!sha256_eq(h, w->asset.sha256))
            return ERR_CORRUPT; /* I6 */
    }
    if (w->bundle)
        x->media += bundle_assets(w->bundle);
    x->files++;
    return e;
}

static void drop_first(struct exporter *x)
{
    struct export_waiting *w = x->first;

    x->first = w->next;
    if (!x->first)
        x->last = &x->first;
    free_waiting(w);
}

static enum err pump_file(struct exporter *x)
{
    struct export_waiting *w = x->first;
    enum err e = ERR_OK;

    if (w->pieces[0] == &x->missing && spool_bytes(&x->missing) == 0) {
        drop_first(x);
        return ERR_OK;
    }
    e = write_on(x, w);
    if (e == ERR_NOT_FOUND && w->hash && w->off == 0) {
        e = note_missing(x, w->path, &w->asset);
        drop_first(x);
        return e;
    }
    if (!e && w->off == w->bytes) {
        e = finish_waiting(x, w);
        drop_first(x);
    }
    return e;
}

/* After the last file: the report, the archive's end, the sum. */
static enum err pump_end(struct exporter *x)
{
    enum err e = ERR_OK;

    if (x->phase == EXPORT_ENDING && x->options.container != CONTAINER_FILE) {
        struct buf report;
        buf_init(&report, BUF_MAX_JSON);
        x->files++;
        export_report_print(x, &report);
        e = buf_err(&report) ? buf_err(&report) : export_file(x, "EXPORT.json", buf_view(&report));
        x->files--; /* export_file() counts it, too */
        buf_release(&report);
    }
    if (!e)
        e = container_close(x->container);
    if (!e)
        e = flush(x, 0);
    if (!e) {
        x->sha256 = sha256_end(x->hash);
        x->hash = NULL;
        x->phase = EXPORT_ENDED;
    }
    return e;
}

enum err exporter_pump(struct exporter *x, bool *idle)
{
    *idle = false;
    if (x->err)
        return x->err;
    if (x->first) {
        if (!fail(x, pump_file(x)))
            flush(x, FLUSH_AT);
    } else if (x->phase == EXPORT_ENDING) {
        fail(x, pump_end(x));
    }
    *idle = !x->err && !x->first && x->phase != EXPORT_ENDING;
    return x->err;
}

/* ---- what formats write with */

void *export_state(struct exporter *x, size_t size)
{
    if (!x->state)
        x->state = arena_alloc(x->arena, size);
    return x->state;
}

struct arena *export_arena(struct exporter *x)
{
    return x->arena;
}

const struct label_config *export_config(const struct exporter *x)
{
    return x->options.config;
}

int64_t export_count(const struct exporter *x)
{
    return x->items;
}

struct buf *export_text(struct exporter *x)
{
    BUG_ON(x->options.format->tree);
    return x->options.container == CONTAINER_FILE ? &x->out : &x->text.tail;
}

enum err export_file(struct exporter *x, const char *path, struct str bytes)
{
    enum err e = container_begin(x->container, path, (int64_t)bytes.n, false);

    if (!e)
        e = container_add(x->container, bytes);
    if (!e)
        e = container_end(x->container);
    x->files++;
    return e;
}

static void release_spool(void *spool)
{
    spool_release(spool);
}

struct spool *export_spool(struct exporter *x)
{
    struct spool *s = arena_alloc(x->arena, sizeof(*s));

    spool_init(s);
    arena_defer(x->arena, release_spool, s);
    return s;
}

void export_lost(struct exporter *x, const char *what)
{
    size_t i = 0;

    while (i < x->nlost && strcmp(x->lost[i].name, what) != 0)
        i++;
    if (i == EXPORT_LOSSES - 1 && i == x->nlost)
        what = "other";
    if (i == EXPORT_LOSSES)
        i--;
    if (i == x->nlost)
        snprintf(x->lost[x->nlost++].name, EXPORT_LOSS_NAME, "%s", what);
    x->lost[i].times++;
}

void export_lost_type(struct exporter *x, const char *what, struct str type)
{
    char name[EXPORT_LOSS_NAME];

    snprintf(name, sizeof(name), "%s.%.*s", what, STR_FMT(type));
    export_lost(x, name);
}
