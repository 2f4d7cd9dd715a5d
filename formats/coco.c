/* Owns COCO: annotations/instances_SPLIT.json, pictures in images/SPLIT/. Boxes, polygons, masks
 * and key points; a turned box is its four corners, its bbox the upright hull in pixels. Ids start
 * at 1: COCOeval takes a match with id 0 for none. Source: cocodataset.org/#format-data, and
 * cocoapi's maskApi.c for the run lengths. */
#include <stdio.h>

#include "formats/classes.h"
#include "formats/exporter.h"
#include "formats/keypoints.h"
#include "formats/picture.h"

enum { DIGITS = 4 };

/* The file of one split. */
struct part {
    struct part *next;
    const char *split;
    struct spool *images, *annotations;
    int64_t nimages, nannotations;
};

struct coco {
    struct classes classes, keypoints;
    struct part *first, **last;
};

/* The picture at hand. */
struct sheet {
    struct exporter *x;
    struct coco *coco;
    struct part *part;
    struct arena *arena;
    const struct picture *picture;
    const struct shape **owners; /* keypoints.h */
};

static enum err begin(struct exporter *x)
{
    struct coco *c = export_state(x, sizeof(*c));

    classes_init(&c->classes, export_arena(x), export_config(x), classes_of_regions);
    classes_init(&c->keypoints, export_arena(x), export_config(x), classes_of_keypoints);
    c->last = &c->first;
    return ERR_OK;
}

static struct part *part_of(struct exporter *x, struct coco *c, const char *split)
{
    struct part *p = c->first;

    while (p && strcmp(p->split, split) != 0)
        p = p->next;
    if (p)
        return p;
    p = arena_alloc(export_arena(x), sizeof(*p));
    p->split = arena_copy(export_arena(x), split, strlen(split));
    p->images = export_spool(x);
    p->annotations = export_spool(x);
    buf_puts(
        &p->images->tail, "{\"info\":{\"description\":\"annotate\"},\"licenses\":[],\"images\":[");
    buf_puts(&p->annotations->tail, "],\"annotations\":[");
    *c->last = p;
    c->last = &p->next;
    return p;
}

static void number(struct buf *out, double v)
{
    export_decimal(out, v, DIGITS);
}

/* ---- run lengths */

/* Column by column, zeros first; each length against the one two before it, in digits of 5 bits. */
static void put_count(struct buf *out, int64_t count)
{
    for (bool more = true; more;) {
        int digit = (int)(count & 0x1f);
        count >>= 5;
        more = digit & 0x10 ? count != -1 : count != 0;
        char c = (char)((more ? digit | 0x20 : digit) + 48);
        if (c == '\\')
            buf_putc(out, '\\');
        buf_putc(out, c);
    }
}

struct runs {
    struct buf *out;
    int64_t n, before[2]; /* runs so far, the last two */
};

static void put_run(struct runs *r, int64_t length)
{
    put_count(r->out, r->n > 2 ? length - r->before[r->n % 2] : length);
    r->before[r->n % 2] = length;
    r->n++;
}

static void put_mask(const struct mask *m, struct buf *out)
{
    struct runs runs = {.out = out};
    bool set = false;
    int64_t length = 0;

    buf_printf(out, "{\"size\":[%zu,%zu],\"counts\":\"", m->height, m->width);
    for (size_t x = 0; x < m->width; x++)
        for (size_t y = 0; y < m->height; y++) {
            if (mask_get(m, x, y) != set) {
                put_run(&runs, length);
                length = 0;
                set = !set;
            }
            length++;
        }
    put_run(&runs, length);
    buf_puts(out, "\"}");
}

/* ---- annotations */

