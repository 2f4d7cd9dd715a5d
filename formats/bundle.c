/* Owns the order of a bundle's bytes. */
#include "formats/bundle.h"

#include <stdlib.h>

#include "formats/exporter.h"

struct place {
    int64_t behind; /* bytes of the spool before it */
    struct export_asset asset;
};

struct bundle {
    struct spool spool;
    struct place *places;
    size_t n, cap;
    int64_t assets; /* bytes of them */
    /* reading */
    int64_t at;              /* in the spool */
    size_t next;             /* place */
    int64_t off;             /* in its asset */
    struct sha256_ctx *hash; /* of its bytes so far; NULL: not begun */
};

struct bundle *bundle_new(void)
{
    struct bundle *b = calloc(1, sizeof(*b));

    if (b)
        spool_init(&b->spool);
    return b;
}

void bundle_free(struct bundle *b)
{
    if (!b)
        return;
    if (b->hash)
        (void)sha256_end(b->hash);
    spool_release(&b->spool);
    free(b->places);
    free(b);
}

struct buf *bundle_text(struct bundle *b)
{
    return &b->spool.tail;
}

enum err bundle_settle(struct bundle *b)
{
    return spool_settle(&b->spool);
}

enum err bundle_asset(struct bundle *b, const struct export_asset *asset)
{
    if (b->n == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 16;
        struct place *places = reallocarray(b->places, cap, sizeof(*places));
        if (!places)
            return ERR_NO_MEMORY;
        b->places = places;
        b->cap = cap;
    }
    b->places[b->n] = (struct place){spool_bytes(&b->spool), *asset};
    b->places[b->n].asset.field = b->places[b->n].asset.media_type = STR("");
    b->n++;
    b->assets += asset->bytes;
    return bundle_settle(b);
}

int64_t bundle_bytes(const struct bundle *b)
{
    return spool_bytes(&b->spool) + b->assets;
}

int64_t bundle_assets(const struct bundle *b)
{
    return (int64_t)b->n;
}

/* The last of the asset's bytes was read. */
static enum err end_asset(struct bundle *b)
{
    struct sha256 sum = sha256_end(b->hash);

    b->hash = NULL;
    b->off = 0;
    return sha256_eq(sum, b->places[b->next++].asset.sha256) ? ERR_OK : ERR_CORRUPT;
}

static enum err read_asset(
    struct bundle *b, const struct export_media_source *source, size_t n, struct buf *out)
{
    const struct export_asset *asset = &b->places[b->next].asset;
    int64_t left = asset->bytes - b->off;
    size_t before = out->n;
    enum err e = ERR_OK;

    if (!b->hash)
        b->hash = sha256_new();
    if (left > 0) {
        e = source->read(source->arg, asset, b->off, (int64_t)n < left ? n : (size_t)left, out);
        if (e == ERR_NOT_FOUND || (!e && out->n == before))
            e = ERR_CORRUPT;
    }
    if (e)
        return e;
    sha256_add(b->hash, out->p + before, out->n - before);
    b->off += (int64_t)(out->n - before);
    return b->off < asset->bytes ? ERR_OK : end_asset(b);
}

enum err bundle_read(
    struct bundle *b, const struct export_media_source *source, size_t n, struct buf *out)
{
    size_t end = out->n + n;
    enum err e = ERR_OK;

    while (!e && out->n < end) {
        int64_t behind = b->next < b->n ? b->places[b->next].behind : spool_bytes(&b->spool);
        int64_t text = behind - b->at;
        size_t want = end - out->n, before = out->n;
        if (text > 0) {
            e = spool_read(&b->spool, b->at, (int64_t)want < text ? want : (size_t)text, out);
            b->at += (int64_t)(out->n - before);
        } else if (b->next < b->n) {
            e = read_asset(b, source, want, out);
        } else {
            break;
        }
    }
    return e ? e : buf_err(out);
}
