/* The outlines of masks: exact areas, parts and holes counted, and a polygon's pixels are the
 * mask's. */
#include "core/mask_outline.h"

#include "core/shape.h"
#include "t.h"

static struct mask draw(struct arena *a, size_t width, size_t height, const char *pixels)
{
    struct mask m;

    if (mask_new(a, width, height, &m))
        t_fail(__FILE__, __LINE__, "no mask");
    for (size_t i = 0; i < width * height; i++)
        if (pixels[i] == '#')
            mask_set(&m, i % width, i / width);
    return m;
}

static void check(size_t width, size_t height, const char *pixels, size_t parts, size_t holes)
{
    struct arena *a = arena_new();
    struct mask m = draw(a, width, height, pixels);
    struct mask_parts out;

    REQUIRE(mask_outline(a, &m, &out) == ERR_OK);
    CHECK_INT((int64_t)out.n, (int64_t)parts);
    CHECK_INT((int64_t)out.holes, (int64_t)holes);
    arena_free(a);
}

TEST(parts_and_holes)
{
    check(3, 3, ".........", 0, 0);
    check(3, 3, "#########", 1, 0);
    check(3, 3, "####.####", 1, 1);
    check(3, 3, "#.#.#.#.#", 5, 0); /* corners do not join */
    check(3, 3, "#..###..#", 1, 0);
    check(5, 5,
        "#####"
        "#...#"
        "#.#.#"
        "#...#"
        "#####",
        2, 1);
    check(1, 1, "#", 1, 0);
}

TEST(points_of_a_corner)
{
    struct arena *a = arena_new();
    struct mask m = draw(a, 3, 2,
        "##."
        "#..");
    struct mask_parts out;
    static const struct point want[] = {{2, 0}, {2, 1}, {1, 1}, {1, 2}, {0, 2}, {0, 0}};

    REQUIRE(mask_outline(a, &m, &out) == ERR_OK);
    REQUIRE(out.n == 1 && out.v[0].n == ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        CHECK(out.v[0].v[i].x == want[i].x && out.v[0].v[i].y == want[i].y);
    arena_free(a);
}

/* A point inside by crossing number. */
static bool holds(const struct polygon *p, double x, double y)
{
    bool in = false;

    for (size_t i = 0; i < p->n; i++) {
        struct point from = p->v[i], to = p->v[i + 1 < p->n ? i + 1 : 0];
        if ((from.y > y) != (to.y > y) && x < from.x)
            in = !in;
    }
    return in;
}

TEST(random_masks)
{
    uint64_t state = t_seed() | 1;

    for (int turn = 0; turn < 200; turn++) {
        struct arena *a = arena_new();
        size_t width = 1 + t_random(&state) % 24, height = 1 + t_random(&state) % 24, set = 0;
        struct mask_parts out;
        struct mask m;
        double area = 0;
        REQUIRE(mask_new(a, width, height, &m) == ERR_OK);
        for (size_t i = 0; i < width * height; i++)
            if (t_random(&state) % 3) {
                mask_set(&m, i % width, i / width);
                set++;
            }
        REQUIRE(mask_outline(a, &m, &out) == ERR_OK);
        for (size_t i = 0; i < out.n; i++)
            area += polygon_area(&out.v[i]);
        CHECK(area >= (double)set);
        CHECK(out.holes > 0 || area == (double)set);
        for (size_t i = 0; i < width * height; i++) {
            size_t in = 0;
            for (size_t k = 0; k < out.n; k++)
                in += holds(&out.v[k], (double)(i % width) + 0.5, (double)(i / width) + 0.5);
            if (mask_get(&m, i % width, i / width))
                CHECK(in >= 1); /* more: a part in another's hole */
            else
                CHECK(in == 0 || out.holes > 0);
        }
        arena_free(a);
    }
}
