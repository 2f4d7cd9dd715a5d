/* Owns finding which recording a stretch lies on. Never writes a file. */
#include "formats/recording.h"

#include <stdlib.h>

#include "core/label_check.h"
#include "formats/exporter.h"

enum err recordings_wanted(struct exporter *x)
{
    for (const struct label_object *o = export_config(x)->objects; o; o = o->next)
        if (media_shown_by(o, MEDIA_SOUND))
            return ERR_OK;
    return export_refuse(x, "%s needs an Audio object", x->options.format->name);
}

static bool segment_of(const struct shape *s, struct segment *out)
{
    struct json_object *value = member_of(s->item, "value");
    double channel;

    *out = (struct segment){.shape = s, .channel = -1};
    if (!is_number(member_of(value, "start"), &out->start) ||
        !is_number(member_of(value, "end"), &out->end) || out->start < 0 || out->end > 1e9)
        return false;
    if (is_number(member_of(value, "channel"), &channel) && channel >= 0 && channel < 1e6)
        out->channel = (int64_t)channel;
    if (s->nlabels)
        out->label = s->labels[0];
    return true;
}

static int by_time(const void *pa, const void *pb)
{
    const struct segment *a = pa, *b = pb;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return (a->shape->at > b->shape->at) - (a->shape->at < b->shape->at);
}

/* What several recordings of one object are told apart by, where they are. */
static struct recording *recording_of(struct recordings *r, const struct shape *s)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->v[i].media->object->name.text, s->to) && r->v[i].media->index == s->picture)
            return &r->v[i];
    return NULL;
}

static void add_segment(
    struct exporter *x, struct arena *a, struct recordings *r, const struct shape *s)
{
    struct recording *on = recording_of(r, s);
    struct segment one;
    double length;

    if (!on || !segment_of(s, &one)) {
        export_lost_type(x, "regions", s->type);
        return;
    }
    if (is_number(member_of(s->item, "original_length"), &length) && length > 0)
        on->seconds = length;
    if (one.end <= one.start) {
        export_lost(x, "regions.empty");
        return;
    }
    for (size_t i = 1; i < s->nlabels; i++)
        export_lost(x, "labels");
    if (!on->segments)
        on->segments = arena_array(a, r->drawing.nshapes, sizeof(*on->segments));
    on->segments[on->n++] = one;
}

enum err recordings_read(
    struct exporter *x, const struct export_item *i, struct arena *a, struct recordings *r)
{
    struct media_list media = media_find(x, i, MEDIA_SOUND, a);
    enum err e = ERR_OK;

    *r = (struct recordings){.v = arena_array(a, media.n + 1, sizeof(*r->v)), .n = media.n};
    for (size_t k = 0; k < r->n; k++) {
        r->v[k].media = &media.v[k];
        if (media.v[k].asset)
            r->v[k].seconds = (double)media.v[k].asset->duration_ms / 1000;
    }
    if (i->label.id)
        e = drawing_read(a, i->label.result, &r->drawing);
    for (size_t k = 0; !e && k < r->drawing.nshapes; k++)
        add_segment(x, a, r, &r->drawing.shapes[k]);
    for (size_t k = 0; k < r->n; k++)
        if (r->v[k].n)
            qsort(r->v[k].segments, r->v[k].n, sizeof(struct segment), by_time);
    return e == ERR_INVALID ? ERR_CORRUPT : e; /* it was checked when it came */
}

void recordings_rest_lost(struct exporter *x, const struct recordings *r)
{
    for (size_t i = 0; i < r->drawing.nanswers; i++)
        if (!r->drawing.answers[i].told)
            export_lost_type(x, "answers", r->drawing.answers[i].type);
    for (size_t i = 0; i < r->drawing.relations; i++)
        export_lost(x, "relations");
}
