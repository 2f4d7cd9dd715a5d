/* The metrics that weigh how far apart documents are: tables by hand, whole documents against
 * pycocotools and scipy, properties, documents made to take long. */
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/agreement.h"
#include "vectors.h"

#define ITEM(id, type, value)                                                                      \
    "{\"id\":\"" id "\",\"type\":\"" type "\",\"from_name\":\"" type                               \
    "\",\"to_name\":\"o\",\"value\":" value "}"
#define BOX(id, x, y, label)                                                                       \
    ITEM(id, "rectanglelabels",                                                                    \
        "{\"x\":" #x ",\"y\":" #y ",\"width\":10,\"height\":10,\"rotation\":0,"                    \
        "\"rectanglelabels\":[\"" label "\"]}")
#define CHOICE(id, list) ITEM(id, "choices", "{\"choices\":[" list "]}")
#define RATING(id, n)    ITEM(id, "rating", "{\"rating\":" #n "}")
#define NUMBER(id, n)    ITEM(id, "number", "{\"number\":" #n "}")
#define TEXT(id, words)  ITEM(id, "textarea", "{\"text\":[\"" words "\"]}")
#define SPAN(id, from, to)                                                                         \
    ITEM(id, "labels", "{\"start\":" #from ",\"end\":" #to ",\"labels\":[\"P\"]}")
#define SOUND(id, from, to)                                                                        \
    ITEM(id, "labels", "{\"start\":" #from ",\"end\":" #to ",\"channel\":0,\"labels\":[\"S\"]}")
#define LINE(id, from, to)                                                                         \
    ITEM(id, "timelinelabels",                                                                     \
        "{\"ranges\":[{\"start\":" #from ",\"end\":" #to "}],\"timelinelabels\":[\"S\"]}")
#define KEYPOINT(id, x)                                                                            \
    ITEM(id, "keypointlabels", "{\"x\":" #x ",\"y\":1,\"keypointlabels\":[\"K\"]}")
#define ABOUT(id, list)                                                                            \
    "{\"id\":\"" id "\",\"type\":\"choices\",\"from_name\":\"colour\",\"to_name\":\"o\","          \
    "\"value\":{\"x\":0,\"y\":0,\"width\":10,\"height\":10,\"choices\":[" list "]}}"
#define LINK(from, to)                                                                             \
    "{\"type\":\"relation\",\"from_id\":\"" from "\",\"to_id\":\"" to "\",\"direction\":"          \
    "\"right\"}"

static const struct {
    const char *metric, *a, *b;
    double score;
} rows[] = {
    {"choices", "[" CHOICE("a", "\"x\"") "]", "[" CHOICE("b", "\"x\"") "]", 1},
    {"choices", "[" CHOICE("a", "\"x\"") "]", "[" CHOICE("b", "\"y\"") "]", 0},
    {"choices", "[" CHOICE("a", "\"x\",\"y\"") "]", "[" CHOICE("b", "\"y\",\"x\"") "]", 1},
    {"choices", "[" CHOICE("a", "\"x\",\"y\"") "]", "[" CHOICE("b", "\"x\"") "]", 0},
    {"choices", "[" CHOICE("a", "\"x\"") "]", "[]", 0},
    {"choices", "[]", "[]", 1},
    {"jaccard", "[" CHOICE("a", "\"x\",\"y\"") "]", "[" CHOICE("b", "\"x\",\"z\"") "]", 1.0 / 3},
    {"jaccard", "[" CHOICE("a", "[\"A\",\"B\"]") "]", "[" CHOICE("b", "[\"A\",\"B\"],[\"A\"]") "]",
        0.5},
    {"iou", "[" BOX("a", 0, 0, "A") "]", "[" BOX("b", 0, 0, "A") "]", 1},
    {"iou", "[" BOX("a", 0, 0, "A") "]", "[" BOX("b", 0, 0, "B") "]", 0},
    {"iou", "[" BOX("a", 0, 0, "A") "]", "[" BOX("b", 5, 0, "A") "]", 1.0 / 3},
    {"iou", "[" BOX("a", 0, 0, "A") "," BOX("c", 50, 50, "A") "]", "[" BOX("b", 0, 0, "A") "]",
        2.0 / 3},
    {"iou_f1", "[" BOX("a", 0, 0, "A") "]", "[" BOX("b", 3, 0, "A") "]", 1},
    {"iou_f1", "[" BOX("a", 0, 0, "A") "]", "[" BOX("b", 4, 0, "A") "]", 0},
    {"spans", "[" SPAN("a", 0, 4) "," SPAN("b", 6, 9) "]",
        "[" SPAN("c", 0, 4) "," SPAN("d", 6, 8) "]", 0.5},
    {"spans_overlap", "[" SPAN("a", 0, 4) "," SPAN("b", 6, 9) "]",
        "[" SPAN("c", 0, 4) "," SPAN("d", 6, 8) "]", 0.9},
    {"spans_overlap", "[" SPAN("a", 0, 4) "]", "[" SPAN("c", 4, 8) "]", 0},
    {"spans", "[" SPAN("a", 3, 3) "]", "[" SPAN("c", 3, 3) "]", 1},
    {"segments", "[" SOUND("a", 1.0, 2.0) "]", "[" SOUND("b", 1.2, 1.8) "]", 1},
    {"segments", "[" SOUND("a", 1.0, 2.0) "]", "[" SOUND("b", 1.21, 2.0) "]", 0},
    {"segments", "[" SOUND("a", 1.0, 1.0) "]", "[" SOUND("b", 1.2, 1.2) "]", 1},
    {"segments", "[" LINE("a", 10, 50) "]", "[" LINE("b", 14, 46) "]", 1},
    {"segments", "[" LINE("a", 10, 50) "]", "[" LINE("b", 15, 50) "]", 0},
    {"text", "[" TEXT("a", "kitten") "]", "[" TEXT("b", "sitting") "]", 1 - 3.0 / 7},
    {"text", "[" TEXT("a", "\xc3\xa4") "]", "[" TEXT("b", "\xc3\xb6") "]", 0},
    {"number", "[" RATING("a", 4) "]", "[" RATING("b", 3) "]", 0.8},
    {"number", "[" RATING("a", 10) "]", "[" RATING("b", 5) "]", 0.5},
    {"number", "[" NUMBER("a", 10) "]", "[" NUMBER("b", 9) "]", 0.9},
    {"number", "[" NUMBER("a", -1) "]", "[" NUMBER("b", 1) "]", 0},
    {"number", "[" NUMBER("a", 0) "]", "[" NUMBER("b", 0) "]", 1},
    {"number", "[" NUMBER("a", 1e308) "]", "[" NUMBER("b", -1e308) "]", 0},
    {"auto", "[" CHOICE("a", "\"x\"") "," BOX("c", 0, 0, "A") "]",
        "[" CHOICE("b", "\"y\"") "," BOX("d", 0, 0, "A") "]", 0.5},
    {"auto", "[" KEYPOINT("a", 1) "," KEYPOINT("b", 1) "]",
        "[" KEYPOINT("c", 1) "," KEYPOINT("d", 2) "]", 0.5},
    /* about a region: compared where both have the region */
    {"auto", "[" BOX("a", 0, 0, "A") "," ABOUT("a", "\"red\"") "]",
        "[" BOX("b", 0, 0, "A") "," ABOUT("b", "\"red\"") "]", 1},
    {"auto", "[" BOX("a", 0, 0, "A") "," ABOUT("a", "\"red\"") "]",
        "[" BOX("b", 0, 0, "A") "," ABOUT("b", "\"blue\"") "]", 0.5},
    {"auto", "[" BOX("a", 0, 0, "A") "," ABOUT("a", "\"red\"") "]", "[" BOX("b", 0, 0, "A") "]",
        0.5},
    {"choices", "[" BOX("a", 0, 0, "A") "," ABOUT("a", "\"red\"") "]",
        "[" BOX("b", 50, 0, "A") "," ABOUT("b", "\"red\"") "]", 0},
    {"auto", "[" BOX("a", 0, 0, "A") "," BOX("b", 20, 0, "A") "," LINK("a", "b") "]",
        "[" LINK("y", "x") "," BOX("x", 20, 0, "A") "," BOX("y", 0, 0, "A") "]", 1},
    {"auto", "[" BOX("a", 0, 0, "A") "," BOX("b", 20, 0, "A") "," LINK("a", "b") "]",
        "[" LINK("x", "y") "," BOX("x", 20, 0, "A") "," BOX("y", 0, 0, "A") "]", 0.5},
    /* a metric that finds nothing of its own does not agree by looking away */
    {"iou", "[" CHOICE("a", "\"x\"") "]", "[" CHOICE("b", "\"y\"") "]", 0},
    {"text", "[" CHOICE("a", "\"x\"") "]", "[" CHOICE("b", "\"x\"") "]", 1},
};

static double score_of(const char *metric, struct str a, struct str b)
{
    struct str docs[] = {a, b};
    struct agreement out = {.score = -1};

    if (agreement_measure(str_of(metric), docs, 2, &out))
        return -1;
    return out.score;
}

TEST(metrics_by_hand)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double score = score_of(rows[i].metric, str_of(rows[i].a), str_of(rows[i].b));
        double back = score_of(rows[i].metric, str_of(rows[i].b), str_of(rows[i].a));
        if (!near(score, rows[i].score, 1e-9) || !near(score, back, 1e-12))
            t_fail(__FILE__, __LINE__, "row %zu, %s: %.9f, %.9f, want %.9f", i, rows[i].metric,
                score, back, rows[i].score);
    }
}

TEST(box_documents_are_judged_as_by_pycocotools_and_scipy)
{
    struct json_object *docs = vectors("box_documents");

    for (size_t i = 0; i < json_object_array_length(docs); i++) {
        struct json_object *row = json_object_array_get_idx(docs, i);
        struct str a = json_text(member(row, "a")), b = json_text(member(row, "b"));
        double iou = score_of("iou", a, b), f1 = score_of("iou_f1", a, b);
        if (!near(iou, number(row, "iou"), 1e-9) || !near(f1, number(row, "f1"), 1e-9))
            t_fail(__FILE__, __LINE__, "row %zu: %.9f and %.9f, want %.9f and %.9f", i, iou, f1,
                number(row, "iou"), number(row, "f1"));
        CHECK(near(iou, score_of("auto", b, a), 1e-9));
    }
    json_object_put(docs);
}

TEST(the_majority_is_most_like_the_others)
{
    struct str docs[] = {STR("[" BOX("a", 0, 0, "A") "]"), STR("[" BOX("b", 2, 0, "A") "]"),
        STR("[" BOX("c", 4, 0, "A") "]"), STR("[" BOX("d", 70, 0, "A") "]")};
    struct agreement out;

    REQUIRE(agreement_measure(STR("auto"), docs, 4, &out) == ERR_OK);
    CHECK_INT(out.majority, 1);
    CHECK(near(out.score, (8.0 / 12 + 8.0 / 12 + 6.0 / 14) / 6, 1e-9));
    REQUIRE(agreement_measure(STR("auto"), docs, 1, &out) == ERR_OK);
    CHECK(out.score == 1 && out.majority == 0);
    REQUIRE(agreement_measure(STR("auto"), docs + 2, 2, &out) == ERR_OK);
    CHECK_INT(out.majority, 0); /* the first of equals */
}

static const char *const all[] = {"auto", "choices", "jaccard", "iou", "iou_f1", "spans",
    "spans_overlap", "segments", "text", "number"};

TEST(bad_documents_are_refused)
{
    static const char *const bad[] = {"", "{}", "[1]", "[", "null", "[[]]", "[{}"};
    struct agreement out;

    for (size_t m = 0; m < ARRAY_LEN(all); m++)
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            struct str docs[] = {STR("[]"), str_of(bad[i])};
            CHECK_INT(agreement_measure(str_of(all[m]), docs, 2, &out), ERR_INVALID);
        }
}

/* Items that no label config would let through must not trip anything. */
TEST(odd_items_are_borne)
{
    static const char *const odd[] = {"[{}]", "[{\"type\":\"rectanglelabels\"}]",
        "[{\"id\":\"a\",\"type\":\"rectanglelabels\",\"value\":[]}]",
        "[{\"id\":\"a\",\"type\":\"rectanglelabels\",\"value\":{\"height\":1}}]",
        "[{\"id\":\"a\",\"type\":\"polygonlabels\",\"value\":{\"points\":[]}}]",
        "[{\"id\":\"a\",\"type\":\"polygonlabels\",\"value\":{\"points\":[[1]],"
        "\"polygonlabels\":7}}]",
        "[{\"id\":\"a\",\"type\":\"polygonlabels\",\"value\":{\"points\":[[1e300,1],[2,-1e300],[0,"
        "0]]}}]",
        "[{\"id\":\"a\",\"type\":\"choices\",\"value\":{\"choices\":{}}}]",
        "[{\"id\":\"a\",\"type\":\"choices\",\"value\":null}]", "[{\"type\":\"choices\"}]",
        "[{\"id\":\"a\",\"type\":\"labels\",\"value\":{\"start\":9,\"end\":1}}]",
        "[{\"id\":\"a\",\"type\":\"number\",\"value\":{\"number\":\"x\"}}]",
        "[{\"id\":\"a\",\"type\":\"textarea\",\"value\":{\"text\":[1,{},null]}}]",
        "[{\"type\":\"relation\",\"from_id\":\"a\",\"to_id\":\"b\"}]", "[{\"type\":\"relation\"}]",
        "[{\"id\":\"a\",\"type\":\"timelinelabels\",\"value\":{\"ranges\":[]}}]",
        "[{\"id\":\"a\",\"type\":\"ellipse\",\"original_width\":1e308,\"value\":{\"x\":1,\"y\":1,"
        "\"radiusX\":1e5,\"radiusY\":0}}]",
        "[{\"id\":1,\"type\":2,\"from_name\":[],\"value\":3}]"};

    for (size_t m = 0; m < ARRAY_LEN(all); m++)
        for (size_t i = 0; i < ARRAY_LEN(odd); i++)
            for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
                double score = score_of(all[m], str_of(odd[i]), str_of(odd[k]));
                if (!(score >= 0 && score <= 1) || (i == k && score != 1 && i != 13 && i != 14))
                    t_fail(__FILE__, __LINE__, "%s: %s and %s: %f", all[m], odd[i], odd[k], score);
            }
}

