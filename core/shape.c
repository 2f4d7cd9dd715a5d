/* Owns the step from a label document to shapes in pixels. Never looks at the label config. */
#include "core/shape.h"

#include <math.h>

#include "core/json_tree.h"
#include "core/label_check.h"

#define PERCENT  100.0
#define SIDE_MAX 1e9 /* pixels: more is no picture's */

struct reader {
    struct arena *arena;
    struct shape *s;
    struct json_object *value;
};

static bool number(struct json_object *o, const char *name, double *out)
{
    return is_number(member_of(o, name), out);
}

static double number_or(struct json_object *o, const char *name, double without)
{
    double v;

    return number(o, name, &v) ? v : without;
}

/* Both sides, or none. */
static void read_size(struct shape *s)
{
    double width = number_or(s->item, "original_width", 0);
    double height = number_or(s->item, "original_height", 0);

    if (width > 0 && height > 0 && width <= SIDE_MAX && height <= SIDE_MAX) {
        s->width = width;
        s->height = height;
    }
}

/* Without a size the percentages stay what they are. */
static double across(const struct shape *s, double percent)
{
    return s->width > 0 ? percent / PERCENT * s->width : percent;
}

static double down(const struct shape *s, double percent)
{
    return s->height > 0 ? percent / PERCENT * s->height : percent;
}

static bool read_box(struct reader *r)
{
    struct shape *s = r->s;

    if (!number(r->value, "x", &s->x) || !number(r->value, "y", &s->y) ||
        !number(r->value, "width", &s->w) || !number(r->value, "height", &s->h))
        return false;
    s->x = across(s, s->x), s->w = across(s, s->w);
    s->y = down(s, s->y), s->h = down(s, s->h);
    s->rotation = number_or(r->value, "rotation", 0);
    s->kind = SHAPE_BOX;
    return true;
}

static bool read_ellipse(struct reader *r)
{
    struct shape *s = r->s;

    if (!number(r->value, "x", &s->x) || !number(r->value, "y", &s->y) ||
        !number(r->value, "radiusX", &s->w) || !number(r->value, "radiusY", &s->h))
        return false;
    s->x = across(s, s->x), s->w = across(s, s->w);
    s->y = down(s, s->y), s->h = down(s, s->h);
    s->rotation = number_or(r->value, "rotation", 0);
    s->kind = SHAPE_ELLIPSE;
    return true;
}

static bool read_keypoint(struct reader *r)
{
    struct shape *s = r->s;

    if (!number(r->value, "x", &s->x) || !number(r->value, "y", &s->y))
        return false;
    s->x = across(s, s->x), s->y = down(s, s->y);
    s->kind = SHAPE_POINT;
    return true;
}

static bool point_of(struct json_object *at, double *x, double *y)
{
    return json_object_is_type(at, json_type_array) && json_object_array_length(at) == 2 &&
           is_number(json_object_array_get_idx(at, 0), x) &&
           is_number(json_object_array_get_idx(at, 1), y);
}

static bool vertex_of(struct json_object *at, double *x, double *y)
{
    return json_object_is_type(at, json_type_object) && number(at, "x", x) && number(at, "y", y);
}

static bool read_points(
    struct reader *r, const char *member, bool (*one)(struct json_object *at, double *x, double *y))
{
    struct json_object *list = member_of(r->value, member);
    struct json_object *closed = member_of(r->value, "closed");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct point *v = arena_array(r->arena, n + 1, sizeof(*v));

    for (size_t i = 0; i < n; i++) {
        double x, y;
        if (!one(json_object_array_get_idx(list, i), &x, &y))
            return false;
        v[i] = (struct point){across(r->s, x), down(r->s, y)};
    }
    r->s->v = v;
    r->s->n = n;
    r->s->kind = n < 3 || (closed && !json_object_get_boolean(closed)) ? SHAPE_LINE : SHAPE_POLYGON;
    return n > 0;
}

static bool read_polygon(struct reader *r)
{
    return read_points(r, "points", point_of);
}

