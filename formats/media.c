/* Owns the names of a task's files. */
#include "formats/media.h"

static const struct {
    const char *type; /* of the object's tag */
    enum media_kind kind;
    const char *suffix; /* where nothing says better */
} shown[] = {
    {"Image", MEDIA_PICTURE, ".jpg"},
    {"Audio", MEDIA_SOUND, ".wav"},
    {"AudioPlus", MEDIA_SOUND, ".wav"},
    {"Video", MEDIA_FILM, ".mp4"},
    {"Pdf", MEDIA_PAGES, ".pdf"},
};

static const struct {
    const char *media_type, *suffix;
} suffixes[] = {
    {"image/jpeg", ".jpg"},
    {"image/png", ".png"},
    {"image/webp", ".webp"},
    {"image/gif", ".gif"},
    {"image/bmp", ".bmp"},
    {"image/tiff", ".tif"},
    {"image/avif", ".avif"},
    {"audio/wav", ".wav"},
    {"audio/flac", ".flac"},
    {"audio/mpeg", ".mp3"},
    {"audio/ogg", ".ogg"},
    {"video/mp4", ".mp4"},
    {"video/webm", ".webm"},
    {"application/pdf", ".pdf"},
};

static size_t row_of(const struct label_object *object)
{
    size_t i = 0;

    while (i < ARRAY_LEN(shown) && !str_is(object->type, shown[i].type))
        i++;
    return i;
}

bool media_shown_by(const struct label_object *object, unsigned kinds)
{
    size_t row = row_of(object);

    return row < ARRAY_LEN(shown) && (shown[row].kind & kinds);
}

bool media_judged_by(const struct label_control *control, unsigned kinds)
{
    for (const struct label_target *t = control->to; t; t = t->next)
        if (media_shown_by(t->object, kinds))
            return true;
    return false;
}

/* As its bytes say, or else its address. */
static const char *suffix_of(const struct media *m)
{
    struct str path = m->url;

    for (size_t i = 0; m->asset && i < ARRAY_LEN(suffixes); i++)
        if (str_is(m->asset->media_type, suffixes[i].media_type))
            return suffixes[i].suffix;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '?' || path.p[i] == '#')
            path.n = i;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t n = strlen(suffixes[i].suffix);
        if (path.n > n && str_ieq((struct str){path.p + path.n - n, n}, str_of(suffixes[i].suffix)))
            return suffixes[i].suffix;
    }
    return shown[row_of(m->object)].suffix;
}

/* The address of what is stored here says its sum. */
static const struct export_asset *asset_of(const struct export_item *i, struct str url)
{
    char hex[SHA256_HEX + 1];

    for (size_t k = 0; k < i->nassets; k++) {
        sha256_hex(i->assets[k].sha256, hex);
        if (url.n >= SHA256_HEX && memmem(url.p, url.n, hex, SHA256_HEX))
            return &i->assets[k];
    }
    return NULL;
}

static void add(struct media_list *list, const struct export_item *i, struct arena *a,
    const struct label_object *object, struct str url, size_t index)
{
    struct media *m = &list->v[list->n];
    long long task = (long long)i->task;

    *m = (struct media){.url = url, .object = object, .index = (int64_t)index};
    m->asset = asset_of(i, url);
    m->suffix = suffix_of(m);
    m->name = list->n ? arena_printf(a, "%010lld_%zu", task, list->n + 1)
                      : arena_printf(a, "%010lld", task);
    list->n++;
}

struct media_list media_find(
    const struct exporter *x, const struct export_item *i, unsigned kinds, struct arena *a)
{
    struct media_list list = {0};
    size_t total = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (const struct label_object *o = export_config(x)->objects; o; o = o->next) {
            struct str *urls;
            size_t n = media_shown_by(o, kinds) ? export_data(i, o->field, a, &urls) : 0;
            for (size_t k = 0; pass && k < n && list.n < total; k++)
                add(&list, i, a, o, urls[k], k);
            total += pass ? 0 : n;
        }
        if (pass == 0) {
            total = total < MEDIA_MAX ? total : MEDIA_MAX;
            list.v = arena_array(a, total + 1, sizeof(*list.v));
        }
    }
    return list;
}
