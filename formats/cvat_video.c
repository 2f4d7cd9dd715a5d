/* Owns CVAT for video 1.1: annotations/NAME.xml and videos/NAME.mp4, a film a file, as a task is
 * one film there. A region is a track, with its box in each frame: between key frames as the editor
 * moves it, and "outside" behind a life span. Frames count from 0 there, from 1 in the document.
 * Source: CVAT's documentation, xml_format. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/label_check.h"
#include "formats/bundle.h"
#include "formats/cvat_xml.h"
#include "formats/exporter.h"
#include "formats/media.h"
#include "formats/picture.h"
#include "formats/xml.h"

/* Of a film: beyond it the frames between are left out. A document may claim any number. */
enum { BOXES_MAX = 5000000 };
#define FRAME_MAX 1e9

/* In pixels. */
struct key_frame {
    int64_t frame; /* from 0 */
    bool enabled;  /* the life span goes on behind it */
    double x, y, w, h, rotation;
    size_t at; /* place in the document */
};

struct track {
    const struct shape *shape;
    struct str label;
    struct key_frame *keys; /* by frame, no two of one */
    size_t n;
};

/* The film at hand. */
struct film {
    struct exporter *x;
    const struct media *media;
    double width, height;
    int64_t frames;
    struct track *tracks;
    size_t n;
    bool keys_only;
    struct bundle *bundle;
    struct buf *out;
};

static enum err begin(struct exporter *x)
{
    struct classes *classes = export_state(x, sizeof(*classes));

    classes_init(classes, export_arena(x), export_config(x), classes_of_regions);
    for (const struct label_object *o = export_config(x)->objects; o; o = o->next)
        if (media_shown_by(o, MEDIA_FILM))
            return ERR_OK;
    return export_refuse(x, "cvat-video needs a Video object");
}

/* ---- from the document */

static bool number_of(struct json_object *o, const char *name, double *out)
{
    return is_number(member_of(o, name), out);
}

static bool read_key(const struct film *f, struct json_object *o, size_t at, struct key_frame *k)
{
    struct json_object *enabled = member_of(o, "enabled");
    double frame;

    *k = (struct key_frame){.at = at, .enabled = !enabled || json_object_get_boolean(enabled)};
    if (!number_of(o, "frame", &frame) || frame < 1 || frame > FRAME_MAX ||
        !number_of(o, "x", &k->x) || !number_of(o, "y", &k->y) || !number_of(o, "width", &k->w) ||
        !number_of(o, "height", &k->h))
        return false;
    if (!number_of(o, "rotation", &k->rotation))
        k->rotation = 0;
    k->frame = (int64_t)frame - 1;
    k->x *= f->width / 100, k->w *= f->width / 100;
    k->y *= f->height / 100, k->h *= f->height / 100;
    return true;
}

static int by_frame(const void *pa, const void *pb)
{
    const struct key_frame *a = pa, *b = pb;

    if (a->frame != b->frame)
        return a->frame < b->frame ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

/* Of two of one frame the later in the document stands. */
static void sort_keys(struct track *t)
{
    size_t kept = 0;

    qsort(t->keys, t->n, sizeof(*t->keys), by_frame);
    for (size_t i = 0; i < t->n; i++)
        if (i + 1 == t->n || t->keys[i + 1].frame != t->keys[i].frame)
            t->keys[kept++] = t->keys[i];
    t->n = kept;
}

static void read_track(struct film *f, struct arena *a, const struct shape *s)
{
    struct json_object *value = member_of(s->item, "value");
    struct json_object *list = member_of(value, "sequence");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct track *t = &f->tracks[f->n];
    double frames;

    *t = (struct track){.shape = s, .label = picture_label(f->x, s)};
    t->keys = arena_array(a, n + 1, sizeof(*t->keys));
    for (size_t i = 0; i < n; i++)
        t->n += read_key(f, json_object_array_get_idx(list, i), i, &t->keys[t->n]);
    sort_keys(t);
    if (!t->label.n || !t->n) {
        if (t->label.n)
            export_lost(f->x, "regions.empty");
        return;
    }
    if (number_of(value, "framesCount", &frames) && frames <= FRAME_MAX &&
        (int64_t)frames > f->frames)
        f->frames = (int64_t)frames;
    if (t->keys[t->n - 1].frame >= f->frames)
        f->frames = t->keys[t->n - 1].frame + 1;
    f->n++;
}

/* The frame behind the last before which the box moves on from that key frame. */
static int64_t end_of(const struct film *f, const struct track *t, size_t i)
{
    if (!t->keys[i].enabled)
        return t->keys[i].frame + 1;
    return i + 1 < t->n ? t->keys[i + 1].frame : f->frames;
}

static bool is_too_long(const struct film *f)
{
    int64_t boxes = 0;

    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < f->tracks[i].n && boxes <= BOXES_MAX; k++)
            boxes += end_of(f, &f->tracks[i], k) - f->tracks[i].keys[k].frame;
    return boxes > BOXES_MAX;
}