/* Open unless it says otherwise, as the editor has it. */
static bool read_vector(struct reader *r)
{
    struct json_object *list = member_of(r->value, "vertices");

    if (!read_points(r, "vertices", vertex_of))
        return false;
    if (!member_of(r->value, "closed"))
        r->s->kind = SHAPE_LINE;
    for (size_t i = 0; i < r->s->n; i++)
        r->s->curved |=
            json_object_get_boolean(member_of(json_object_array_get_idx(list, i), "isBezier"));
    return true;
}

static bool read_brush(struct reader *r)
{
    r->s->kind = SHAPE_MASK;
    return json_object_is_type(member_of(r->value, "rle"), json_type_array);
}

static const struct {
    const struct label_shape *shape;
    bool (*read)(struct reader *r);
} places[] = {
    {&label_shape_rectangle, read_box},
    {&label_shape_ocr, read_box},
    {&label_shape_ellipse, read_ellipse},
    {&label_shape_polygon, read_polygon},
    {&label_shape_keypoint, read_keypoint},
    {&label_shape_vector, read_vector},
    {&label_shape_brush, read_brush},
};

/* `labels` on a picture carry a place beside them; what it is its members say. */
static void read_place(struct arena *a, const struct label_type *type, struct shape *s)
{
    struct reader r = {a, s, member_of(s->item, "value")};
    const struct label_shape *shape = type->shape ? type->shape : label_shape_guess(NULL, r.value);
    bool good = false;

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (places[i].shape == shape)
            good = places[i].read(&r);
    if (!good)
        s->kind = SHAPE_OTHER;
}

/* ---- the document */

static void add_labels(struct arena *a, struct shape *s, struct json_object *list)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct str *labels = arena_array(a, s->nlabels + n + 1, sizeof(*labels));

    for (size_t i = 0; i < s->nlabels; i++)
        labels[i] = s->labels[i];
    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        if (json_object_is_type(one, json_type_string))
            labels[s->nlabels++] = json_str(one);
    }
    s->labels = labels;
}

static size_t index_of(struct json_object *item)
{
    double v = number_or(item, "item_index", 0);

    return v > 0 && v < 1e6 ? (size_t)v : 0;
}

static struct shape *shape_of(const struct drawing *d, struct str id)
{
    size_t at = id.n ? lookup_find(&d->ids, id) : LOOKUP_NONE;

    return at != LOOKUP_NONE ? &d->shapes[at] : NULL;
}

/* The items of one region may come apart: a box, then its label; the first that says where stands,
 * unless a later one says it better. */
static void add_region(struct arena *a, struct drawing *d, struct json_object *item,
    const struct label_type *type, size_t at)
{
    struct str id = member_str(item, "id");
    struct shape *s = shape_of(d, id), fresh;
    struct json_object *labels = type->key ? member_of(member_of(item, "value"), type->key) : NULL;

    fresh = (struct shape){.kind = SHAPE_OTHER,
        .id = id,
        .parent = member_str(item, "parentID"),
        .type = member_str(item, "type"),
        .control = member_str(item, "from_name"),
        .to = member_str(item, "to_name"),
        .picture = (int64_t)index_of(item),
        .score = number_or(item, "score", -1),
        .at = at,
        .item = item};
    read_size(&fresh);
    if (!s || s->kind == SHAPE_OTHER)
        read_place(a, type, &fresh);
    if (!s) {
        if (id.n)
            lookup_add(&d->ids, id, d->nshapes);
        s = &d->shapes[d->nshapes++];
        *s = fresh;
    } else if (s->kind == SHAPE_OTHER && fresh.kind != SHAPE_OTHER) {
        fresh.labels = s->labels;
        fresh.nlabels = s->nlabels;
        *s = fresh;
    } else if (s->width == 0 && fresh.width > 0) {
        shape_resize(a, s, fresh.width, fresh.height);
    }
    if (labels && s->nlabels == 0)
        s->control = member_str(item, "from_name");
    add_labels(a, s, labels);
}

