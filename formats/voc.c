/* Owns Pascal VOC: Annotations/NAME.xml, JPEGImages/, ImageSets/Main/SPLIT.txt, and labelmap.txt,
 * by which readers of today know labels that are not VOC's twenty. Upright boxes only. Coordinates
 * are whole pixels counted from 0, xmax and ymax just behind the box, as today's readers take them
 * (the devkit's own counted from 1, inclusive). Source: the VOC2012 devkit documentation. */
#include <math.h>
#include <stdio.h>

#include "formats/classes.h"
#include "formats/exporter.h"
#include "formats/picture.h"
#include "formats/split_spools.h"
#include "formats/xml.h"

struct voc {
    struct classes classes;
    struct split_spools sets; /* of names */
};

static enum err begin(struct exporter *x)
{
    struct voc *v = export_state(x, sizeof(*v));

    classes_init(&v->classes, export_arena(x), export_config(x), classes_of_regions);
    return ERR_OK;
}

static void put_object(
    struct exporter *x, struct arena *a, const struct shape *s, struct str label, struct buf *out)
{
    struct point low, high;

    if (!shape_bound(a, s, &low, &high)) {
        export_lost(x, "regions.empty");
        return;
    }
    if (s->kind != SHAPE_BOX || s->rotation != 0)
        export_lost_type(x, "as_box", s->type);
    const long long box[4] = {llround(low.x), llround(low.y), llround(high.x), llround(high.y)};
    if (fabs(low.x - (double)box[0]) + fabs(low.y - (double)box[1]) +
            fabs(high.x - (double)box[2]) + fabs(high.y - (double)box[3]) >
        1e-6)
        export_lost(x, "rounded");
    buf_puts(out, "  <object>\n    <name>");
    xml_text(out, label);
    buf_puts(out, "</name>\n    <pose>Unspecified</pose>\n    <truncated>0</truncated>\n"
                  "    <difficult>0</difficult>\n    <bndbox>\n");
    buf_printf(out,
        "      <xmin>%lld</xmin>\n      <ymin>%lld</ymin>\n"
        "      <xmax>%lld</xmax>\n      <ymax>%lld</ymax>\n    </bndbox>\n  </object>\n",
        box[0], box[1], box[2], box[3]);
}

static void put_shape(struct exporter *x, const struct shape *s, struct buf *out)
{
    struct voc *v = export_state(x, sizeof(*v));
    struct arena *a;
    struct str label;

    if (s->kind == SHAPE_LINE || s->kind == SHAPE_POINT) {
        picture_lost(x, s);
        return;
    }
    label = picture_label(x, s);
    if (label.n == 0)
        return;
    (void)classes_find(&v->classes, label); /* too many: the map is short of some */
    a = arena_new();                        /* a mask is large, and there may be many */
    put_object(x, a, s, label, out);
    arena_free(a);
}

static enum err put_picture(struct exporter *x, const struct picture *p)
{
    char path[CONTAINER_PATH_MAX];
    struct buf out;
    enum err e;

    buf_init(&out, BUF_MAX_PACK);
    buf_printf(&out, "<annotation>\n  <folder>JPEGImages</folder>\n  <filename>%s%s</filename>\n",
        p->name, p->suffix);
    buf_puts(&out, "  <source>\n    <database>annotate</database>\n  </source>\n");
    buf_printf(&out,
        "  <size>\n    <width>%lld</width>\n    <height>%lld</height>\n    <depth>3</depth>\n"
        "  </size>\n  <segmented>0</segmented>\n",
        llround(p->width), llround(p->height));
    if (p->width <= 0)
        export_lost(x, "pictures.size");
    for (size_t i = 0; i < p->nshapes; i++)
        put_shape(x, p->shapes[i], &out);
    buf_puts(&out, "</annotation>\n");
    snprintf(path, sizeof(path), "Annotations/%s.xml", p->name);
    e = buf_err(&out) ? buf_err(&out) : export_file(x, path, buf_view(&out));
    buf_release(&out);
    snprintf(path, sizeof(path), "JPEGImages/%s%s", p->name, p->suffix);
    return e || !p->asset ? e : export_media(x, path, p->asset);
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct voc *v = export_state(x, sizeof(*v));
    struct arena *a = arena_new();
    struct spool *names = split_spool_of(x, &v->sets, export_split(i, a));
    struct pictures pictures;
    enum err e = pictures_read(x, i, a, &pictures);

    for (size_t k = 0; !e && k < pictures.n; k++) {
        e = put_picture(x, &pictures.v[k]);
        buf_puts(&names->tail, pictures.v[k].name);
        buf_putc(&names->tail, '\n');
    }
    if (!e)
        picture_rest_lost(x, &pictures);
    arena_free(a);
    return e ? e : spool_settle(names);
}

/* name:colour:parts:actions. A name that the map cannot say is in the annotations all the same. */
static enum err put_map(struct exporter *x, const struct voc *v)
{
    struct buf out;
    enum err e;

    buf_init(&out, BUF_MAX_PACK);
    buf_puts(&out, "# label:color_rgb:parts:actions\n");
    for (size_t i = 0; i < v->classes.n; i++) {
        struct str name = v->classes.names[i];
        if (name.p[0] == '#' || memchr(name.p, ':', name.n) || memchr(name.p, '\n', name.n))
            export_lost(x, "labelmap");
        else
            buf_printf(&out, "%.*s:::\n", STR_FMT(name));
    }
    e = buf_err(&out) ? buf_err(&out) : export_file(x, "labelmap.txt", buf_view(&out));
    buf_release(&out);
    return e;
}

static enum err end(struct exporter *x)
{
    struct voc *v = export_state(x, sizeof(*v));
    char path[CONTAINER_PATH_MAX];
    enum err e = put_map(x, v);

    for (struct split_spool *s = v->sets.first; !e && s; s = s->next) {
        snprintf(path, sizeof(path), "ImageSets/Main/%.64s.txt", s->split);
        e = export_join(x, path, &s->spool, 1);
    }
    return e;
}

const struct format format_voc = {
    .name = "voc",
    .about = "Pascal VOC: upright boxes, an XML file a picture",
    .media_type = "application/xml",
    .extension = ".xml",
    .tree = true,
    .classes = true,
    .begin = begin,
    .item = item,
    .end = end,
};
