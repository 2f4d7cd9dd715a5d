/* The merged document: tables by hand, properties over random documents. */
#include "base/buf.h"
#include "base/err.h"
#include "core/agreement.h"
#include "vectors.h"

#define CHOICE(id, list)                                                                           \
    "{\"from_name\":\"c\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"choices\",\"value\":{"    \
    "\"choices\":[" list "]}}"
#define BOX(id, x, rotation)                                                                       \
    "{\"from_name\":\"b\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"rectanglelabels\","       \
    "\"value\":{\"height\":20,\"rectanglelabels\":[\"A\"],\"rotation\":" #rotation                 \
    ",\"width\":20,\"x\":" #x ",\"y\":40}}"
#define WORD(id, x, word)                                                                          \
    "{\"from_name\":\"t\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"textarea\",\"value\":{"   \
    "\"height\":20,\"text\":[\"" word "\"],\"x\":" #x ",\"y\":40}}"
#define SPAN(id, from, to)                                                                         \
    "{\"from_name\":\"s\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"labels\",\"value\":{"     \
    "\"end\":" #to ",\"labels\":[\"P\"],\"start\":" #from "}}"
#define RATING(id, n)                                                                              \
    "{\"from_name\":\"n\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"rating\",\"value\":{"     \
    "\"rating\":" #n "}}"
#define POLYGON(id, x)                                                                             \
    "{\"from_name\":\"p\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"polygonlabels\","         \
    "\"value\":{\"points\":[[" #x ",10],[50,10],[50,50]],\"polygonlabels\":[\"A\"]}}"
#define LINK(from, to)                                                                             \
    "{\"direction\":\"right\",\"from_id\":\"" from "\",\"to_id\":\"" to "\",\"type\":"             \
    "\"relation\"}"

static const struct {
    const char *docs[5], *merged;
} rows[] = {
    {{"[]", "[]"}, "[]"},
    {{"[" CHOICE("a", "\"x\"") "]", "[" CHOICE("b", "\"y\"") "]", "[" CHOICE("c", "\"y\"") "]"},
        "[" CHOICE("b", "\"y\"") "]"},
    {{"[" CHOICE("a", "\"x\",\"y\"") "]", "[" CHOICE("b", "\"y\",\"z\"") "]",
         "[" CHOICE("c", "\"x\",\"y\",\"w\"") "]"},
        "[" CHOICE("a", "\"x\",\"y\"") "]"},
    {{"[" CHOICE("a", "\"x\"") "]", "[]", "[]"}, "[]"},
    {{"[" CHOICE("a", "\"x\"") "]", "[]"}, "[" CHOICE("a", "\"x\"") "]"}, /* half: the first's */
    {{"[" RATING("a", 1) "]", "[" RATING("b", 5) "]", "[" RATING("c", 4) "]"},
        "[" RATING("c", 4) "]"},
    {{"[" BOX("a", 10, 0) "]", "[" BOX("b", 12, 0) "]", "[" BOX("c", 14, 0) "]"},
        "[" BOX("b", 12, 0) "]"},
    {{"[" BOX("a", 10, 350) "]", "[" BOX("b", 10, 10) "]", "[" BOX("c", 10, 0) "]"},
        "[" BOX("c", 10, 0) "]"},
    {{"[" BOX("a", 10, 356) "]", "[" BOX("b", 10, 2) "]"}, "[" BOX("a", 10, 359) "]"},
    /* of regions that the document followed lacks, those that most have */
    {{"[" BOX("a", 10, 0) "]", "[" BOX("b", 10, 0) "," BOX("c", 60, 0) "]",
         "[" BOX("d", 10, 0) "," BOX("e", 62, 0) "]"},
        "[" BOX("b", 10, 0) "," BOX("c", 61, 0) "]"},
    {{"[" BOX("a", 10, 0) "," BOX("x", 60, 0) "]", "[" BOX("b", 10, 0) "]",
         "[" BOX("c", 10, 0) "]"},
        "[" BOX("b", 10, 0) "]"},
    /* what is said about a region goes with it, and follows its place */
    {{"[" BOX("a", 10, 0) "," WORD("a", 10, "one") "]",
         "[" BOX("b", 12, 0) "," WORD("b", 12, "two") "]",
         "[" WORD("c", 14, "two") "," BOX("c", 14, 0) "]"},
        "[" BOX("b", 12, 0) "," WORD("b", 12, "two") "]"},
    {{"[" SPAN("a", 0, 9) "]", "[" SPAN("b", 1, 9) "]", "[" SPAN("c", 1, 9) "]",
         "[" SPAN("d", 0, 8) "]"},
        "[" SPAN("a", 1, 9) "]"},
    {{"[" POLYGON("a", 10) "]", "[" POLYGON("b", 11) "]", "[" POLYGON("c", 12) "]"},
        "[" POLYGON("b", 11) "]"},
    {{"[" BOX("a", 10, 0) "," BOX("b", 60, 0) "," LINK("a", "b") "]",
         "[" BOX("b", 10, 0) "," BOX("a", 60, 0) "," LINK("b", "a") "]",
         "[" BOX("y", 10, 0) "," BOX("z", 60, 0) "," LINK("z", "y") "]"},
        "[" BOX("a", 10, 0) "," BOX("b", 60, 0) "," LINK("a", "b") "]"},
};