/* ---- tracks */

/* `key`: readers that move boxes themselves must not between here and the one before. */
static enum err put_box(
    const struct film *f, const struct track *t, const struct key_frame *at, bool key, bool outside)
{
    const struct shape box = {.kind = SHAPE_BOX,
        .x = at->x,
        .y = at->y,
        .w = at->w,
        .h = at->h,
        .rotation = at->rotation};

    buf_printf(f->out, "    <box frame=\"%lld\" keyframe=\"%d\" outside=\"%d\" occluded=\"0\"",
        (long long)at->frame, key, outside);
    cvat_box(f->out, &box);
    buf_puts(f->out, " z_order=\"0\">\n");
    cvat_attributes(f->out, t->shape);
    buf_puts(f->out, "    </box>\n");
    return bundle_settle(f->bundle);
}

static double part(double from, double to, double share)
{
    return from + (to - from) * share;
}

/* A box that turns moves about its corner in the editor, about its centre in CVAT: then each frame
 * is a key frame. */
static enum err put_between(const struct film *f, const struct track *t, const struct key_frame *a,
    const struct key_frame *b)
{
    int64_t end = b ? b->frame : f->frames;
    enum err e = ERR_OK;

    for (int64_t frame = a->frame + 1; !e && frame < end; frame++) {
        struct key_frame at = *a;
        at.frame = frame;
        if (b) {
            double share = (double)(frame - a->frame) / (double)(b->frame - a->frame);
            at.x = part(a->x, b->x, share), at.w = part(a->w, b->w, share);
            at.y = part(a->y, b->y, share), at.h = part(a->h, b->h, share);
            at.rotation = part(a->rotation, b->rotation, share);
        }
        e = put_box(f, t, &at, b && a->rotation != b->rotation, false);
    }
    return e;
}

static enum err put_track(const struct film *f, const struct track *t, size_t number)
{
    enum err e = ERR_OK;

    buf_printf(f->out, "  <track id=\"%zu\"", number);
    cvat_text(f->out, "label", t->label);
    buf_puts(f->out, " source=\"manual\">\n");
    for (size_t i = 0; !e && i < t->n; i++) {
        const struct key_frame *a = &t->keys[i], *b = i + 1 < t->n ? a + 1 : NULL;
        e = put_box(f, t, a, true, false);
        if (!e && a->enabled && !f->keys_only) {
            e = put_between(f, t, a, b);
        } else if (!e && !a->enabled && (b ? b->frame : f->frames) > a->frame + 1) {
            struct key_frame gone = *a;
            gone.frame++;
            e = put_box(f, t, &gone, true, true);
        }
    }
    buf_puts(f->out, "  </track>\n");
    return e;
}

/* ---- files */

static enum err put_head(const struct film *f, const struct export_item *i)
{
    struct classes *classes = export_state(f->x, sizeof(*classes));

    for (size_t k = 0; k < f->n; k++)
        if (classes_find(classes, f->tracks[k].label) == SIZE_MAX)
            return ERR_FULL;
    buf_printf(f->out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n"
        "  <meta>\n    <task>\n      <id>%lld</id>\n      <name>%s</name>\n"
        "      <size>%lld</size>\n      <mode>interpolation</mode>\n      <overlap>0</overlap>\n"
        "      <bugtracker></bugtracker>\n      <flipped>False</flipped>\n      <subset>",
        (long long)i->task, f->media->name, (long long)f->frames);
    xml_text(f->out, i->split);
    buf_printf(f->out,
        "</subset>\n      <start_frame>0</start_frame>\n      <stop_frame>%lld</stop_frame>\n"
        "      <frame_filter></frame_filter>\n      <labels>\n",
        (long long)(f->frames > 0 ? f->frames - 1 : 0));
    cvat_labels(classes, "any", export_config(f->x), f->out);
    buf_printf(f->out,
        "      </labels>\n      <segments></segments>\n      <original_size>\n"
        "        <width>%.0f</width>\n        <height>%.0f</height>\n      </original_size>\n"
        "      <source>%s%s</source>\n    </task>\n  </meta>\n",
        f->width, f->height, f->media->name, f->media->suffix);
    return bundle_settle(f->bundle);
}