static enum err put_segmentation(
    const struct sheet *h, const struct shape *s, const struct polygon *outline, double *area)
{
    struct buf *out = &h->part->annotations->tail;
    struct mask m;
    size_t left, top, width, height;
    enum err e = ERR_OK;

    if (s->kind == SHAPE_MASK) {
        e = shape_mask(h->arena, s, &m);
        if (!e) {
            put_mask(&m, out);
            *area = (double)mask_bound(&m, &left, &top, &width, &height);
        }
        return e;
    }
    *area = polygon_area(outline);
    if (s->kind == SHAPE_BOX && s->rotation == 0) {
        buf_puts(out, "[]");
        return ERR_OK;
    }
    buf_puts(out, "[[");
    for (size_t i = 0; i < outline->n; i++) {
        number(out, outline->v[i].x);
        buf_putc(out, ',');
        number(out, outline->v[i].y);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_puts(out, "]]");
    return ERR_OK;
}

static void put_points(const struct sheet *h, const struct shape *owner)
{
    struct buf *out = &h->part->annotations->tail;
    size_t n = h->coco->keypoints.n, found;
    const struct shape **points = arena_array(h->arena, n + 1, sizeof(*points));

    found = keypoints_collect(h->x, h->picture, h->owners, owner, &h->coco->keypoints, points);
    if (n == 0)
        return;
    buf_puts(out, ",\"keypoints\":[");
    for (size_t i = 0; i < n; i++) {
        if (!points[i]) {
            buf_puts(out, "0,0,0,");
            continue;
        }
        number(out, points[i]->x);
        buf_putc(out, ',');
        number(out, points[i]->y);
        buf_puts(out, ",2,");
    }
    buf_chop(out, ',');
    buf_printf(out, "],\"num_keypoints\":%zu", found);
}

static enum err put_annotation(const struct sheet *h, const struct shape *s, size_t class)
{
    struct buf *out = &h->part->annotations->tail;
    struct polygon outline = shape_outline(h->arena, s);
    struct point low, high;
    double area = 0;
    enum err e;

    if (!shape_bound(h->arena, s, &low, &high)) {
        export_lost(h->x, "regions.empty");
        return ERR_OK;
    }
    buf_puts(out, h->part->nannotations ? ",\n{\"id\":" : "\n{\"id\":");
    buf_printf(out, "%lld,\"image_id\":%lld,\"category_id\":%zu,\"iscrowd\":0,\"bbox\":[",
        (long long)++h->part->nannotations, (long long)h->part->nimages, class + 1);
    const double box[4] = {low.x, low.y, high.x - low.x, high.y - low.y};
    for (size_t i = 0; i < ARRAY_LEN(box); i++) {
        number(out, box[i]);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_puts(out, "],\"segmentation\":");
    e = put_segmentation(h, s, &outline, &area);
    if (e)
        return e;
    buf_puts(out, ",\"area\":");
    number(out, area);
    put_points(h, s);
    buf_puts(out, ",\"attributes\":{");
    picture_attributes(s, out);
    buf_puts(out, "}}");
    return ERR_OK;
}

static enum err put_shape(const struct sheet *h, const struct shape *s)
{
    struct str label;
    size_t class;

    if (s->kind == SHAPE_POINT) /* it is written with its owner */
        return ERR_OK;
    if (s->kind == SHAPE_LINE) {
        picture_lost(h->x, s);
        return ERR_OK;
    }
    label = picture_label(h->x, s);
    if (label.n == 0)
        return ERR_OK;
    if (s->kind == SHAPE_ELLIPSE)
        export_lost(h->x, "ellipse.as_polygon");
    if (s->curved)
        export_lost(h->x, "curves");
    class = classes_find(&h->coco->classes, label);
    if (class == SIZE_MAX)
        return ERR_FULL;
    struct sheet one = *h;
    one.arena = arena_new(); /* a mask is large, and there may be many */
    enum err e = put_annotation(&one, s, class);
    arena_free(one.arena);
    return e;
}

static void put_image(const struct sheet *h, const struct export_item *i)
{
    struct buf *out = &h->part->images->tail;
    const struct picture *p = h->picture;

    if (p->width <= 0)
        export_lost(h->x, "pictures.size");
    buf_puts(out, h->part->nimages ? ",\n{\"id\":" : "\n{\"id\":");
    buf_printf(out, "%lld,\"width\":", (long long)++h->part->nimages);
    number(out, p->width);
    buf_puts(out, ",\"height\":");
    number(out, p->height);
    buf_printf(out, ",\"file_name\":\"%s%s\",\"coco_url\":", p->name, p->suffix);
    buf_json(out, p->url);
    buf_printf(out, ",\"task\":%lld,\"external_id\":", (long long)i->task);
    buf_json(out, i->external_id);
    buf_putc(out, '}');
}

static enum err put_picture(const struct sheet *h, const struct export_item *i)
{
    char path[CONTAINER_PATH_MAX];
    enum err e = ERR_OK;

    put_image(h, i);
    for (size_t k = 0; !e && k < h->picture->nshapes; k++)
        e = put_shape(h, h->picture->shapes[k]);
    if (!e && h->picture->asset) {
        snprintf(path, sizeof(path), "images/%.64s/%s%s", h->part->split, h->picture->name,
            h->picture->suffix);
        e = export_media(h->x, path, h->picture->asset);
    }
    return e;
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct coco *c = export_state(x, sizeof(*c));
    struct arena *a = arena_new();
    struct part *part = part_of(x, c, export_split(i, a));
    struct pictures pictures;
    enum err e = pictures_read(x, i, a, &pictures);

    for (size_t k = 0; !e && k < pictures.n; k++) {
        struct sheet h = {x, c, part, a, &pictures.v[k], NULL};
        h.owners = keypoints_owners(x, a, h.picture);
        e = put_picture(&h, i);
    }
    if (!e)
        picture_rest_lost(x, &pictures);
    if (!e)
        e = spool_settle(part->images);
    if (!e)
        e = spool_settle(part->annotations);
    arena_free(a);
    return e;
}

static void put_categories(const struct coco *c, struct buf *out)
{
    buf_puts(out, "\n],\"categories\":[");
    for (size_t i = 0; i < c->classes.n; i++) {
        buf_printf(out, "\n{\"id\":%zu,\"name\":", i + 1);
        buf_json(out, c->classes.names[i]);
        buf_puts(out, ",\"supercategory\":\"\"");
        if (c->keypoints.n > 0)
            buf_puts(out, ",\"keypoints\":[");
        for (size_t k = 0; k < c->keypoints.n; k++) {
            buf_json(out, c->keypoints.names[k]);
            buf_putc(out, ',');
        }
        if (c->keypoints.n > 0) {
            buf_chop(out, ',');
            buf_puts(out, "],\"skeleton\":[]");
        }
        buf_puts(out, "},");
    }
    buf_chop(out, ',');
    buf_puts(out, "]}\n");
}

static enum err end(struct exporter *x)
{
    struct coco *c = export_state(x, sizeof(*c));
    enum err e = ERR_OK;

    for (struct part *p = c->first; !e && p; p = p->next) {
        char path[CONTAINER_PATH_MAX];
        struct spool *const pieces[] = {p->images, p->annotations};
        put_categories(c, &p->annotations->tail);
        snprintf(path, sizeof(path), "annotations/instances_%.64s.json", p->split);
        e = export_join(x, path, pieces, ARRAY_LEN(pieces));
    }
    return e;
}

const struct format format_coco = {
    .name = "coco",
    .about = "COCO instances and key points, one file a split",
    .media_type = "application/json",
    .extension = ".json",
    .tree = true,
    .classes = true,
    .begin = begin,
    .item = item,
    .end = end,
};