static size_t count_docs(const char *const *list, struct str *docs)
{
    size_t n = 0;

    for (; n < 5 && list[n]; n++)
        docs[n] = str_of(list[n]);
    return n;
}

static enum err merge(const struct str *docs, size_t n, const char *name, struct buf *out)
{
    const struct agreement_metric *metric = agreement_metric(str_of(name));
    struct agreement found;
    enum err e = metric->measure(docs, n, &found);

    return e ? e : agreement_merge(docs, n, metric, found.majority, out);
}

TEST(merges_by_hand)
{
    struct buf out;

    buf_init(&out, BUF_MAX_LABEL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str docs[5];
        size_t n = count_docs(rows[i].docs, docs);
        buf_clear(&out);
        CHECK_INT(merge(docs, n, "auto", &out), ERR_OK);
        if (!str_is(buf_view(&out), rows[i].merged))
            t_fail(__FILE__, __LINE__, "row %zu: %.*s\n      want %s", i, STR_FMT(buf_view(&out)),
                rows[i].merged);
    }
    buf_release(&out);
}

TEST(exact_takes_a_document_as_it_is)
{
    struct str docs[] = {
        STR("[" BOX("a", 10, 0) "]"), STR("[" BOX("b", 12, 0) "]"), STR("[" BOX("c", 12, 0) "]")};
    struct buf out;

    buf_init(&out, BUF_MAX_LABEL);
    CHECK_INT(merge(docs, 3, "exact", &out), ERR_OK);
    CHECK_STR(buf_view(&out), docs[1]);
    buf_clear(&out);
    CHECK_INT(merge(docs, 1, "auto", &out), ERR_OK);
    CHECK_STR(buf_view(&out), docs[0]);
    docs[1] = STR("{}");
    CHECK_INT(merge(docs, 2, "auto", &out), ERR_INVALID);
    buf_release(&out);
}

/* One box can be written in two ways; their mean would be a third box. */
TEST(boxes_written_otherwise_are_not_averaged)
{
    struct str docs[] = {
        STR("[{\"from_name\":\"b\",\"id\":\"a\",\"to_name\":\"o\",\"type\":\"rectangle\",\"value\":"
            "{"
            "\"height\":20,\"rotation\":0,\"width\":40,\"x\":30,\"y\":40}}]"),
        STR("[{\"from_name\":\"b\",\"id\":\"b\",\"to_name\":\"o\",\"type\":\"rectangle\",\"value\":"
            "{"
            "\"height\":40,\"rotation\":90,\"width\":20,\"x\":70,\"y\":40}}]"),
    };
    struct agreement found;
    struct buf out;

    buf_init(&out, BUF_MAX_LABEL);
    CHECK_INT(agreement_measure(STR("iou"), docs, 2, &found), ERR_OK);
    CHECK(near(found.score, 1, 1e-9));
    CHECK_INT(merge(docs, 2, "iou", &out), ERR_OK);
    CHECK_STR(buf_view(&out), docs[0]);
    buf_release(&out);
}

