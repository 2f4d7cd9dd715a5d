/* Owns masks as PNG in the layout of Pascal VOC's segmentation task, which CVAT and Datumaro read
 * as "segmentation mask": SegmentationClass/NAME.png holds the class of each pixel,
 * SegmentationObject/NAME.png its object, 0 is the background; in VOC's colours, which labelmap.txt
 * says. A later region lies over an earlier one, as in the editor. Sources: the VOC2012 devkit
 * documentation; CVAT's documentation, format_smask. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/bundle.h"
#include "formats/classes.h"
#include "formats/exporter.h"
#include "formats/picture.h"
#include "formats/png_rows.h"
#include "formats/raster.h"
#include "formats/split_spools.h"

struct masks {
    struct classes classes;
    size_t background; /* the class of that name, which is none; SIZE_MAX: there is none */
    struct split_spools sets;
    struct png_colour palette[PNG_ROWS_PALETTE];
};

/* A region that is painted. */
struct layer {
    const struct shape *shape;
    struct raster *raster;
    uint32_t class, object;
    uint64_t drawn, seen; /* pixels */
};

/* The picture at hand. */
struct sheet {
    struct exporter *x;
    struct masks *masks;
    struct arena *arena;
    size_t width, height;
    struct layer *layers;
    size_t n;
    uint32_t *top;                    /* of a row: the uppermost layer and 1; 0: none */
    uint32_t most_class, most_object; /* that there are */
};

/* ---- classes */

/* VOC's: the bits of the number go to the three colours in turn, the lowest to the highest. */
static struct png_colour colour_of(size_t number)
{
    struct png_colour c = {0, 0, 0};

    for (unsigned bit = 0x80; bit; bit >>= 1, number >>= 3) {
        c.red |= (unsigned char)(number & 1 ? bit : 0);
        c.green |= (unsigned char)(number & 2 ? bit : 0);
        c.blue |= (unsigned char)(number & 4 ? bit : 0);
    }
    return c;
}

static enum err begin(struct exporter *x)
{
    struct masks *m = export_state(x, sizeof(*m));

    classes_init(&m->classes, export_arena(x), export_config(x), classes_of_regions);
    m->background = SIZE_MAX;
    for (size_t i = 0; i < m->classes.n; i++)
        if (str_is(m->classes.names[i], "background"))
            m->background = i;
    for (size_t i = 0; i < PNG_ROWS_PALETTE; i++)
        m->palette[i] = colour_of(i);
    return ERR_OK;
}

/* From 1; 0 is the background. */
static uint32_t number_of(const struct masks *m, size_t class)
{
    if (class == m->background)
        return 0;
    return (uint32_t)(class < m->background ? class + 1 : class);
}

/* ---- a picture */

static enum err add_layer(struct sheet *h, const struct shape *s)
{
    struct layer *l = &h->layers[h->n];
    struct masks *m = h->masks;
    struct str label;
    size_t class;
    enum err e;

    if (s->kind == SHAPE_LINE || s->kind == SHAPE_POINT) {
        picture_lost(h->x, s);
        return ERR_OK;
    }
    label = picture_label(h->x, s);
    if (label.n == 0)
        return ERR_OK;
    class = classes_find(&m->classes, label);
    if (class == SIZE_MAX)
        return ERR_FULL;
    if (str_is(label, "background"))
        m->background = class;
    *l = (struct layer){.shape = s, .class = number_of(m, class)};
    e = raster_new(h->arena, s, h->width, h->height, &l->raster);
    if (e || !l->raster) {
        if (!e)
            picture_lost(h->x, s);
        return e;
    }
    if (l->class)
        l->object = ++h->most_object;
    h->most_class = l->class > h->most_class ? l->class : h->most_class;
    h->n++;
    return ERR_OK;
}

static void paint_row(struct sheet *h, size_t y)
{
    memset(h->top, 0, h->width * sizeof(*h->top));
    for (size_t i = 0; i < h->n; i++) {
        const struct stretch *v;
        size_t n = raster_row(h->layers[i].raster, y, &v);
        for (size_t k = 0; k < n; k++) {
            h->layers[i].drawn += v[k].to - v[k].from;
            for (uint32_t x = v[k].from; x < v[k].to; x++)
                h->top[x] = (uint32_t)i + 1;
        }
    }
    for (size_t x = 0; x < h->width; x++)
        if (h->top[x])
            h->layers[h->top[x] - 1].seen++;
}

/* One of the two pictures of a picture. */
struct plane {
    struct bundle *bundle;
    struct png_rows *png;
    unsigned char *row;
    bool objects, coloured; /* coloured: there are more numbers than a palette has */
};

static enum err begin_plane(struct sheet *h, struct plane *p, bool objects)
{
    p->objects = objects;
    p->coloured = (objects ? h->most_object : h->most_class) >= PNG_ROWS_PALETTE;
    p->row = arena_array(h->arena, h->width, p->coloured ? 3 : 1);
    p->bundle = bundle_new();
    if (!p->bundle)
        return ERR_NO_MEMORY;
    return png_rows_begin(&p->png, bundle_text(p->bundle), h->width, h->height,
        p->coloured ? NULL : h->masks->palette);
}

static enum err put_row(const struct sheet *h, struct plane *p)
{
    enum err e;

    for (size_t x = 0; x < h->width; x++) {
        const struct layer *l = h->top[x] ? &h->layers[h->top[x] - 1] : NULL;
        uint32_t number = !l ? 0 : p->objects ? l->object : l->class;
        if (p->coloured) {
            struct png_colour c = colour_of(number);
            memcpy(p->row + 3 * x, &c, 3);
        } else {
            p->row[x] = (unsigned char)number;
        }
    }
    e = png_rows_put(p->png, p->row);
    return e ? e : bundle_settle(p->bundle);
}

