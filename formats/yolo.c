/* Owns YOLO as Ultralytics reads it: labels/SPLIT/NAME.txt beside images/SPLIT/NAME.jpg, data.yaml.
 * A line an object: class, then a box, a polygon, four corners or key points, all in parts of the
 * picture's sides. One kind of line a data set, so a format each. Source:
 * docs.ultralytics.com/datasets.
 */
#include <stdio.h>

#include "core/mask_outline.h"
#include "formats/exporter.h"
#include "formats/keypoints.h"
#include "formats/picture.h"
#include "formats/yaml.h"

enum { DIGITS = 6, SPLITS = EXPORT_SPLITS };

struct yolo {
    struct classes classes, keypoints;
    const char *splits[SPLITS];
    size_t nsplits;
};

struct sheet;
/* Writes a shape as a line. */
typedef enum err yolo_line(const struct sheet *h, const struct shape *s, size_t class);

/* The picture at hand. */
struct sheet {
    struct exporter *x;
    struct yolo *yolo;
    struct arena *arena;
    const struct picture *picture;
    const struct shape **owners;
    struct buf *out;
};

static enum err begin(struct exporter *x)
{
    struct yolo *y = export_state(x, sizeof(*y));

    classes_init(&y->classes, export_arena(x), export_config(x), classes_of_regions);
    classes_init(&y->keypoints, export_arena(x), export_config(x), classes_of_keypoints);
    return ERR_OK;
}

static enum err begin_pose(struct exporter *x)
{
    struct yolo *y = export_state(x, sizeof(*y));
    enum err e = begin(x);

    if (!e && y->keypoints.n == 0)
        e = export_refuse(x, "yolo-pose needs a KeyPointLabels control");
    return e;
}

/* ---- lines */

static void number(struct buf *out, double v)
{
    buf_putc(out, ' ');
    export_decimal(out, v < 0 ? 0 : v > 1 ? 1 : v, DIGITS);
}

static void put_point(const struct sheet *h, struct point p)
{
    if (p.x < 0 || p.y < 0 || p.x > h->picture->width || p.y > h->picture->height)
        export_lost(h->x, "clipped");
    number(h->out, p.x / h->picture->width);
    number(h->out, p.y / h->picture->height);
}

/* The class, and centre and sides of the upright box around it. */
static bool put_box(const struct sheet *h, const struct shape *s, size_t class)
{
    struct point low, high;

    if (!shape_bound(h->arena, s, &low, &high)) {
        export_lost(h->x, "regions.empty");
        return false;
    }
    buf_printf(h->out, "%zu", class);
    number(h->out, (low.x + high.x) / 2 / h->picture->width);
    number(h->out, (low.y + high.y) / 2 / h->picture->height);
    number(h->out, (high.x - low.x) / h->picture->width);
    number(h->out, (high.y - low.y) / h->picture->height);
    return true;
}

static enum err detect(const struct sheet *h, const struct shape *s, size_t class)
{
    if (s->kind != SHAPE_BOX || s->rotation != 0)
        export_lost_type(h->x, "as_box", s->type);
    if (put_box(h, s, class))
        buf_putc(h->out, '\n');
    return ERR_OK;
}

static void put_polygon(const struct sheet *h, const struct polygon *p, size_t class)
{
    buf_printf(h->out, "%zu", class);
    for (size_t i = 0; i < p->n; i++)
        put_point(h, p->v[i]);
    buf_putc(h->out, '\n');
}

static enum err segment_mask(const struct sheet *h, const struct shape *s, size_t class)
{
    struct mask_parts parts = {0};
    struct mask m;
    enum err e = shape_mask(h->arena, s, &m);

    if (!e)
        e = mask_outline(h->arena, &m, &parts);
    for (size_t i = 0; i < parts.n; i++)
        put_polygon(h, &parts.v[i], class);
    if (parts.holes)
        export_lost(h->x, "holes");
    if (parts.n > 1)
        export_lost(h->x, "parts"); /* a line each: several objects now */
    if (!e && parts.n == 0)
        export_lost(h->x, "regions.empty");
    return e;
}

static enum err segment(const struct sheet *h, const struct shape *s, size_t class)
{
    struct polygon outline = shape_outline(h->arena, s);

    if (s->kind == SHAPE_MASK)
        return segment_mask(h, s, class);
    if (s->kind == SHAPE_ELLIPSE)
        export_lost_type(h->x, "as_polygon", s->type);
    if (s->curved)
        export_lost(h->x, "curves");
    put_polygon(h, &outline, class);
    return ERR_OK;
}

