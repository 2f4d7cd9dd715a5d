/* Shapes as stretches of rows: against every pixel's centre looked at alone, random outlines too.
 */
#include "formats/raster.h"

#include <math.h>

#include "formats/png_rows.h"
#include "t.h"

enum { WIDTH = 61, HEIGHT = 47 };

static struct shape polygon_of(const struct point *v, size_t n)
{
    return (struct shape){.kind = SHAPE_POLYGON, .v = v, .n = n, .width = WIDTH, .height = HEIGHT};
}

/* How often the outline goes round the point: the angles added up, no crossing looked at. */
static int turns_round(const struct polygon *p, double x, double y)
{
    double sum = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct point a = p->v[i], b = p->v[(i + 1) % p->n];
        double ax = a.x - x, ay = a.y - y, bx = b.x - x, by = b.y - y;
        sum += atan2(ax * by - ay * bx, ax * bx + ay * by);
    }
    return (int)lround(sum / (2 * M_PI));
}

static bool near_edge(const struct polygon *p, double x, double y)
{
    for (size_t i = 0; i < p->n; i++) {
        struct point a = p->v[i], b = p->v[(i + 1) % p->n];
        double length = hypot(b.x - a.x, b.y - a.y);
        if (length > 0 && fabs((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)) / length < 1e-9)
            return true;
    }
    return false;
}

/* One bit a pixel; stretches must be apart, in order and on the picture. */
static void draw(const struct shape *s, unsigned char out[HEIGHT][WIDTH])
{
    struct arena *a = arena_new();
    struct raster *r;

    memset(out, 0, (size_t)HEIGHT * WIDTH);
    CHECK(raster_new(a, s, WIDTH, HEIGHT, &r) == ERR_OK && r != NULL);
    for (size_t y = 0; r && y < HEIGHT; y++) {
        const struct stretch *v;
        size_t n = raster_row(r, y, &v);
        for (size_t i = 0; i < n; i++) {
            CHECK(v[i].from < v[i].to && v[i].to <= WIDTH && (i == 0 || v[i - 1].to < v[i].from));
            for (size_t x = v[i].from; x < v[i].to && x < WIDTH; x++)
                out[y][x] = 1;
        }
    }
    arena_free(a);
}

static void check_outline(const struct shape *s, const struct polygon *p)
{
    static unsigned char got[HEIGHT][WIDTH];

    draw(s, got);
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < WIDTH; x++) {
            double cx = (double)x + 0.5, cy = (double)y + 0.5;
            if (!near_edge(p, cx, cy) && got[y][x] != (turns_round(p, cx, cy) != 0))
                t_fail(__FILE__, __LINE__, "pixel %zu,%zu is %d", x, y, got[y][x]);
        }
}

static double any(uint64_t *state, double low, double high)
{
    return low + (high - low) * (double)(t_random(state) >> 11) / 0x1p53;
}

/* Crossing themselves, standing over the edges. */
TEST(random_outlines)
{
    uint64_t state = t_seed() | 1;

    for (int round = 0; round < 200; round++) {
        struct point v[9];
        struct polygon p = {.v = v, .n = 3 + t_random(&state) % 7};
        for (size_t i = 0; i < p.n; i++)
            v[i] = (struct point){any(&state, -10, WIDTH + 10), any(&state, -10, HEIGHT + 10)};
        struct shape s = polygon_of(v, p.n);
        check_outline(&s, &p);
    }
}

TEST(random_boxes)
{
    uint64_t state = t_seed() | 1;

    for (int round = 0; round < 100; round++) {
        struct point corners[4];
        struct polygon p = {.v = corners, .n = 4};
        struct shape s = {.kind = SHAPE_BOX,
            .x = any(&state, 0, WIDTH),
            .y = any(&state, 0, HEIGHT),
            .w = any(&state, 0, WIDTH),
            .h = any(&state, 0, HEIGHT),
            .rotation = round % 3 ? any(&state, -360, 360) : 0,
            .width = WIDTH,
            .height = HEIGHT};
        shape_corners(&s, corners);
        check_outline(&s, &p);
    }
}