/* ---- random documents */

static void add_random(struct buf *b, uint64_t *s, unsigned n)
{
    buf_printf(b, "{\"id\":\"r%u\",\"to_name\":\"o\",", n);
    unsigned at = (unsigned)(t_random(s) % 60), wide = (unsigned)(1 + t_random(s) % 30);
    char label = (char)('A' + t_random(s) % 2);
    switch (t_random(s) % 6) {
    case 0:
        buf_printf(b,
            "\"from_name\":\"box\",\"type\":\"rectanglelabels\",\"value\":{\"x\":%u,\"y\":%u,"
            "\"width\":%u,\"height\":%u,\"rotation\":%u,\"rectanglelabels\":[\"%c\"]}}",
            at, at / 2, wide, wide / 2, (unsigned)(t_random(s) % 3) * 30, label);
        break;
    case 1:
        buf_printf(b,
            "\"from_name\":\"span\",\"type\":\"labels\",\"value\":{\"start\":%u,\"end\":%u,"
            "\"labels\":[\"%c\"]}}",
            at, at + wide, label);
        break;
    case 2:
        buf_printf(b,
            "\"from_name\":\"sound\",\"type\":\"labels\",\"value\":{\"start\":%u.1,\"end\":%u.5,"
            "\"channel\":0,\"labels\":[\"%c\"]}}",
            at, at + wide, label);
        break;
    case 3:
        buf_printf(
            b, "\"from_name\":\"word\",\"type\":\"textarea\",\"value\":{\"text\":[\"t%u\"]}}", at);
        break;
    case 4:
        buf_printf(b,
            "\"from_name\":\"pick%u\",\"type\":\"choices\",\"value\":{\"choices\":[\"%c\"]}}", n,
            label);
        break;
    default:
        buf_printf(b,
            "\"from_name\":\"poly\",\"type\":\"polygonlabels\",\"value\":{\"points\":[[%u,%u],[%u,"
            "%u],[%u,%u]],\"polygonlabels\":[\"%c\"]}}",
            at, at, at + wide, at, at, at + wide, label);
    }
}