static void add_answer(struct drawing *d, struct json_object *item, const struct label_type *type)
{
    d->answers[d->nanswers++] = (struct shape_answer){
        .id = member_str(item, "id"),
        .control = member_str(item, "from_name"),
        .to = member_str(item, "to_name"),
        .type = member_str(item, "type"),
        .picture = (int64_t)index_of(item),
        .said = type->key ? member_of(member_of(item, "value"), type->key) : NULL,
    };
}

/* What names a region, once all of them are there. */
static void join(struct drawing *d)
{
    for (size_t i = 0; i < d->nshapes; i++)
        d->shapes[i].within = shape_of(d, d->shapes[i].parent);
    for (size_t i = d->nanswers; i-- > 0;) {
        struct shape *s = shape_of(d, d->answers[i].id);
        d->answers[i].region = s;
        d->answers[i].next = s ? s->answers : NULL;
        if (s)
            s->answers = &d->answers[i];
    }
}

static void release_document(void *doc)
{
    json_object_put(doc);
}

enum err drawing_read(struct arena *a, struct str text, struct drawing *d)
{
    enum err e;
    size_t n;

    *d = (struct drawing){0};
    e = json_tree_parse(text, JSON_DEPTH_MAX, &d->doc, NULL);
    arena_defer(a, release_document, d->doc);
    if (e || !json_object_is_type(d->doc, json_type_array))
        return e == ERR_NO_MEMORY ? e : ERR_INVALID;
    n = json_object_array_length(d->doc);
    d->shapes = arena_array(a, n + 1, sizeof(*d->shapes));
    d->answers = arena_array(a, n + 1, sizeof(*d->answers));
    lookup_init(&d->ids, a, n);
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(d->doc, i);
        struct str name = member_str(item, "type");
        const struct label_type *type = label_type_find(name);
        if (str_is(name, "relation"))
            d->relations++;
        else if (type && type->role == LABEL_REGION)
            add_region(a, d, item, type, i);
        else if (type)
            add_answer(d, item, type);
    }
    join(d);
    return ERR_OK;
}

/* ---- geometry */

void shape_resize(struct arena *a, struct shape *s, double width, double height)
{
    double across = width / (s->width > 0 ? s->width : PERCENT);
    double down = height / (s->height > 0 ? s->height : PERCENT);
    struct point *v = arena_array(a, s->n + 1, sizeof(*v));

    if (s->kind == SHAPE_MASK && s->columns == 0) {
        s->columns = (size_t)s->width;
        s->rows = (size_t)s->height;
    }
    s->x *= across, s->w *= across;
    s->y *= down, s->h *= down;
    for (size_t i = 0; i < s->n; i++)
        v[i] = (struct point){s->v[i].x * across, s->v[i].y * down};
    s->v = v;
    s->width = width;
    s->height = height;
}

/* A turn clockwise, as y grows downwards. */
static struct point turned(struct point p, double degrees)
{
    double angle = degrees * (M_PI / 180), c = cos(angle), s = sin(angle);

    return (struct point){p.x * c - p.y * s, p.x * s + p.y * c};
}

void shape_corners(const struct shape *s, struct point corners[4])
{
    const struct point at[4] = {{0, 0}, {s->w, 0}, {s->w, s->h}, {0, s->h}};

    for (size_t i = 0; i < 4; i++) {
        struct point p = s->rotation != 0 ? turned(at[i], s->rotation) : at[i];
        corners[i] = (struct point){s->x + p.x, s->y + p.y};
    }
}

void shape_ellipse(const struct shape *s, struct point *v, size_t sides)
{
    for (size_t i = 0; i < sides; i++) {
        double angle = 2 * M_PI * (double)i / (double)sides;
        struct point p = turned((struct point){s->w * cos(angle), s->h * sin(angle)}, s->rotation);
        v[i] = (struct point){s->x + p.x, s->y + p.y};
    }
}