static enum err oriented(const struct sheet *h, const struct shape *s, size_t class)
{
    struct shape upright = {.kind = SHAPE_BOX};
    struct point corners[4], low, high;

    if (s->kind != SHAPE_BOX) {
        export_lost_type(h->x, "as_box", s->type);
        if (!shape_bound(h->arena, s, &low, &high)) {
            export_lost(h->x, "regions.empty");
            return ERR_OK;
        }
        upright.x = low.x, upright.y = low.y;
        upright.w = high.x - low.x, upright.h = high.y - low.y;
    }
    shape_corners(s->kind == SHAPE_BOX ? s : &upright, corners);
    put_polygon(h, &(struct polygon){.v = corners, .n = 4}, class);
    return ERR_OK;
}

static enum err pose(const struct sheet *h, const struct shape *s, size_t class)
{
    const struct classes *names = &h->yolo->keypoints;
    const struct shape **points = arena_array(h->arena, names->n + 1, sizeof(*points));

    if (s->kind != SHAPE_BOX || s->rotation != 0)
        export_lost_type(h->x, "as_box", s->type);
    if (!put_box(h, s, class))
        return ERR_OK;
    (void)keypoints_collect(h->x, h->picture, h->owners, s, names, points);
    for (size_t i = 0; i < names->n; i++) {
        if (points[i])
            put_point(h, (struct point){points[i]->x, points[i]->y});
        buf_puts(h->out, points[i] ? " 2" : " 0 0 0");
    }
    buf_putc(h->out, '\n');
    return ERR_OK;
}

/* ---- files */

static enum err put_shape(struct sheet *h, const struct shape *s, yolo_line *line)
{
    struct arena *outer = h->arena;
    struct str label;
    size_t class;
    enum err e;

    if (s->kind == SHAPE_POINT && h->owners)
        return ERR_OK; /* it is written with its owner */
    if (s->kind == SHAPE_LINE || s->kind == SHAPE_POINT) {
        picture_lost(h->x, s);
        return ERR_OK;
    }
    label = picture_label(h->x, s);
    if (label.n == 0)
        return ERR_OK;
    class = classes_find(&h->yolo->classes, label);
    if (class == SIZE_MAX)
        return ERR_FULL;
    h->arena = arena_new(); /* a mask is large, and there may be many */
    e = line(h, s, class);
    arena_free(h->arena);
    h->arena = outer;
    return e;
}

/* A picture without objects has an empty file: it was looked at. */
static enum err put_picture(struct sheet *h, const char *split, yolo_line *line)
{
    const struct picture *p = h->picture;
    char path[CONTAINER_PATH_MAX];
    struct buf out;
    enum err e = ERR_OK;

    if (p->unmeasured) {
        export_lost(h->x, "pictures.size");
        return ERR_OK;
    }
    buf_init(&out, BUF_MAX_PACK);
    h->out = &out;
    for (size_t k = 0; !e && k < p->nshapes; k++)
        e = put_shape(h, p->shapes[k], line);
    if (!e)
        e = buf_err(&out);
    snprintf(path, sizeof(path), "labels/%.64s/%s.txt", split, p->name);
    if (!e)
        e = export_file(h->x, path, buf_view(&out));
    buf_release(&out);
    snprintf(path, sizeof(path), "images/%.64s/%s%s", split, p->name, p->suffix);
    return e || !p->asset ? e : export_media(h->x, path, p->asset);
}

/* false: beyond what a release may have. */
static bool note_split(struct exporter *x, struct yolo *y, const char *split)
{
    size_t i = 0;

    while (i < y->nsplits && strcmp(y->splits[i], split) != 0)
        i++;
    if (i == SPLITS)
        return false;
    if (i == y->nsplits)
        y->splits[y->nsplits++] = arena_copy(export_arena(x), split, strlen(split));
    return true;
}

static enum err put_item(
    struct exporter *x, const struct export_item *i, yolo_line *line, bool points)
{
    struct yolo *y = export_state(x, sizeof(*y));
    struct arena *a = arena_new();
    const char *split = export_split(i, a);
    struct pictures pictures;
    enum err e = pictures_read(x, i, a, &pictures);

