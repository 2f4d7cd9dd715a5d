/* Areas and intersections: against pycocotools and shapely, against a count of points, and on what
 * is degenerate. */
#include "core/polygon.h"

#include "core/label_view.h"
#include "core/region_match.h"
#include "vectors.h"

static struct effort plenty(void)
{
    return (struct effort){EFFORT_MOST};
}

static struct polygon polygon_of(const struct point *v, size_t n)
{
    struct polygon p = {.v = v, .n = n};

    polygon_bound(&p);
    return p;
}

static struct label_view *view_of(struct json_object *item)
{
    struct json_object *doc = json_object_new_array();
    struct label_view *v;

    json_object_array_add(doc, json_object_get(item));
    if (label_view_new(json_text(doc), &v))
        v = NULL;
    json_object_put(doc);
    return v;
}

TEST(iou_is_that_of_the_judges)
{
    struct json_object *rows = vectors("shapes");

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        struct label_view *a = view_of(member(row, "a")), *b = view_of(member(row, "b"));
        struct effort e = plenty(), again = plenty();
        REQUIRE(a && b && a->nregions == 1 && b->nregions == 1);
        double iou = region_likeness(a->regions, b->regions, &e);
        double turned = region_likeness(b->regions, a->regions, &again);
        if (!near(iou, number(row, "iou"), 1e-9) || !near(turned, iou, 1e-12))
            t_fail(__FILE__, __LINE__, "row %zu: %.12f, %.12f, %s has %.12f", i, iou, turned,
                json_object_get_string(member(row, "judge")), number(row, "iou"));
        label_view_free(a);
        label_view_free(b);
    }
    json_object_put(rows);
}

TEST(areas_by_hand)
{
    static const struct point square[] = {{0, 0}, {2, 0}, {2, 2}, {0, 2}};
    static const struct point bow[] = {{0, 0}, {2, 2}, {2, 0}, {0, 2}}; /* crosses itself */
    static const struct point twice[] = {
        {0, 0}, {2, 0}, {2, 2}, {0, 2}, {0, 0}, {2, 0}, {2, 2}, {0, 2}};
    static const struct {
        const struct point *v;
        size_t n;
        double area, both; /* both: with the square */
    } rows[] = {{square, 4, 4, 4}, {bow, 4, 2, 2}, {twice, 8, 4, 4}, {square, 3, 2, 2},
        {square, 2, 0, 0}, {square, 1, 0, 0}, {square, 0, 0, 0}};
    struct polygon one = polygon_of(square, 4);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct polygon p = polygon_of(rows[i].v, rows[i].n);
        struct overlap o;
        struct effort e = plenty();
        REQUIRE(polygon_overlap(&p, &one, &e, &o));
        CHECK(near(o.a, rows[i].area, 1e-12) && near(o.b, 4, 1e-12) &&
              near(o.both, rows[i].both, 1e-12));
    }
}

TEST(without_area_only_the_same_is_alike)
{
    static const struct point point[] = {{1, 1}, {1, 1}, {1, 1}}, line[] = {{0, 1}, {2, 1}},
                              square[] = {{0, 0}, {2, 0}, {2, 2}, {0, 2}};
    struct polygon p = polygon_of(point, 3), l = polygon_of(line, 2), s = polygon_of(square, 4);
    struct effort e = plenty();

    CHECK(polygon_iou(&p, &p, &e) == 1 && polygon_iou(&l, &l, &e) == 1);
    CHECK(polygon_iou(&p, &l, &e) == 0 && polygon_iou(&p, &s, &e) == 0);
    CHECK(polygon_iou(&l, &s, &e) == 0 && polygon_iou(&s, &l, &e) == 0);
}

static double unit_random(uint64_t *s)
{
    return (double)(t_random(s) >> 11) / (double)((uint64_t)1 << 53);
}

static int winding(const struct polygon *p, double x, double y)
{
    int turns = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct point a = p->v[i], b = p->v[(i + 1) % p->n];
        double side = (b.x - a.x) * (y - a.y) - (x - a.x) * (b.y - a.y);
        if (a.y <= y && b.y > y && side > 0)
            turns++;
        else if (a.y > y && b.y <= y && side < 0)
            turns--;
    }
    return turns;
}

/* Polygons of random points cross themselves many times; points thrown at them say the same. */
TEST(areas_of_tangles_are_those_of_counted_points)
{
    enum { CORNERS = 9, GRID = 300 };
    uint64_t s = t_seed() | 1;

    for (int round = 0; round < 10; round++) {
        struct point va[CORNERS], vb[CORNERS];
        size_t in_a = 0, in_b = 0, in_both = 0;
        struct overlap o;
        struct effort e = plenty();
        for (size_t i = 0; i < CORNERS; i++) {
            va[i] = (struct point){unit_random(&s), unit_random(&s)};
            vb[i] = (struct point){unit_random(&s), round % 2 ? 0.5 : unit_random(&s)};
        }
        struct polygon a = polygon_of(va, CORNERS), b = polygon_of(vb, CORNERS);
        for (int i = 0; i < GRID * GRID; i++) {
            double x = (i % GRID + 0.5) / GRID, y = (double)(i / GRID) / GRID + 0.37 / GRID;
            bool of_a = winding(&a, x, y), of_b = winding(&b, x, y);
            in_a += of_a;
            in_b += of_b;
            in_both += of_a && of_b;
        }
        REQUIRE(polygon_overlap(&a, &b, &e, &o));
        CHECK(near(o.a, (double)in_a / (GRID * GRID), 0.01));
        CHECK(near(o.b, (double)in_b / (GRID * GRID), 0.01));
        CHECK(near(o.both, (double)in_both / (GRID * GRID), 0.01));
        CHECK(o.both <= o.a && o.both <= o.b);
    }
}

TEST(iou_stays_within_bounds)
{
    uint64_t s = t_seed() | 1;

    for (int round = 0; round < 300; round++) {
        struct point va[8], vb[8];
        struct effort e = plenty(), f = plenty();
        for (size_t i = 0; i < 8; i++) { /* few places: much touches and coincides */
            va[i] = (struct point){(double)(t_random(&s) % 4), (double)(t_random(&s) % 4)};
            vb[i] = (struct point){(double)(t_random(&s) % 4), (double)(t_random(&s) % 4)};
        }
        struct polygon a = polygon_of(va, 8), b = polygon_of(vb, 8);
        double iou = polygon_iou(&a, &b, &e);
        CHECK(iou >= 0 && iou <= 1 + 1e-12 && near(iou, polygon_iou(&b, &a, &f), 1e-12));
    }
}

TEST(a_hostile_polygon_ends)
{
    enum { MANY = 200000 };
    struct point *v = calloc(MANY, sizeof(*v)), *w = calloc(MANY, sizeof(*w));
    struct effort e = plenty();

    REQUIRE(v && w);
    for (size_t i = 0; i < MANY; i++) { /* each side crosses nearly all others */
        v[i] = (struct point){(double)(i % 2 ? i : MANY - i), i % 2 ? 0 : 1000};
        w[i] = (struct point){(double)i, i % 2 ? 1000 : 0};
    }
    struct polygon a = polygon_of(v, MANY), b = polygon_of(w, MANY);
    CHECK(polygon_iou(&a, &b, &e) == 0);
    CHECK(polygon_iou(&a, &a, &e) == 1);
    free(v);
    free(w);
}