static void random_document(struct buf *b, uint64_t *s, unsigned n)
{
    buf_putc(b, '[');
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buf_putc(b, ',');
        add_random(b, s, i);
    }
    buf_putc(b, ']');
}

TEST(every_metric_is_symmetric_and_within_bounds)
{
    uint64_t s = t_seed() | 1;
    struct buf a, b;

    buf_init(&a, BUF_MAX_LABEL);
    buf_init(&b, BUF_MAX_LABEL);
    for (int round = 0; round < 60; round++) {
        buf_clear(&a);
        buf_clear(&b);
        random_document(&a, &s, (unsigned)(t_random(&s) % 12));
        random_document(&b, &s, (unsigned)(t_random(&s) % 12));
        for (size_t m = 0; m < ARRAY_LEN(all); m++) {
            double score = score_of(all[m], buf_view(&a), buf_view(&b));
            CHECK(score >= 0 && score <= 1 + 1e-12);
            CHECK(near(score, score_of(all[m], buf_view(&b), buf_view(&a)), 1e-9));
            CHECK(near(score_of(all[m], buf_view(&a), buf_view(&a)), 1, 1e-12));
        }
    }
    buf_release(&a);
    buf_release(&b);
}

/* ---- documents made to take long, as many as a task has at most */

enum { HOSTILE_DOCS = 9, HOSTILE_ITEMS = 10000, HOSTILE_SECONDS = 30 }; /* with the sanitizers */