    if (!e && !note_split(x, y, split))
        e = ERR_INVALID;
    for (size_t k = 0; !e && k < pictures.n; k++) {
        struct sheet h = {.x = x, .yolo = y, .arena = a, .picture = &pictures.v[k]};
        if (points)
            h.owners = keypoints_owners(x, a, h.picture);
        e = put_picture(&h, split, line);
    }
    if (!e)
        picture_rest_lost(x, &pictures);
    arena_free(a);
    return e;
}

static enum err item_detect(struct exporter *x, const struct export_item *i)
{
    return put_item(x, i, detect, false);
}

static enum err item_segment(struct exporter *x, const struct export_item *i)
{
    return put_item(x, i, segment, false);
}

static enum err item_oriented(struct exporter *x, const struct export_item *i)
{
    return put_item(x, i, oriented, false);
}

static enum err item_pose(struct exporter *x, const struct export_item *i)
{
    return put_item(x, i, pose, true);
}

/* ---- data.yaml */

static const char *split_or(const struct yolo *y, const char *wanted)
{
    for (size_t i = 0; i < y->nsplits; i++)
        if (strcmp(y->splits[i], wanted) == 0)
            return wanted;
    return NULL;
}

/* What else a line of data.yaml can be for. */
static bool is_key(const char *split)
{
    static const char *const keys[] = {
        "path", "names", "nc", "channels", "kpt_shape", "kpt_names", "flip_idx", "download"};
    size_t i = 0;

    while (i < ARRAY_LEN(keys) && strcmp(split, keys[i]) != 0)
        i++;
    return i < ARRAY_LEN(keys);
}

/* Ultralytics insists on train and val: without splits both are all there is. A split that is
 * called as another key has its directories, but no line. */
static void put_splits(struct exporter *x, const struct yolo *y, struct buf *out)
{
    const char *train = split_or(y, "train"), *val = split_or(y, "val");
    const char *any = y->nsplits ? y->splits[0] : "all";

    buf_printf(out, "train: images/%s\n", train ? train : any);
    buf_printf(out, "val: images/%s\n", val ? val : train ? train : any);
    for (size_t i = 0; i < y->nsplits; i++) {
        const char *split = y->splits[i];
        if (strcmp(split, "train") == 0 || strcmp(split, "val") == 0)
            continue;
        if (is_key(split)) {
            export_lost_type(x, "splits", str_of(split));
            continue;
        }
        yaml_quote(out, str_of(split)); /* bare, YAML takes "no", "1" and "null" for no text */
        buf_printf(out, ": images/%s\n", split);
    }
}

static enum err end(struct exporter *x)
{
    struct yolo *y = export_state(x, sizeof(*y));
    bool points = x->options.format == &format_yolo_pose;
    struct buf out;
    enum err e;

    buf_init(&out, BUF_MAX_PACK);
    buf_puts(&out, "path: .\n");
    put_splits(x, y, &out);
    if (points)
        buf_printf(&out, "kpt_shape: [%zu, 3]\n", y->keypoints.n);
    buf_puts(&out, "names:\n");
    for (size_t i = 0; i < y->classes.n; i++) {
        buf_printf(&out, "  %zu: ", i);
        yaml_quote(&out, y->classes.names[i]);
        buf_putc(&out, '\n');
    }
    for (size_t i = 0; points && i < y->keypoints.n; i++) {
        buf_puts(&out, i ? "" : "kpt_names:\n");
        buf_puts(&out, "  - ");
        yaml_quote(&out, y->keypoints.names[i]);
        buf_putc(&out, '\n');
    }
    e = buf_err(&out) ? buf_err(&out) : export_file(x, "data.yaml", buf_view(&out));
    buf_release(&out);
    return e;
}

#define YOLO(id, text, what, first, one)                                                           \
    const struct format format_##id = {                                                            \
        .name = text,                                                                              \
        .about = what,                                                                             \
        .media_type = "text/plain",                                                                \
        .extension = ".txt",                                                                       \
        .tree = true,                                                                              \
        .classes = true,                                                                           \
        .begin = first,                                                                            \
        .item = one,                                                                               \
        .end = end,                                                                                \
    }

YOLO(yolo, "yolo", "YOLO: boxes", begin, item_detect);
YOLO(yolo_segment, "yolo-segment", "YOLO: polygons", begin, item_segment);
YOLO(yolo_obb, "yolo-obb", "YOLO: turned boxes by their corners", begin, item_oriented);
YOLO(yolo_pose, "yolo-pose", "YOLO: boxes with key points", begin_pose, item_pose);
