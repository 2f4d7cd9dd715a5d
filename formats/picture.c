/* Owns finding which picture a region lies on. Never writes a file. */
#include "formats/picture.h"

#include "core/canon.h"

static const struct {
    const char *media_type, *suffix;
} suffixes[] = {
    {"image/jpeg", ".jpg"},
    {"image/png", ".png"},
    {"image/webp", ".webp"},
    {"image/gif", ".gif"},
    {"image/bmp", ".bmp"},
    {"image/tiff", ".tif"},
};

static const char *suffix_of(const struct export_asset *asset, struct str url)
{
    struct str path = url;

    for (size_t i = 0; asset && i < ARRAY_LEN(suffixes); i++)
        if (str_is(asset->media_type, suffixes[i].media_type))
            return suffixes[i].suffix;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '?' || path.p[i] == '#')
            path.n = i;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t n = strlen(suffixes[i].suffix);
        if (path.n > n && str_ieq((struct str){path.p + path.n - n, n}, str_of(suffixes[i].suffix)))
            return suffixes[i].suffix;
    }
    return ".jpg";
}

/* The index-th of those that the field names. */
static const struct export_asset *asset_of(
    const struct export_item *i, struct str field, size_t index)
{
    for (size_t k = 0; k < i->nassets; k++)
        if (str_eq(i->assets[k].field, field) && index-- == 0)
            return &i->assets[k];
    return NULL;
}

static void add_picture(struct pictures *p, const struct export_item *i, struct arena *a,
    const struct label_object *object, struct str url, size_t index)
{
    struct picture *one = &p->v[p->n];
    long long task = (long long)i->task;

    *one = (struct picture){.url = url, .object = object, .index = (int64_t)index};
    one->asset = asset_of(i, object->field, index);
    one->suffix = suffix_of(one->asset, url);
    one->name =
        p->n ? arena_printf(a, "%010lld_%zu", task, p->n + 1) : arena_printf(a, "%010lld", task);
    if (one->asset) {
        one->width = (double)one->asset->width;
        one->height = (double)one->asset->height;
    }
    p->n++;
}

enum { PICTURES_MAX = 10000 };

static void find_pictures(
    struct exporter *x, const struct export_item *i, struct arena *a, struct pictures *p)
{
    size_t total = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (const struct label_object *o = export_config(x)->objects; o; o = o->next) {
            struct str *urls;
            size_t n = str_is(o->type, "Image") ? export_data(i, o->field, a, &urls) : 0;
            for (size_t k = 0; pass && k < n && p->n < total; k++)
                add_picture(p, i, a, o, urls[k], k);
            total += pass ? 0 : n;
        }
        if (pass == 0) {
            total = total < PICTURES_MAX ? total : PICTURES_MAX;
            p->v = arena_array(a, total + 1, sizeof(*p->v));
        }
    }
}

static struct picture *picture_of(struct pictures *p, const struct shape *s)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].object->name.text, s->to) && p->v[i].index == s->picture)
            return &p->v[i];
    return NULL;
}

/* A region knows the size of its picture best: it was drawn there. */
static void add_shape(struct exporter *x, struct arena *a, struct pictures *p, struct shape *s)
{
    struct picture *on = s->kind == SHAPE_OTHER ? NULL : picture_of(p, s);

    if (!on) {
        picture_lost(x, s);
        return;
    }
    if (!on->shapes)
        on->shapes = arena_array(a, p->drawing.nshapes, sizeof(struct shape *));
    on->shapes[on->nshapes++] = s;
    if (s->width > 0 && s->height > 0) {
        on->width = s->width;
        on->height = s->height;
    }
}

enum err pictures_read(
    struct exporter *x, const struct export_item *i, struct arena *a, struct pictures *p)
{
    enum err e = ERR_OK;

    *p = (struct pictures){0};
    find_pictures(x, i, a, p);
    if (i->label.id)
        e = drawing_read(a, i->label.result, &p->drawing);
    for (size_t k = 0; !e && k < p->drawing.nshapes; k++)
        add_shape(x, a, p, &p->drawing.shapes[k]);
    return e == ERR_INVALID ? ERR_CORRUPT : e; /* it was checked when it came */
}

struct str picture_label(struct exporter *x, const struct shape *s)
{
    for (size_t i = 1; i < s->nlabels; i++)
        export_lost(x, "labels");
    if (s->nlabels == 0) {
        export_lost(x, "regions.unlabelled");
        return STR("");
    }
    return s->labels[0];
}

void picture_lost(struct exporter *x, const struct shape *s)
{
    export_lost_type(x, "regions", s->type);
}

static bool is_of_region(const struct pictures *p, const struct shape_answer *answer)
{
    for (size_t i = 0; answer->id.n && i < p->drawing.nshapes; i++)
        if (str_eq(p->drawing.shapes[i].id, answer->id))
            return true;
    return false;
}

void picture_rest_lost(struct exporter *x, const struct pictures *p, bool all)
{
    for (size_t i = 0; i < p->drawing.nanswers; i++)
        if (all || !is_of_region(p, &p->drawing.answers[i]))
            export_lost_type(x, "answers", p->drawing.answers[i].type);
    for (size_t i = 0; i < p->drawing.relations; i++)
        export_lost(x, "relations");
}

bool picture_attributes(const struct pictures *p, struct str id, struct buf *out)
{
    bool any = false;

    for (size_t i = 0; id.n && i < p->drawing.nanswers; i++) {
        const struct shape_answer *answer = &p->drawing.answers[i];
        struct json_object *said = answer->said;
        if (!str_eq(answer->id, id))
            continue;
        if (json_object_is_type(said, json_type_array) && json_object_array_length(said) == 1)
            said = json_object_array_get_idx(said, 0);
        if (any)
            buf_putc(out, ',');
        buf_json(out, answer->control);
        buf_putc(out, ':');
        if (canon_value(said, out))
            buf_puts(out, "null");
        any = true;
    }
    return any;
}