/* On the axes of the ellipse: the sum of two distances to its foci is not more than its length. */
TEST(random_ellipses)
{
    static unsigned char got[HEIGHT][WIDTH];
    uint64_t state = t_seed() | 1;

    for (int round = 0; round < 100; round++) {
        struct shape s = {.kind = SHAPE_ELLIPSE,
            .x = any(&state, 0, WIDTH),
            .y = any(&state, 0, HEIGHT),
            .w = any(&state, 0.1, 30),
            .h = any(&state, 0.1, 30),
            .rotation = any(&state, -360, 360)};
        double longest = fmax(s.w, s.h), focus = sqrt(longest * longest - pow(fmin(s.w, s.h), 2));
        double angle = (s.rotation + (s.w >= s.h ? 0 : 90)) * M_PI / 180;
        double fx = focus * cos(angle), fy = focus * sin(angle);
        draw(&s, got);
        for (size_t y = 0; y < HEIGHT; y++)
            for (size_t x = 0; x < WIDTH; x++) {
                double dx = (double)x + 0.5 - s.x, dy = (double)y + 0.5 - s.y;
                double sum = hypot(dx - fx, dy - fy) + hypot(dx + fx, dy + fy);
                if (fabs(sum - 2 * longest) > 1e-6 && got[y][x] != (sum < 2 * longest))
                    t_fail(__FILE__, __LINE__, "pixel %zu,%zu is %d", x, y, got[y][x]);
            }
    }
}

TEST(what_covers_nothing)
{
    static unsigned char got[HEIGHT][WIDTH];
    static const struct point flat[] = {{3, 3}, {20, 3}, {40, 3}};
    struct shape shapes[] = {polygon_of(flat, 3), {.kind = SHAPE_ELLIPSE, .x = 5, .y = 5},
        {.kind = SHAPE_BOX, .x = 5.6, .y = 5.6, .w = 0.8, .h = 0.8},
        {.kind = SHAPE_BOX, .x = -50, .y = 5, .w = 20, .h = 20},
        {.kind = SHAPE_BOX, .x = 5, .y = 500, .w = 20, .h = 20}};
    struct arena *a = arena_new();

    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        draw(&shapes[i], got);
        for (size_t k = 0; k < sizeof(got); k++)
            CHECK(got[k / WIDTH][k % WIDTH] == 0);
    }
    for (enum shape_kind kind = SHAPE_BOX; kind <= SHAPE_OTHER; kind++) {
        struct shape s = {.kind = kind};
        struct raster *r;
        if (kind == SHAPE_LINE || kind == SHAPE_POINT || kind == SHAPE_OTHER)
            CHECK(raster_new(a, &s, WIDTH, HEIGHT, &r) == ERR_OK && !r);
    }
    arena_free(a);
}

/* A picture that no PNG can be; then one whose rows are as they were put. */
TEST(rows_of_a_png)
{
    struct png_colour palette[PNG_ROWS_PALETTE] = {{1, 2, 3}};
    unsigned char row[8] = {0};
    struct png_rows *p;
    struct buf out;

    buf_init(&out, 1 << 16);
    CHECK_INT(png_rows_begin(&p, &out, 0, 5, palette), ERR_INVALID);
    png_rows_free(p);
    buf_clear(&out);
    REQUIRE(png_rows_begin(&p, &out, 8, 2, palette) == ERR_OK);
    CHECK_INT(png_rows_end(p), ERR_INVALID); /* before its rows */
    png_rows_free(p);
    buf_clear(&out);
    REQUIRE(png_rows_begin(&p, &out, 8, 2, NULL) == ERR_OK);
    png_rows_free(p);
    buf_clear(&out);
    REQUIRE(png_rows_begin(&p, &out, 8, 2, palette) == ERR_OK);
    CHECK(png_rows_put(p, row) == ERR_OK && png_rows_put(p, row) == ERR_OK);
    CHECK_INT(png_rows_end(p), ERR_OK);
    png_rows_free(p);
    CHECK(out.n > 800 && memcmp(out.p, "\x89PNG\r\n", 6) == 0);
    CHECK(memcmp(out.p + out.n - 8, "IEND\xae\x42\x60\x82", 8) == 0);
    buf_release(&out);
}
