/* Owns the step from Label Studio's percentages, offsets and seconds to what can be measured; how a
 * shape is turned is shape.c's. Never looks at labels. */
#include "core/view_shape.h"

#include <math.h>

#include "core/label_check.h"
#include "core/shape.h"

/* Beyond these a number is no place: areas stay finite. */
#define FARTHEST 1e6
#define PERCENT  100.0

enum { ELLIPSE_SIDES = 128 };

struct place {
    struct arena *arena;
    struct json_object *item, *value;
    double width, height; /* of the picture, in pixels; 100 where the item does not say */
    struct view_region *r;
};

static bool number(struct json_object *o, const char *name, double *out)
{
    return is_number(member_of(o, name), out) && fabs(*out) <= FARTHEST;
}

static double number_or(struct json_object *o, const char *name, double without)
{
    double v;

    return number(o, name, &v) ? v : without;
}

static double side(struct json_object *item, const char *name)
{
    double v = number_or(item, name, PERCENT);

    return v >= 1 ? v : PERCENT;
}

static bool set_area(struct place *p, struct point *points, size_t n)
{
    p->r->kind = VIEW_AREA;
    p->r->area = (struct polygon){.v = points, .n = n};
    polygon_bound(&p->r->area);
    p->r->low = p->r->area.low.x;
    p->r->high = p->r->area.high.x;
    return true;
}

static double across(const struct place *p, double percent)
{
    return percent / PERCENT * p->width;
}

static double down(const struct place *p, double percent)
{
    return percent / PERCENT * p->height;
}

static bool read_polygon(struct place *p)
{
    struct json_object *list = member_of(p->value, "points");
    bool is_list = json_object_is_type(list, json_type_array);
    size_t n = is_list ? json_object_array_length(list) : 0;
    struct point *points = arena_array(p->arena, n + 1, sizeof(*points));

    for (size_t i = 0; i < n; i++) {
        struct json_object *at = json_object_array_get_idx(list, i);
        double x, y;
        if (!json_object_is_type(at, json_type_array) || json_object_array_length(at) != 2 ||
            !is_number(json_object_array_get_idx(at, 0), &x) ||
            !is_number(json_object_array_get_idx(at, 1), &y) || fabs(x) > FARTHEST ||
            fabs(y) > FARTHEST)
            return false;
        points[i] = (struct point){across(p, x), down(p, y)};
    }
    return n > 0 && set_area(p, points, n);
}

static bool read_ellipse(struct place *p)
{
    struct point *points = arena_array(p->arena, ELLIPSE_SIDES, sizeof(*points));
    double x, y, rx, ry, rotation = number_or(p->value, "rotation", 0);

    if (!number(p->value, "x", &x) || !number(p->value, "y", &y) ||
        !number(p->value, "radiusX", &rx) || !number(p->value, "radiusY", &ry))
        return false;
    const struct shape s = {.kind = SHAPE_ELLIPSE,
        .x = across(p, x),
        .y = down(p, y),
        .w = across(p, rx),
        .h = down(p, ry),
        .rotation = rotation};
    shape_ellipse(&s, points, ELLIPSE_SIDES);
    p->r->box = true;
    return set_area(p, points, ELLIPSE_SIDES);
}

static bool read_box(struct place *p)
{
    struct point *points = arena_array(p->arena, 4, sizeof(*points));
    double x, y, w, h, rotation = number_or(p->value, "rotation", 0);

    if (!number(p->value, "x", &x) || !number(p->value, "y", &y) ||
        !number(p->value, "width", &w) || !number(p->value, "height", &h))
        return false;
    const struct shape s = {.kind = SHAPE_BOX,
        .x = across(p, x),
        .y = down(p, y),
        .w = across(p, w),
        .h = down(p, h),
        .rotation = rotation};
    shape_corners(&s, points);
    p->r->box = true;
    return set_area(p, points, 4);
}

static bool set_interval(struct place *p, struct json_object *o, enum view_kind kind)
{
    double start, end;

    if (!is_number(member_of(o, "start"), &start) || !is_number(member_of(o, "end"), &end) ||
        fabs(start) > NO_MAX || fabs(end) > NO_MAX || start > end)
        return false;
    p->r->kind = kind;
    p->r->low = start;
    p->r->high = end;
    return true;
}

/* A region of a timeline has one range, for now; several are equal or not. */
static bool read_ranges(struct place *p)
{
    struct json_object *ranges = member_of(p->value, "ranges");

    p->r->frames = true;
    return json_object_is_type(ranges, json_type_array) && json_object_array_length(ranges) == 1 &&
           set_interval(p, json_object_array_get_idx(ranges, 0), VIEW_SEGMENT);
}

static bool read_global(struct place *p)
{
    return set_interval(p, member_of(p->value, "globalOffsets"), VIEW_SPAN);
}

/* Sound says which channel, or how long it is; a text says neither. */
static bool read_interval(struct place *p)
{
    bool sound = member_of(p->value, "channel") || member_of(p->item, "original_length");

    return set_interval(p, p->value, sound ? VIEW_SEGMENT : VIEW_SPAN);
}

/* The first row whose member the value has. */
static const struct {
    const char *member;
    bool (*read)(struct place *p);
} shapes[] = {
    {"points", read_polygon},
    {"radiusX", read_ellipse},
    {"height", read_box},
    {"ranges", read_ranges},
    {"globalOffsets", read_global},
    {"start", read_interval},
};

bool view_shape_read(struct arena *arena, struct json_object *item, struct view_region *r)
{
    struct place p = {.arena = arena,
        .item = item,
        .value = member_of(item, "value"),
        .width = side(item, "original_width"),
        .height = side(item, "original_height"),
        .r = r};

    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (member_of(p.value, shapes[i].member))
            return shapes[i].read(&p);
    return false;
}