static enum err end_plane(struct sheet *h, struct plane *p, const char *directory, const char *name)
{
    struct bundle *bundle = p->bundle;
    char path[CONTAINER_PATH_MAX];
    enum err e = png_rows_end(p->png);

    if (e)
        return e;
    snprintf(path, sizeof(path), "%s/%s.png", directory, name);
    p->bundle = NULL;
    return export_bundle(h->x, path, bundle, true);
}

static enum err put_planes(struct sheet *h, const char *name)
{
    struct plane classes = {0}, objects = {0};
    enum err e = begin_plane(h, &classes, false);

    if (!e)
        e = begin_plane(h, &objects, true);
    for (size_t y = 0; !e && y < h->height; y++) {
        paint_row(h, y);
        e = put_row(h, &classes);
        if (!e)
            e = put_row(h, &objects);
    }
    if (!e)
        e = end_plane(h, &classes, "SegmentationClass", name);
    if (!e)
        e = end_plane(h, &objects, "SegmentationObject", name);
    png_rows_free(classes.png);
    png_rows_free(objects.png);
    bundle_free(classes.bundle);
    bundle_free(objects.bundle);
    return e;
}

/* Hidden in part or wholly; or too small for any pixel's centre. */
static void count_hidden(const struct sheet *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->layers[i].drawn == 0)
            export_lost(h->x, "regions.empty");
        else if (h->layers[i].seen < h->layers[i].drawn)
            export_lost(h->x, "overlaps");
}

static bool has_size(const struct picture *p)
{
    return p->width >= 1 && p->height >= 1 && p->width <= MASK_SIDE && p->height <= MASK_SIDE &&
           p->width * p->height <= MASK_PIXELS;
}

static enum err put_picture(struct exporter *x, const struct picture *p, struct spool *names)
{
    struct arena *a = arena_new();
    struct sheet h = {.x = x,
        .masks = export_state(x, sizeof(struct masks)),
        .arena = a,
        .width = (size_t)llround(p->width),
        .height = (size_t)llround(p->height),
        .layers = arena_array(a, p->nshapes + 1, sizeof(*h.layers))};
    char path[CONTAINER_PATH_MAX];
    enum err e = ERR_OK;

    h.top = arena_array(a, h.width, sizeof(*h.top));
    for (size_t i = 0; !e && i < p->nshapes; i++)
        e = add_layer(&h, p->shapes[i]);
    if (!e)
        e = put_planes(&h, p->name);
    if (!e)
        count_hidden(&h);
    arena_free(a);
    buf_puts(&names->tail, p->name);
    buf_putc(&names->tail, '\n');
    snprintf(path, sizeof(path), "JPEGImages/%s%s", p->name, p->suffix);
    return e || !p->asset ? e : export_media(x, path, p->asset);
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct masks *m = export_state(x, sizeof(*m));
    struct arena *a = arena_new();
    struct spool *names = split_spool_of(x, &m->sets, export_split(i, a));
    struct pictures pictures;
    enum err e = pictures_read(x, i, a, &pictures);

    for (size_t k = 0; !e && k < pictures.n; k++) {
        if (has_size(&pictures.v[k]))
            e = put_picture(x, &pictures.v[k], names);
        else
            export_lost(x, "pictures.size");
    }
    if (!e)
        picture_rest_lost(x, &pictures);
    arena_free(a);
    return e == ERR_INVALID ? ERR_CORRUPT : e ? e : spool_settle(names);
}

/* ---- the map */

/* A name that the map cannot say has "_" for what is in the way, and the beginning of its SHA-256
 * behind it, which keeps it apart from others. */
static void put_name(struct exporter *x, struct str name, struct buf *out)
{
    bool changed = str_trim(name).n != name.n || name.p[0] == '#';

    for (size_t i = 0; i < name.n; i++) {
        bool bad = strchr(":\n\r", name.p[i]) || (i == 0 && name.p[i] == '#');
        buf_putc(out, bad ? '_' : name.p[i]);
        changed |= bad;
    }
    if (changed) {
        buf_printf(out, "-%08llx", (unsigned long long)(sha256_u64(sha256_of(name)) >> 32));
        export_lost(x, "names");
    }
}

/* name:colour:parts:actions, in the order of the numbers. */
static enum err put_map(struct exporter *x, const struct masks *m)
{
    struct buf out;
    enum err e;

    buf_init(&out, BUF_MAX_PACK);
    buf_puts(&out, "# label:color_rgb:parts:actions\nbackground:0,0,0::\n");
    for (size_t i = 0; i < m->classes.n; i++) {
        struct png_colour c = colour_of(number_of(m, i));
        if (i == m->background)
            continue;
        put_name(x, m->classes.names[i], &out);
        buf_printf(&out, ":%d,%d,%d::\n", c.red, c.green, c.blue);
    }
    e = buf_err(&out) ? buf_err(&out) : export_file(x, "labelmap.txt", buf_view(&out));
    buf_release(&out);
    return e;
}

static enum err end(struct exporter *x)
{
    const struct masks *m = export_state(x, sizeof(*m));
    char path[CONTAINER_PATH_MAX];
    enum err e = put_map(x, m);

    for (struct split_spool *s = m->sets.first; !e && s; s = s->next) {
        snprintf(path, sizeof(path), "ImageSets/Segmentation/%.64s.txt", s->split);
        e = export_join(x, path, &s->spool, 1);
    }
    return e;
}

const struct format format_masks = {
    .name = "masks",
    .about = "PNG masks of classes and objects, in the layout of Pascal VOC",
    .media_type = "image/png",
    .extension = ".png",
    .tree = true,
    .classes = true,
    .begin = begin,
    .item = item,
    .end = end,
};
