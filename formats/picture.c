/* Owns finding which picture a region lies on. Never writes a file. */
#include "formats/picture.h"

#include "core/canon.h"
#include "formats/media.h"

static void find_pictures(
    struct exporter *x, const struct export_item *i, struct arena *a, struct pictures *p)
{
    struct media_list list = media_find(x, i, MEDIA_PICTURE, a);

    p->v = arena_array(a, list.n + 1, sizeof(*p->v));
    for (; p->n < list.n; p->n++) {
        const struct media *m = &list.v[p->n];
        p->v[p->n] = (struct picture){.name = m->name,
            .suffix = m->suffix,
            .url = m->url,
            .asset = m->asset,
            .object = m->object,
            .index = m->index,
            .width = m->asset ? (double)m->asset->width : 0,
            .height = m->asset ? (double)m->asset->height : 0};
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

bool picture_judged(
    const struct picture *p, const struct label_control *control, const struct shape_answer *answer)
{
    return str_eq(answer->control, control->name.text) &&
           str_eq(answer->to, p->object->name.text) &&
           (!control->per_item || answer->picture == p->index);
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