struct polygon shape_outline(struct arena *a, const struct shape *s)
{
    struct polygon p = {.v = s->v, .n = s->n};
    struct point *v;

    if (s->kind == SHAPE_BOX || s->kind == SHAPE_ELLIPSE) {
        p.n = s->kind == SHAPE_BOX ? 4 : SHAPE_SIDES;
        v = arena_array(a, p.n, sizeof(*v));
        if (s->kind == SHAPE_BOX)
            shape_corners(s, v);
        else
            shape_ellipse(s, v, SHAPE_SIDES);
        p.v = v;
    }
    if (p.n > 0)
        polygon_bound(&p);
    return p;
}

static void cut(double *v, double most)
{
    if (*v < 0)
        *v = 0;
    if (most > 0 && *v > most)
        *v = most;
}

/* Of an ellipse exactly: the extent of its turned axes. */
static void ellipse_bound(const struct shape *s, struct point *low, struct point *high)
{
    double angle = s->rotation * (M_PI / 180), c = cos(angle), n = sin(angle);
    double dx = hypot(s->w * c, s->h * n), dy = hypot(s->w * n, s->h * c);

    *low = (struct point){s->x - dx, s->y - dy};
    *high = (struct point){s->x + dx, s->y + dy};
}

static bool mask_extent(
    struct arena *a, const struct shape *s, struct point *low, struct point *high)
{
    size_t left, top, width, height;
    struct mask m;

    if (shape_mask(a, s, &m) || mask_bound(&m, &left, &top, &width, &height) == 0)
        return false;
    *low = (struct point){(double)left, (double)top};
    *high = (struct point){(double)(left + width), (double)(top + height)};
    return true;
}

bool shape_bound(struct arena *a, const struct shape *s, struct point *low, struct point *high)
{
    struct polygon outline = shape_outline(a, s);

    if (s->kind == SHAPE_MASK) {
        if (!mask_extent(a, s, low, high))
            return false;
    } else if (s->kind == SHAPE_ELLIPSE) {
        ellipse_bound(s, low, high);
    } else if (outline.n > 0) {
        *low = outline.low, *high = outline.high;
    } else if (s->kind == SHAPE_POINT) {
        *low = *high = (struct point){s->x, s->y};
    } else {
        return false;
    }
    cut(&low->x, s->width), cut(&high->x, s->width);
    cut(&low->y, s->height), cut(&high->y, s->height);
    return true;
}

static struct json_object *rle_of(const struct shape *s)
{
    return member_of(member_of(s->item, "value"), "rle");
}

enum err shape_mask(struct arena *a, const struct shape *s, struct mask *m)
{
    size_t width = (size_t)s->width, height = (size_t)s->height;
    struct mask packed;
    const char *why;
    enum err e;

    if (s->kind != SHAPE_MASK)
        return ERR_INVALID;
    e = mask_new(a, s->columns ? s->columns : width, s->rows ? s->rows : height, &packed);
    if (!e)
        e = brush_decode(rle_of(s), &packed, &why);
    *m = packed;
    if (!e && (m->width != width || m->height != height))
        e = mask_scaled(a, &packed, width, height, m);
    return e;
}

static bool fits(size_t width, size_t height)
{
    return width <= MASK_SIDE && height <= MASK_SIDE && width * height <= MASK_PIXELS;
}

bool shape_mask_good(const struct shape *s)
{
    size_t width = (size_t)s->width, height = (size_t)s->height;
    size_t columns = s->columns ? s->columns : width, rows = s->rows ? s->rows : height;
    const char *why;

    return s->kind == SHAPE_MASK && fits(width, height) && fits(columns, rows) &&
           !brush_check(rle_of(s), columns, rows, &why);
}

double polygon_area(const struct polygon *p)
{
    double sum = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct point from = p->v[i], to = p->v[i + 1 < p->n ? i + 1 : 0];
        sum += from.x * to.y - to.x * from.y;
    }
    return fabs(sum) / 2;
}