static void hostile(const char *what, void (*add)(struct buf *, unsigned item, unsigned doc))
{
    struct str docs[HOSTILE_DOCS];
    struct buf text[HOSTILE_DOCS];
    struct agreement out;
    clock_t start;

    for (unsigned d = 0; d < HOSTILE_DOCS; d++) {
        buf_init(&text[d], BUF_MAX_LABEL);
        buf_putc(&text[d], '[');
        for (unsigned i = 0; i < HOSTILE_ITEMS; i++) {
            if (i)
                buf_putc(&text[d], ',');
            add(&text[d], i, d);
        }
        buf_putc(&text[d], ']');
        REQUIRE(buf_err(&text[d]) == ERR_OK);
        docs[d] = buf_view(&text[d]);
    }
    start = clock();
    CHECK_INT(agreement_measure(STR("auto"), docs, HOSTILE_DOCS, &out), ERR_OK);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (!(seconds < HOSTILE_SECONDS && out.score >= 0 && out.score <= 1))
        t_fail(__FILE__, __LINE__, "%s: %.1f s, score %f", what, seconds, out.score);
    for (size_t d = 0; d < HOSTILE_DOCS; d++)
        buf_release(&text[d]);
}

/* All on one another, none the same. */
static void add_heap(struct buf *b, unsigned i, unsigned d)
{
    buf_printf(b,
        "{\"id\":\"r%u\",\"from_name\":\"b\",\"to_name\":\"o\",\"type\":\"rectangle\",\"value\":{"
        "\"x\":%u.%u,\"y\":1,\"width\":50,\"height\":50,\"rotation\":%u}}",
        i, d, i, i % 90);
}

static void add_spans(struct buf *b, unsigned i, unsigned d)
{
    buf_printf(b,
        "{\"id\":\"r%u\",\"from_name\":\"b\",\"to_name\":\"o\",\"type\":\"labels\",\"value\":{"
        "\"start\":%u,\"end\":%u,\"labels\":[\"A\"]}}",
        i, i, 20000 + d + i);
}

static void add_names(struct buf *b, unsigned i, unsigned d)
{
    buf_printf(b,
        "{\"id\":\"r%u\",\"from_name\":\"b%u\",\"to_name\":\"o\",\"type\":\"textarea\",\"value\":{"
        "\"text\":[\"%0150u\"]}}",
        i, i, i * 7919 + d);
}

TEST(hostile_boxes_end)
{
    hostile("boxes", add_heap);
}

TEST(hostile_spans_end)
{
    hostile("spans", add_spans);
}

TEST(hostile_texts_end)
{
    hostile("texts", add_names);
}
