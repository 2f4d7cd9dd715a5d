/* Owns WebDataset shards: SPLIT-NUMBER.tar, of bounded size, in which the members of a sample stand
 * together and have one name before the first dot. A sample is a task: KEY.json is what jsonl says
 * of it, KEY.jpg, KEY.2.jpg are the files it shows. SPLIT.json is the index that wids reads.
 * Sources: the WebDataset format specification; webdataset's wids. */
#include <stdio.h>

#include "formats/bundle.h"
#include "formats/exporter.h"
#include "formats/media.h"

enum { SHARD_SAMPLES = 10000, BLOCK = 512 };
#define SHARD_BYTES (INT64_C(512) << 20) /* a sample that is larger has a shard of its own */

struct split {
    struct split *next;
    const char *name;
    struct spool *index;
    struct bundle *shard; /* NULL: none is open */
    int64_t samples;      /* in it */
    int shards;           /* complete ones */
};

struct shards {
    struct split *splits;
};

/* A member of a sample on its way into a shard. */
struct member {
    char name[64];
    const struct export_asset *asset; /* NULL: the JSON */
};

struct sample {
    struct member *members;
    size_t n;
    struct str json;
};

/* ---- tar (POSIX ustar) */

static int64_t padded(int64_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

/* Eleven octal digits; beyond them in bytes, as GNU has it and all readers know. */
static void put_size(char *field, int64_t bytes)
{
    if (bytes < INT64_C(1) << 33) {
        snprintf(field, 12, "%011llo", (unsigned long long)bytes);
        return;
    }
    field[0] = (char)0x80;
    for (size_t i = 11; i >= 4; i--, bytes >>= 8)
        field[i] = (char)(bytes & 0xff);
}

/* No clock, no owner. */
static void put_head(const char *name, int64_t bytes, struct buf *out)
{
    char head[BLOCK] = "";
    unsigned sum = 0;

    snprintf(head, 100, "%s", name);
    memcpy(head + 100, "0000644\0000000000\0000000000", 24);
    put_size(head + 124, bytes);
    memcpy(head + 136, "00000000000", 12);
    memset(head + 148, ' ', 8);
    head[156] = '0';
    memcpy(head + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 8, "%06o", sum);
    buf_add(out, head, BLOCK);
}

static void put_zeroes(int64_t n, struct buf *out)
{
    static const char zeroes[2 * BLOCK];

    buf_add(out, zeroes, (size_t)n);
}

/* ---- shards */

/* What an export that is broken off leaves open. */
static void release_shard(void *split)
{
    bundle_free(((struct split *)split)->shard);
}

static struct split *split_of(struct exporter *x, struct shards *s, const char *name)
{
    struct split **at = &s->splits, *one;
    struct arena *a = export_arena(x);

    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (*at)
        return *at;
    one = arena_alloc(a, sizeof(*one));
    one->name = arena_copy(a, name, strlen(name));
    one->index = export_spool(x);
    arena_defer(a, release_shard, one);
    *at = one;
    return one;
}

static enum err close_shard(struct exporter *x, struct split *s)
{
    struct bundle *shard = s->shard;
    struct buf *index = &s->index->tail;
    char path[CONTAINER_PATH_MAX];

    if (!shard)
        return ERR_OK;
    put_zeroes(2 * BLOCK, bundle_text(shard));
    snprintf(path, sizeof(path), "%.64s-%06d.tar", s->name, s->shards);
    buf_puts(index, s->shards ? ",\n"
                              : "{\"__kind__\":\"wids-shard-index-v1\",\"wids_version\":1,"
                                "\"shardlist\":[\n");
    buf_printf(index, "{\"url\":\"%s\",\"nsamples\":%lld,\"filesize\":%lld}", path,
        (long long)s->samples, (long long)bundle_bytes(shard));
    s->shard = NULL;
    s->samples = 0;
    s->shards++;
    enum err e = export_bundle(x, path, shard, x->options.media.read != NULL);
    return e ? e : spool_settle(s->index);
}

static int64_t bytes_of(const struct sample *sample, const struct member *m)
{
    return m->asset ? m->asset->bytes : (int64_t)sample->json.n;
}

static enum err put_sample(struct bundle *shard, const struct sample *sample)
{
    enum err e = ERR_OK;

    for (size_t i = 0; !e && i < sample->n; i++) {
        const struct member *m = &sample->members[i];
        int64_t bytes = bytes_of(sample, m);
        put_head(m->name, bytes, bundle_text(shard));
        if (m->asset)
            e = bundle_asset(shard, m->asset);
        else
            buf_str(bundle_text(shard), sample->json);
        put_zeroes(padded(bytes) - bytes, bundle_text(shard));
    }
    return e ? e : bundle_settle(shard);
}

static enum err add_sample(struct exporter *x, struct split *s, const struct sample *sample)
{
    int64_t bytes = 2 * BLOCK;
    enum err e = ERR_OK;

    for (size_t i = 0; i < sample->n; i++)
        bytes += BLOCK + padded(bytes_of(sample, &sample->members[i]));
    if (s->shard && (s->samples == SHARD_SAMPLES || bundle_bytes(s->shard) + bytes > SHARD_BYTES))
        e = close_shard(x, s);
    if (!e && !s->shard && !(s->shard = bundle_new()))
        e = ERR_NO_MEMORY;
    if (!e)
        e = put_sample(s->shard, sample);
    s->samples++;
    return e;
}

/* ---- tasks */

/* What is not stored here, or is not there any more, is no member. */
static enum err add_media(
    struct exporter *x, const struct export_item *i, struct arena *a, struct sample *sample)
{
    struct media_list media = media_find(x, i, MEDIA_ANY, a);
    enum err e = ERR_OK;

    sample->members = arena_array(a, media.n + 1, sizeof(*sample->members));
    if (!x->options.media.read)
        return ERR_OK;
    for (size_t k = 0; !e && k < media.n; k++) {
        const struct media *m = &media.v[k];
        struct member *member = &sample->members[sample->n];
        bool found = false;
        if (k == 0)
            snprintf(member->name, sizeof(member->name), "%s%s", m->name, m->suffix);
        else
            snprintf(
                member->name, sizeof(member->name), "%s.%zu%s", media.v[0].name, k + 1, m->suffix);
        if (m->asset)
            e = export_media_find(x, member->name, m->asset, &found);
        else
            export_lost(x, "media.elsewhere");
        member->asset = m->asset;
        sample->n += found;
    }
    return e;
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct shards *s = export_state(x, sizeof(*s));
    struct arena *a = arena_new();
    struct split *split = split_of(x, s, export_split(i, a));
    struct sample sample = {0};
    struct member *last;
    struct buf json;
    enum err e = add_media(x, i, a, &sample);

    last = &sample.members[sample.n++];
    snprintf(last->name, sizeof(last->name), "%010lld.json", (long long)i->task);
    last->asset = NULL;
    buf_init(&json, BUF_MAX_PACK);
    export_item_json(i, &json);
    sample.json = buf_view(&json);
    if (!e)
        e = buf_err(&json);
    if (!e)
        e = add_sample(x, split, &sample);
    buf_release(&json);
    arena_free(a);
    return e;
}

static enum err end(struct exporter *x)
{
    struct shards *all = export_state(x, sizeof(*all));
    char path[CONTAINER_PATH_MAX];
    enum err e = ERR_OK;

    for (struct split *s = all->splits; !e && s; s = s->next) {
        e = close_shard(x, s);
        buf_puts(&s->index->tail, "\n]}\n");
        snprintf(path, sizeof(path), "%.64s.json", s->name);
        if (!e)
            e = export_join(x, path, &s->index, 1);
    }
    return e;
}

const struct format format_webdataset = {
    .name = "webdataset",
    .about = "WebDataset: tars of samples, the files of a task beside its JSON",
    .media_type = "application/x-tar",
    .extension = ".tar",
    .tree = true,
    .classes = true,
    .item = item,
    .end = end,
};
