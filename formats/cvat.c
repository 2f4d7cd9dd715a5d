/* Owns CVAT for images 1.1: annotations.xml and images/SPLIT/. Source: CVAT's documentation,
 * xml_format. */
#include <math.h>
#include <stdio.h>

#include "core/label_check.h"
#include "formats/classes.h"
#include "formats/cvat_xml.h"
#include "formats/exporter.h"
#include "formats/picture.h"
#include "formats/xml.h"

struct cvat {
    struct classes classes, keypoints, tags;
    struct spool *images;
    int64_t nimages;
};

/* The picture at hand. */
struct sheet {
    struct exporter *x;
    struct cvat *cvat;
    const struct pictures *pictures;
    const struct picture *picture;
    struct buf *out;
};

static enum err begin(struct exporter *x)
{
    struct cvat *c = export_state(x, sizeof(*c));

    classes_init(&c->classes, export_arena(x), export_config(x), classes_of_regions);
    classes_init(&c->keypoints, export_arena(x), export_config(x), classes_of_keypoints);
    classes_init(&c->tags, export_arena(x), export_config(x), classes_of_choices);
    c->images = export_spool(x);
    return ERR_OK;
}

/* ---- shapes */

static void put_ellipse(struct buf *out, const struct shape *s)
{
    cvat_number(out, "cx", s->x);
    cvat_number(out, "cy", s->y);
    cvat_number(out, "rx", s->w);
    cvat_number(out, "ry", s->h);
    cvat_rotation(out, s);
}

static void put_points(struct buf *out, const struct point *v, size_t n)
{
    buf_puts(out, " points=\"");
    for (size_t i = 0; i < n; i++) {
        export_decimal(out, v[i].x, CVAT_DIGITS);
        buf_putc(out, ',');
        export_decimal(out, v[i].y, CVAT_DIGITS);
        if (i + 1 < n)
            buf_putc(out, ';');
    }
    buf_putc(out, '"');
}

/* Row by row inside the mask's upright box, zeros first. */
static enum err put_mask(const struct sheet *h, const struct shape *s)
{
    struct arena *a = arena_new();
    size_t left = 0, top = 0, width = 0, height = 0, run = 0;
    struct mask m;
    bool set = false;
    enum err e = shape_mask(a, s, &m);

    if (!e) {
        (void)mask_bound(&m, &left, &top, &width, &height);
        buf_puts(h->out, " rle=\"");
        for (size_t i = 0; i < width * height; i++) {
            bool now = mask_get(&m, left + i % width, top + i / width);
            if (now != set) {
                buf_printf(h->out, "%zu, ", run);
                run = 0;
            }
            set = now;
            run++;
        }
        buf_printf(h->out, "%zu\" left=\"%zu\" top=\"%zu\" width=\"%zu\" height=\"%zu\"", run, left,
            top, width, height);
    }
    arena_free(a);
    return e;
}

static const char *const elements[] = {
    [SHAPE_BOX] = "box",
    [SHAPE_ELLIPSE] = "ellipse",
    [SHAPE_POLYGON] = "polygon",
    [SHAPE_LINE] = "polyline",
    [SHAPE_POINT] = "points",
    [SHAPE_MASK] = "mask",
};

static enum err put_place(const struct sheet *h, const struct shape *s)
{
    switch (s->kind) {
    case SHAPE_BOX:
        cvat_box(h->out, s);
        break;
    case SHAPE_ELLIPSE:
        put_ellipse(h->out, s);
        break;
    case SHAPE_POINT:
        put_points(h->out, &(struct point){s->x, s->y}, 1);
        break;
    case SHAPE_MASK:
        return put_mask(h, s);
    case SHAPE_POLYGON:
    case SHAPE_LINE:
        put_points(h->out, s->v, s->n);
        if (s->curved)
            export_lost(h->x, "curves");
        break;
    case SHAPE_OTHER:
        break;
    }
    return ERR_OK;
}

/* A mask without a pixel, whose box would have no side. */
static bool is_empty(const struct shape *s)
{
    struct arena *a = arena_new();
    struct point low, high;
    bool empty = s->kind == SHAPE_MASK && !shape_bound(a, s, &low, &high);

    arena_free(a);
    return empty;
}

static enum err put_shape(const struct sheet *h, const struct shape *s)
{
    struct classes *names = s->kind == SHAPE_POINT ? &h->cvat->keypoints : &h->cvat->classes;
    struct str label;
    enum err e;

