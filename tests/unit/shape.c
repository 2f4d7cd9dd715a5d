/* Documents as shapes in pixels: what is turned is turned in pixels, regions are put together from
 * their items, what is no place on a picture is told apart. */
#include "core/shape.h"

#include <math.h>

#include "t.h"

#define SIZE "\"original_width\":1000,\"original_height\":500"

static struct drawing read_one(struct arena *a, const char *text)
{
    struct drawing d;

    if (drawing_read(a, str_of(text), &d))
        t_fail(__FILE__, __LINE__, "%s cannot be read", text);
    return d;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* The peer turns in percent and scales after, which is [300,250,200,50] here. */
TEST(a_turned_box_on_a_picture_that_is_not_square)
{
    struct arena *a = arena_new();
    struct drawing d = read_one(a,
        "[{\"id\":\"r\",\"type\":\"rectanglelabels\",\"from_name\":\"b\",\"to_name\":\"i\"," SIZE
        ",\"value\":{\"x\":50,\"y\":50,\"width\":10,\"height\":20,\"rotation\":90,"
        "\"rectanglelabels\":[\"A\"]}}]");
    struct point low, high;

    REQUIRE(d.nshapes == 1 && d.shapes[0].kind == SHAPE_BOX);
    CHECK(shape_bound(a, &d.shapes[0], &low, &high));
    CHECK(near(low.x, 400) && near(low.y, 250) && near(high.x, 500) && near(high.y, 350));
    CHECK_STR(d.shapes[0].labels[0], STR("A"));
    arena_free(a);
}

TEST(an_ellipse_is_bounded_exactly)
{
    struct arena *a = arena_new();
    struct drawing d = read_one(a,
        "[{\"id\":\"r\",\"type\":\"ellipse\",\"from_name\":\"b\",\"to_name\":\"i\"," SIZE
        ",\"value\":{\"x\":50,\"y\":50,\"radiusX\":10,\"radiusY\":5,\"rotation\":90}}]");
    struct point low, high;

    REQUIRE(d.nshapes == 1 && d.shapes[0].kind == SHAPE_ELLIPSE);
    CHECK(shape_bound(a, &d.shapes[0], &low, &high));
    CHECK(near(low.x, 475) && near(low.y, 150) && near(high.x, 525) && near(high.y, 350));
    CHECK(fabs(polygon_area(
                   &(struct polygon){.v = shape_outline(a, &d.shapes[0]).v, .n = SHAPE_SIDES}) -
               M_PI * 100 * 25) < 20);
    arena_free(a);
}

/* A box and its label in items of their own, with an answer about it. */
TEST(items_of_one_region)
{
    struct arena *a = arena_new();
    struct drawing d = read_one(a,
        "[{\"id\":\"r\",\"type\":\"rectangle\",\"from_name\":\"b\",\"to_name\":\"i\"," SIZE
        ",\"value\":{\"x\":1,\"y\":2,\"width\":3,\"height\":4}},"
        "{\"id\":\"r\",\"type\":\"labels\",\"from_name\":\"l\",\"to_name\":\"i\"," SIZE
        ",\"value\":{\"x\":1,\"y\":2,\"width\":3,\"height\":4,\"labels\":[\"A\",\"B\"]}},"
        "{\"id\":\"r\",\"type\":\"choices\",\"from_name\":\"q\",\"to_name\":\"i\","
        "\"value\":{\"choices\":[\"big\"]}},"
        "{\"type\":\"relation\",\"from_id\":\"r\",\"to_id\":\"r\",\"direction\":\"right\"}]");

    REQUIRE(d.nshapes == 1);
    CHECK(d.shapes[0].kind == SHAPE_BOX && near(d.shapes[0].x, 10) && near(d.shapes[0].h, 20));
    REQUIRE(d.shapes[0].nlabels == 2);
    CHECK_STR(d.shapes[0].labels[1], STR("B"));
    CHECK_STR(d.shapes[0].control, STR("l"));
    REQUIRE(d.nanswers == 1);
    CHECK_STR(d.answers[0].id, STR("r"));
    CHECK_INT((int64_t)d.relations, 1);
    arena_free(a);
}

TEST(what_lies_elsewhere)
{
    struct arena *a = arena_new();
    struct drawing d = read_one(a,
        "[{\"id\":\"t\",\"type\":\"labels\",\"from_name\":\"l\",\"to_name\":\"t\","
        "\"value\":{\"start\":1,\"end\":2,\"labels\":[\"A\"]}},"
        "{\"id\":\"v\",\"type\":\"vector\",\"from_name\":\"l\",\"to_name\":\"i\"," SIZE
        ",\"value\":{\"vertices\":[{\"x\":1,\"y\":1},{\"x\":2,\"y\":2,\"isBezier\":true}]}},"
        "{\"id\":\"m\",\"type\":\"brush\",\"from_name\":\"l\",\"to_name\":\"i\","
        "\"value\":{\"format\":\"rle\",\"rle\":[0]}},"
        "{\"id\":\"c\",\"type\":\"vector\",\"from_name\":\"l\",\"to_name\":\"i\"," SIZE
        ",\"value\":{\"closed\":true,\"vertices\":[{\"x\":1,\"y\":1},{\"x\":2,\"y\":2}]}},"
        "{\"id\":\"s\",\"type\":\"labels\",\"from_name\":\"l\",\"to_name\":\"i\"," SIZE
        ",\"value\":{\"sequence\":[],\"x\":1,\"y\":2,\"width\":3,\"height\":4,\"labels\":[\"A\"]}}"
        "]");
    struct point low, high;
    struct mask m;

    REQUIRE(d.nshapes == 5);
    CHECK(d.shapes[0].kind == SHAPE_OTHER && d.shapes[1].kind == SHAPE_LINE && d.shapes[1].curved);
    CHECK(d.shapes[2].kind == SHAPE_MASK && !shape_mask_good(&d.shapes[2])); /* of no size */
    CHECK(d.shapes[3].kind == SHAPE_LINE);  /* two points close nothing */
    CHECK(d.shapes[4].kind == SHAPE_OTHER); /* of a film, as the check of documents has it */
    CHECK(!shape_bound(a, &d.shapes[0], &low, &high));
    CHECK_INT(shape_mask(a, &d.shapes[1], &m), ERR_INVALID);
    arena_free(a);
}

/* Percent becomes pixels once the size is known, be it from another item of the region. */
TEST(what_says_no_size)
{
    struct arena *a = arena_new();
    struct drawing d =
        read_one(a, "[{\"id\":\"r\",\"type\":\"rectangle\",\"from_name\":\"b\",\"to_name\":\"i\","
                    "\"original_width\":1e300,\"original_height\":500,"
                    "\"value\":{\"x\":1,\"y\":2,\"width\":3,\"height\":4}},"
                    "{\"id\":\"l\",\"type\":\"rectangle\",\"from_name\":\"b\",\"to_name\":\"i\","
                    "\"value\":{\"x\":1,\"y\":2,\"width\":3,\"height\":4}},"
                    "{\"id\":\"l\",\"type\":\"labels\",\"from_name\":\"l\",\"to_name\":\"i\"," SIZE
                    ",\"value\":{\"x\":1,\"y\":2,\"width\":3,\"height\":4,\"labels\":[\"A\"]}},"
                    "{\"id\":\"p\",\"type\":\"polygon\",\"from_name\":\"b\",\"to_name\":\"i\","
                    "\"value\":{\"points\":[[0,0],[50,0],[50,100]]}}]");

    REQUIRE(d.nshapes == 3);
    CHECK(d.shapes[0].width == 0 && d.shapes[0].height == 0 && near(d.shapes[0].x, 1));
    CHECK(near(d.shapes[1].x, 10) && near(d.shapes[1].h, 20));
    shape_resize(a, &d.shapes[2], 200, 100);
    CHECK(near(d.shapes[2].v[1].x, 100) && near(d.shapes[2].v[2].y, 100));
    shape_resize(a, &d.shapes[2], 20, 50);
    CHECK(near(d.shapes[2].v[1].x, 10) && near(d.shapes[2].v[2].y, 50));
    arena_free(a);
}

/* Two pixels of four, drawn on a picture that is twice as wide. */
TEST(a_mask_of_another_size)
{
    struct arena *a = arena_new();
    struct drawing d =
        read_one(a, "[{\"id\":\"m\",\"type\":\"brush\",\"from_name\":\"l\",\"to_name\":\"i\","
                    "\"original_width\":2,\"original_height\":2,\"value\":{\"format\":\"rle\","
                    "\"rle\":[0,0,0,16,57,27,252,96,19,255,198,0]}}]");
    size_t left, top, width, height;
    struct mask m;

    shape_resize(a, &d.shapes[0], 4, 2);
    REQUIRE(shape_mask_good(&d.shapes[0]) && !shape_mask(a, &d.shapes[0], &m));
    CHECK(m.width == 4 && m.height == 2);
    CHECK_INT((int64_t)mask_bound(&m, &left, &top, &width, &height), 4);
    CHECK(!mask_get(&m, 1, 0) && mask_get(&m, 2, 0) && mask_get(&m, 3, 0) && mask_get(&m, 1, 1));
    shape_resize(a, &d.shapes[0], 65501, 1);
    CHECK(!shape_mask_good(&d.shapes[0]));
    CHECK_INT(shape_mask(a, &d.shapes[0], &m), ERR_TOO_LARGE);
    arena_free(a);
}

TEST(what_names_a_region)
{
    struct arena *a = arena_new();
    struct drawing d = read_one(a,
        "[{\"id\":\"q\",\"type\":\"choices\",\"from_name\":\"q\",\"to_name\":\"i\","
        "\"value\":{\"choices\":[\"whole\"]}},"
        "{\"id\":\"r\",\"type\":\"choices\",\"from_name\":\"first\",\"to_name\":\"i\","
        "\"value\":{\"choices\":[\"big\"]}},"
        "{\"id\":\"k\",\"type\":\"keypoint\",\"from_name\":\"k\",\"to_name\":\"i\"," SIZE
        ",\"parentID\":\"r\",\"value\":{\"x\":1,\"y\":2,\"width\":1}},"
        "{\"id\":\"r\",\"type\":\"rectangle\",\"from_name\":\"b\",\"to_name\":\"i\"," SIZE
        ",\"parentID\":\"none\",\"value\":{\"x\":1,\"y\":2,\"width\":3,\"height\":4}},"
        "{\"id\":\"r\",\"type\":\"textarea\",\"from_name\":\"second\",\"to_name\":\"i\","
        "\"value\":{\"text\":[\"t\"]}}]");

    REQUIRE(d.nshapes == 2 && d.nanswers == 3);
    CHECK(d.shapes[0].within == &d.shapes[1] && !d.shapes[1].within && !d.shapes[0].answers);
    CHECK(!d.answers[0].region && d.answers[1].region == &d.shapes[1]);
    REQUIRE(d.shapes[1].answers == &d.answers[1] && d.answers[1].next == &d.answers[2]);
    CHECK(!d.answers[2].next && !d.answers[2].told);
    arena_free(a);
}

TEST(no_document)
{
    static const char *const bad[] = {"", "{}", "null", "[1", "\"a\""};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct arena *a = arena_new();
        struct drawing d;
        if (drawing_read(a, str_of(bad[i]), &d) != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "%s is taken", bad[i]);
        arena_free(a);
    }
}