static enum err put_film(struct film *f, const struct export_item *i)
{
    char path[CONTAINER_PATH_MAX];
    enum err e;

    f->keys_only = f->x->options.labelled_only;
    if (!f->keys_only && is_too_long(f)) {
        export_lost(f->x, "frames");
        f->keys_only = true;
    }
    f->bundle = bundle_new();
    if (!f->bundle)
        return ERR_NO_MEMORY;
    f->out = bundle_text(f->bundle);
    e = put_head(f, i);
    for (size_t k = 0; !e && k < f->n; k++)
        e = put_track(f, &f->tracks[k], k);
    buf_puts(f->out, "</annotations>\n");
    if (e) {
        bundle_free(f->bundle);
        return e;
    }
    snprintf(path, sizeof(path), "annotations/%s.xml", f->media->name);
    e = export_bundle(f->x, path, f->bundle, false);
    snprintf(path, sizeof(path), "videos/%s%s", f->media->name, f->media->suffix);
    return e || !f->media->asset ? e : export_media(f->x, path, f->media->asset);
}

/* ---- tasks */

static bool lies_on(const struct shape *s, const struct media *m)
{
    return str_is(s->type, "videorectangle") && str_eq(s->to, m->object->name.text) &&
           s->picture == m->index;
}

/* Its file knows best; else what a region says. */
static void measure(struct film *f, const struct drawing *d)
{
    if (f->media->asset && f->media->asset->width > 0 && f->media->asset->height > 0) {
        f->width = (double)f->media->asset->width;
        f->height = (double)f->media->asset->height;
        return;
    }
    for (size_t i = 0; i < d->nshapes && f->width <= 0; i++)
        if (lies_on(&d->shapes[i], f->media) && d->shapes[i].width > 0) {
            f->width = d->shapes[i].width;
            f->height = d->shapes[i].height;
        }
}

static enum err read_film(struct exporter *x, const struct export_item *i, struct arena *a,
    const struct drawing *d, const struct media *m)
{
    struct film f = {.x = x, .media = m};

    measure(&f, d);
    if (f.width <= 0 || f.height <= 0) {
        export_lost(x, "films.size");
        return ERR_OK;
    }
    f.tracks = arena_array(a, d->nshapes + 1, sizeof(*f.tracks));
    for (size_t k = 0; k < d->nshapes; k++)
        if (lies_on(&d->shapes[k], m))
            read_track(&f, a, &d->shapes[k]);
    return put_film(&f, i);
}

static void count_lost(struct exporter *x, const struct drawing *d, const struct media_list *films)
{
    for (size_t i = 0; i < d->nshapes; i++) {
        bool on_film = false;
        for (size_t k = 0; k < films->n; k++)
            on_film |= lies_on(&d->shapes[i], &films->v[k]);
        if (!on_film)
            export_lost_type(x, "regions", d->shapes[i].type);
    }
    for (size_t i = 0; i < d->nanswers; i++)
        if (!d->answers[i].told)
            export_lost_type(x, "answers", d->answers[i].type);
    for (size_t i = 0; i < d->relations; i++)
        export_lost(x, "relations");
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct arena *a = arena_new();
    struct media_list films = media_find(x, i, MEDIA_FILM, a);
    struct drawing d = {0};
    enum err e = i->label.id ? drawing_read(a, i->label.result, &d) : ERR_OK;

    for (size_t k = 0; !e && k < films.n; k++)
        e = read_film(x, i, a, &d, &films.v[k]);
    if (!e)
        count_lost(x, &d, &films);
    arena_free(a);
    return e == ERR_INVALID ? ERR_CORRUPT : e;
}

const struct format format_cvat_video = {
    .name = "cvat-video",
    .about = "CVAT for video 1.1: tracks, an XML file a film",
    .media_type = "application/xml",
    .extension = ".xml",
    .tree = true,
    .classes = true,
    .begin = begin,
    .item = item,
};