    if (s->kind == SHAPE_LINE && s->n < 2) {
        picture_lost(h->x, s);
        return ERR_OK;
    }
    label = picture_label(h->x, s);
    if (label.n == 0)
        return ERR_OK;
    if (is_empty(s)) {
        export_lost(h->x, "regions.empty");
        return ERR_OK;
    }
    if (classes_find(names, label) == SIZE_MAX)
        return ERR_FULL;
    buf_printf(h->out, "    <%s", elements[s->kind]);
    cvat_text(h->out, "label", label);
    buf_puts(h->out, " source=\"manual\" occluded=\"0\"");
    e = put_place(h, s);
    buf_puts(h->out, " z_order=\"0\">\n");
    cvat_attributes(h->out, s);
    buf_printf(h->out, "    </%s>\n", elements[s->kind]);
    return e;
}

/* ---- pictures */

/* Choices about the whole picture. */
static bool is_tag(const struct picture *p, const struct shape_answer *a)
{
    return !a->region && a->picture == p->index && str_eq(a->to, p->object->name.text) &&
           str_is(a->type, "choices") && json_object_is_type(a->said, json_type_array);
}

static enum err put_tags(const struct sheet *h)
{
    for (size_t i = 0; i < h->pictures->drawing.nanswers; i++) {
        struct shape_answer *a = &h->pictures->drawing.answers[i];
        size_t n = is_tag(h->picture, a) ? json_object_array_length(a->said) : 0;
        for (size_t k = 0; k < n; k++) {
            struct json_object *one = json_object_array_get_idx(a->said, k);
            if (!json_object_is_type(one, json_type_string)) {
                export_lost(h->x, "answers.choices");
                continue;
            }
            if (classes_find(&h->cvat->tags, json_str(one)) == SIZE_MAX)
                return ERR_FULL;
            buf_puts(h->out, "    <tag");
            cvat_text(h->out, "label", json_str(one));
            buf_puts(h->out, " source=\"manual\"></tag>\n");
        }
        a->told |= n > 0;
    }
    return ERR_OK;
}

static enum err put_picture(const struct sheet *h, const char *split)
{
    const struct picture *p = h->picture;
    char path[CONTAINER_PATH_MAX];
    enum err e = ERR_OK;

    if (p->width <= 0)
        export_lost(h->x, "pictures.size");
    buf_printf(h->out, "  <image id=\"%lld\" name=\"%s/%s%s\"", (long long)h->cvat->nimages++,
        split, p->name, p->suffix);
    cvat_number(h->out, "width", p->width);
    cvat_number(h->out, "height", p->height);
    buf_puts(h->out, ">\n");
    for (size_t k = 0; !e && k < p->nshapes; k++)
        e = put_shape(h, p->shapes[k]);
    if (!e)
        e = put_tags(h);
    buf_puts(h->out, "  </image>\n");
    snprintf(path, sizeof(path), "images/%.64s/%s%s", split, p->name, p->suffix);
    return e || !p->asset ? e : export_media(h->x, path, p->asset);
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct cvat *c = export_state(x, sizeof(*c));
    struct arena *a = arena_new();
    const char *split = export_split(i, a);
    struct pictures pictures;
    enum err e = pictures_read(x, i, a, &pictures);

    for (size_t k = 0; !e && k < pictures.n; k++) {
        struct sheet h = {x, c, &pictures, &pictures.v[k], &c->images->tail};
        e = put_picture(&h, split);
    }
    if (!e)
        picture_rest_lost(x, &pictures);
    arena_free(a);
    return e ? e : spool_settle(c->images);
}

/* ---- the head: what labels and attributes there are */

static enum err end(struct exporter *x)
{
    struct cvat *c = export_state(x, sizeof(*c));
    struct spool *head = export_spool(x);
    struct spool *const pieces[] = {head, c->images};
    struct buf *out = &head->tail;

    buf_puts(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n"
                  "  <version>1.1</version>\n  <meta>\n    <task>\n      <id>1</id>\n      <name>");
    xml_text(out, x->options.name);
    buf_printf(out,
        "</name>\n      <size>%lld</size>\n      <mode>annotation</mode>\n"
        "      <overlap>0</overlap>\n      <bugtracker></bugtracker>\n"
        "      <flipped>False</flipped>\n      <labels>\n",
        (long long)c->nimages);
    cvat_labels(&c->classes, "any", export_config(x), out);
    cvat_labels(&c->keypoints, "points", export_config(x), out);
    cvat_labels(&c->tags, "tag", export_config(x), out);
    buf_puts(out, "      </labels>\n      <segments></segments>\n    </task>\n  </meta>\n");
    buf_puts(&c->images->tail, "</annotations>\n");
    return export_join(x, "annotations.xml", pieces, ARRAY_LEN(pieces));
}

const struct format format_cvat = {
    .name = "cvat",
    .about = "CVAT for images 1.1",
    .media_type = "application/xml",
    .extension = ".xml",
    .tree = true,
    .classes = true,
    .begin = begin,
    .item = item,
    .end = end,
};