/* ---- random documents: of n people who tremble a little and sometimes miss one */

enum { PEOPLE = 5, THINGS = 12 };

static void random_document(struct buf *b, uint64_t *s, unsigned miss)
{
    unsigned turn = (unsigned)(t_random(s) % THINGS); /* the same ids, for other things */

    buf_putc(b, '[');
    for (unsigned i = 0; i < THINGS; i++) {
        if (t_random(s) % 100 < miss)
            continue;
        buf_printf(b,
            "{\"from_name\":\"b\",\"id\":\"i%u\",\"to_name\":\"o\",\"type\":\"rectangle\","
            "\"value\":{\"height\":8,\"rotation\":0,\"width\":6,\"x\":%u.%u,\"y\":1}},",
            (i + turn) % THINGS, i * 8, (unsigned)(t_random(s) % 10));
    }
    buf_printf(b,
        "{\"from_name\":\"c\",\"id\":\"c\",\"to_name\":\"o\",\"type\":\"choices\","
        "\"value\":{\"choices\":[\"%c\"]}}]",
        (char)('a' + t_random(s) % 2));
}

static bool ids_differ(struct json_object *doc)
{
    struct json_object *seen = json_object_new_object();
    bool good = true;

    for (size_t i = 0; i < json_object_array_length(doc); i++) {
        const char *id = json_object_get_string(member(json_object_array_get_idx(doc, i), "id"));
        good = good && !json_object_object_get_ex(seen, id, NULL);
        json_object_object_add(seen, id, NULL);
    }
    json_object_put(seen);
    return good;
}

TEST(what_all_have_is_in_the_merge_once)
{
    uint64_t s = t_seed() | 1;
    struct buf text[PEOPLE], out;
    struct str docs[PEOPLE];

    buf_init(&out, BUF_MAX_LABEL);
    for (int round = 0; round < 60; round++) {
        size_t n = 2 + t_random(&s) % (PEOPLE - 1);
        unsigned miss = round % 2 ? 20 : 0;
        for (size_t i = 0; i < n; i++) {
            buf_init(&text[i], BUF_MAX_LABEL);
            random_document(&text[i], &s, miss);
            docs[i] = buf_view(&text[i]);
        }
        buf_clear(&out);
        CHECK_INT(merge(docs, n, "auto", &out), ERR_OK);
        struct json_object *merged = json_tokener_parse(buf_view(&out).p);
        REQUIRE(merged);
        CHECK(miss || json_object_array_length(merged) == THINGS + 1);
        CHECK(json_object_array_length(merged) <= THINGS + 1);
        CHECK(ids_differ(merged));
        json_object_put(merged);
        for (size_t i = 0; i < n; i++)
            buf_release(&text[i]);
    }
    buf_release(&out);
}

TEST(merging_equals_changes_nothing)
{
    struct str doc = STR("[" BOX("a", 10.123, 7.7) "," BOX("b", 60, 0) "," CHOICE(
        "c", "\"x\"") "," SPAN("d", 1, 2) "," RATING("e", 3) "," LINK("a", "b") "]");
    struct str docs[AGREEMENT_DOCS];
    struct buf out;

    buf_init(&out, BUF_MAX_LABEL);
    for (size_t n = 1; n <= AGREEMENT_DOCS; n++) {
        docs[n - 1] = doc;
        buf_clear(&out);
        CHECK_INT(merge(docs, n, "auto", &out), ERR_OK);
        CHECK_STR(buf_view(&out), doc);
    }
    buf_release(&out);
}
