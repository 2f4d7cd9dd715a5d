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

/* An object's pictures stand one after another. */
static struct picture *picture_of(struct pictures *p, const struct shape *s)
{
    size_t first = 0, at;

    while (first < p->n && !str_eq(p->v[first].object->name.text, s->to))
        first++;
    at = first + (size_t)s->picture;
    return at < p->n && p->v[at].object == p->v[first].object ? &p->v[at] : NULL;
}

/* What the regions of a picture say of its size. */
struct sizes {
    double width, height; /* as the first of them says */
    bool differ;
};

static void hear(struct sizes *said, const struct shape *s)
{
    if (s->width <= 0)
        return;
    if (said->width <= 0)
        said->width = s->width, said->height = s->height;
    said->differ |= s->width != said->width || s->height != said->height;
}

/* Regions know the size of their picture best, as they were drawn there; where they do not agree
 * its file does. */
static void settle(struct picture *on, const struct sizes *said)
{
    bool file = on->width > 0 && on->height > 0;

    if (said->width > 0 && !(said->differ && file))
        on->width = said->width, on->height = said->height;
}

static void add_shape(struct exporter *x, struct arena *a, struct picture *on, struct shape *s)
{
    on->unmeasured |= on->width <= 0 || on->height <= 0;
    if (!on->unmeasured && (s->width != on->width || s->height != on->height))
        shape_resize(a, s, on->width, on->height);
    if (on->unmeasured || (s->kind == SHAPE_MASK && !shape_mask_good(s))) {
        picture_lost(x, s);
        return;
    }
    s->place = on->nshapes;
    on->shapes[on->nshapes++] = s;
}

static void lay_out(struct exporter *x, struct arena *a, struct pictures *p)
{
    struct drawing *d = &p->drawing;
    struct picture **on = arena_array(a, d->nshapes + 1, sizeof(*on));
    struct sizes *said = arena_array(a, p->n + 1, sizeof(*said));

    for (size_t i = 0; i < d->nshapes; i++) {
        struct shape *s = &d->shapes[i];
        on[i] = s->kind == SHAPE_OTHER ? NULL : picture_of(p, s);
        if (!on[i]) {
            picture_lost(x, s);
            continue;
        }
        on[i]->nshapes++;
        hear(&said[on[i] - p->v], s);
    }
    for (size_t i = 0; i < p->n; i++) {
        p->v[i].shapes = arena_array(a, p->v[i].nshapes + 1, sizeof(*p->v[i].shapes));
        p->v[i].nshapes = 0;
        settle(&p->v[i], &said[i]);
    }
    for (size_t i = 0; i < d->nshapes; i++)
        if (on[i])
            add_shape(x, a, on[i], &d->shapes[i]);
}

enum err pictures_read(
    struct exporter *x, const struct export_item *i, struct arena *a, struct pictures *p)
{
    enum err e = ERR_OK;

    *p = (struct pictures){0};
    find_pictures(x, i, a, p);
    if (i->label.id)
        e = drawing_read(a, i->label.result, &p->drawing);
    if (!e)
        lay_out(x, a, p);
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
    return !answer->region && str_eq(answer->control, control->name.text) &&
           str_eq(answer->to, p->object->name.text) &&
           (!control->per_item || answer->picture == p->index);
}

void picture_rest_lost(struct exporter *x, const struct pictures *p)
{
    for (size_t i = 0; i < p->drawing.nanswers; i++)
        if (!p->drawing.answers[i].told)
            export_lost_type(x, "answers", p->drawing.answers[i].type);
    for (size_t i = 0; i < p->drawing.relations; i++)
        export_lost(x, "relations");
}

void picture_attributes(const struct shape *s, struct buf *out)
{
    for (struct shape_answer *answer = s->answers; answer; answer = answer->next) {
        struct json_object *said = answer->said;
        if (json_object_is_type(said, json_type_array) && json_object_array_length(said) == 1)
            said = json_object_array_get_idx(said, 0);
        if (answer != s->answers)
            buf_putc(out, ',');
        buf_json(out, answer->control);
        buf_putc(out, ':');
        if (canon_value(said, out))
            buf_puts(out, "null");
        answer->told = true;
    }
}
