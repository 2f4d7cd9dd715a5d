/* Brush masks: the vectors that the Python SDK makes, both ways; what is no mask is refused,
 * whatever it says of its size. */
#include "core/brush.h"

#include <stdlib.h>

#include "core/json_tree.h"
#include "t.h"

static struct json_object *list(const char *text)
{
    struct json_object *o = NULL;

    if (json_tree_parse(str_of(text), 8, &o, NULL))
        t_fail(__FILE__, __LINE__, "%s is no JSON", text);
    return o;
}

/* Rows of '.' and '#', one after another. */
static void check(size_t width, size_t height, const char *pixels, const char *rle)
{
    struct arena *a = arena_new();
    struct json_object *o = list(rle);
    struct mask m;
    struct buf out;
    const char *why = "";

    REQUIRE(mask_new(a, width, height, &m) == ERR_OK);
    CHECK_INT(brush_check(o, width, height, &why), ERR_OK);
    CHECK_INT(brush_decode(o, &m, &why), ERR_OK);
    for (size_t i = 0; i < width * height; i++)
        CHECK_INT(mask_get(&m, i % width, i / width), pixels[i] == '#');
    buf_init(&out, BUF_MAX_LABEL);
    brush_encode(&m, &out);
    CHECK_STR(buf_view(&out), str_of(rle));
    buf_release(&out);
    json_object_put(o);
    arena_free(a);
}

TEST(vectors_of_the_sdk)
{
    check(2, 2, ".##.", "[0,0,0,16,57,27,252,96,19,255,198,0]");
    check(5, 4, "..........######....", "[0,0,0,80,57,27,254,39,0,194,255,247,192,0]");
}

static enum err decode(size_t width, size_t height, const char *rle, const char **why)
{
    struct arena *a = arena_new();
    struct json_object *o = list(rle);
    struct mask m;
    enum err e = mask_new(a, width, height, &m);

    if (!e)
        e = brush_decode(o, &m, why);
    if (!e != !brush_check(o, width, height, why))
        t_fail(__FILE__, __LINE__, "%s is good to one and bad to the other", rle);
    json_object_put(o);
    arena_free(a);
    return e;
}

TEST(refused)
{
    static const struct {
        size_t width, height;
        const char *rle, *why;
    } rows[] = {
        {2, 2, "{}", "no list"},
        {2, 2, "[]", "too short"},
        {2, 2, "[0,0,0,16,57,27,252]", "in the middle"},
        {2, 2, "[0,0,0,16,57,27,252,96,19,255]", "in the middle"},
        {2, 2, "[0,0,0,16,57,27,252,96,19,256,198,0]", "no byte"},
        {2, 2, "[0,0,0,16,57,27,252,-1,19,255,198,0]", "no byte"},
        {2, 2, "[0,0,0,16,57,27,252,\"96\",19,255,198,0]", "no byte"},
        {2, 2, "[0,0,0,16,57,27,252,96.5,19,255,198,0]", "no byte"},
        {2, 2, "[255,255,255,255,57,27,252,96,19,255,198,0]", "another size"},
        {2, 3, "[0,0,0,16,57,27,252,96,19,255,198,0]", "another size"},
        {2, 2, "[0,0,0,16,121,27,252,96,19,255,198,0]", "other than 8 bits"},
        {2, 2, "[0,0,0,16,57,27,255,255,255,255,255,255]", "over the end"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *why = "nothing";
        CHECK_INT(decode(rows[i].width, rows[i].height, rows[i].rle, &why), ERR_INVALID);
        if (!strstr(why, rows[i].why))
            t_fail(__FILE__, __LINE__, "row %zu: \"%s\", want \"%s\"", i, why, rows[i].why);
    }
}

TEST(too_large_for_a_mask)
{
    struct arena *a = arena_new();
    struct mask m;

    CHECK_INT(mask_new(a, MASK_SIDE + 1, 1, &m), ERR_TOO_LARGE);
    CHECK_INT(mask_new(a, 20000, 20000, &m), ERR_TOO_LARGE);
    CHECK_INT(mask_new(a, 0, 0, &m), ERR_OK);
    arena_free(a);
}

/* Whatever is drawn comes back, the bound is tight, long runs are cut. */
TEST(random_masks_come_back)
{
    uint64_t state = t_seed() | 1;

    for (int turn = 0; turn < 60; turn++) {
        struct arena *a = arena_new();
        size_t width = 1 + t_random(&state) % 300, height = 1 + t_random(&state) % 300, n = 0;
        size_t left = 0, top = 0, w = 0, h = 0, edge = 0;
        struct mask m, again;
        struct json_object *o;
        struct buf out;
        const char *why = "";

        REQUIRE(mask_new(a, width, height, &m) == ERR_OK);
        REQUIRE(mask_new(a, width, height, &again) == ERR_OK);
        for (size_t i = t_random(&state) % 40; i > 0; i--)
            for (size_t x = t_random(&state) % width, y = t_random(&state) % height, k = 0;
                 k < 50 && x + k < width; k++) {
                n += !mask_get(&m, x + k, y);
                mask_set(&m, x + k, y);
            }
        buf_init(&out, BUF_MAX_LABEL);
        brush_encode(&m, &out);
        o = list(out.p);
        CHECK_INT(brush_decode(o, &again, &why), ERR_OK);
        CHECK(memcmp(m.bits, again.bits, m.stride * height) == 0);
        CHECK_INT((int64_t)mask_bound(&m, &left, &top, &w, &h), (int64_t)n);
        for (size_t y = 0; y < height && n > 0; y++)
            for (size_t x = 0; x < width; x++)
                if (mask_get(&m, x, y)) {
                    CHECK(x >= left && x < left + w && y >= top && y < top + h);
                    edge |= x == left ? 1U : 0;
                    edge |= x == left + w - 1 ? 2U : 0;
                    edge |= y == top ? 4U : 0;
                    edge |= y == top + h - 1 ? 8U : 0;
                }
        CHECK_INT((int64_t)edge, n > 0 ? 15 : 0);
        json_object_put(o);
        buf_release(&out);
        arena_free(a);
    }
}

/* Any bytes at all: refused or decoded, never read beyond an end. */
TEST(random_bytes)
{
    uint64_t state = t_seed() | 1;

    for (int turn = 0; turn < 3000; turn++) {
        static const unsigned char good[] = {
            0, 0, 0, 80, 57, 27, 254, 39, 0, 194, 255, 247, 192, 0};
        struct json_object *o = json_object_new_array();
        size_t n = t_random(&state) % (sizeof(good) + 4);
        const char *why = "";
        for (size_t i = 0; i < n; i++) {
            int byte =
                i < sizeof(good) && t_random(&state) % 4 ? good[i] : (int)(t_random(&state) % 256);
            json_object_array_add(o, json_object_new_int(byte));
        }
        struct arena *a = arena_new();
        struct mask m;
        REQUIRE(mask_new(a, 5, 4, &m) == ERR_OK);
        CHECK((brush_decode(o, &m, &why) == ERR_OK) == (brush_check(o, 5, 4, &why) == ERR_OK));
        arena_free(a);
        json_object_put(o);
    }
}
