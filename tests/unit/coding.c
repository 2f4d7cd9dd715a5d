/* What pairs of documents say, control by control: tables by hand, and the likeness of the metrics.
 */
#include "core/coding.h"

#include "vectors.h"

#define ITEM(from, id, type, value)                                                                \
    "{\"from_name\":\"" from "\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"" type             \
    "\",\"value\":" value "}"
#define CHOICE(list) ITEM("c", "q", "choices", "{\"choices\":[" list "]}")
#define RATING(n)    ITEM("n", "r", "rating", "{\"rating\":" #n "}")
#define NUMBER(n)    ITEM("m", "s", "number", "{\"number\":" #n "}")
#define BOX(id, x)                                                                                 \
    ITEM("b", id, "rectanglelabels",                                                               \
        "{\"height\":20,\"rectanglelabels\":[\"A\"],\"rotation\":0,\"width\":20,\"x\":" #x         \
        ",\"y\":40}")

static struct coding *read_all(struct arena *a, const char *const *docs, size_t n, size_t *pairs)
{
    struct str list[AGREEMENT_DOCS];
    struct coding *out = NULL;

    for (size_t i = 0; i < n; i++)
        list[i] = str_of(docs[i]);
    CHECK_INT(coding_read(list, n, a, &out, pairs), ERR_OK);
    return out;
}

TEST(codings_of_choices)
{
    static const char *const docs[] = {
        "[" CHOICE("\"x\"") "]", "[]", "[" CHOICE("\"y\",\"x\"") "]", "[" CHOICE("\"x\"") "]"};
    struct arena *a = arena_new();
    size_t n = 0;
    struct coding *c = read_all(a, docs, 4, &n);

    REQUIRE(n == 3); /* who did not answer is no rater */
    CHECK(str_is(c[0].control, "c") && str_is(str_of(c[0].kind), "choices"));
    CHECK(c[0].a == 0 && c[0].b == 2 && c[1].a == 0 && c[1].b == 3 && c[2].a == 2 && c[2].b == 3);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(c[i].raters, 3);
        CHECK(c[i].first == (i == 0) && !c[i].numbers);
    }
    CHECK_STR(c[0].value_a, STR("[\"x\"]"));
    CHECK_STR(c[0].value_b, STR("[\"x\",\"y\"]"));
    CHECK_INT(c[0].score, CODING_MILLION / 2);
    CHECK_INT(c[1].score, CODING_MILLION);
    arena_free(a);
}

TEST(codings_of_numbers)
{
    static const char *const docs[] = {
        "[" RATING(4) "," NUMBER(10) "]", "[" RATING(3) "," NUMBER(20) "]"};
    struct arena *a = arena_new();
    size_t n = 0;
    struct coding *c = read_all(a, docs, 2, &n);

    REQUIRE(n == 2);
    CHECK(str_is(str_of(c[0].kind), "number") && c[0].numbers && !c[0].value_a.p);
    CHECK(c[0].number_a == 10 && c[0].number_b == 20 && c[0].score == CODING_MILLION / 2);
    CHECK(str_is(str_of(c[1].kind), "rating") && c[1].numbers && c[1].number_a == 4);
    CHECK_STR(c[1].value_a, STR("4"));
    CHECK_STR(c[1].value_b, STR("3"));
    CHECK_INT(c[1].score, 800000);
    arena_free(a);
}

TEST(codings_of_regions)
{
    static const char *const docs[] = {"[" BOX("p", 10) "]", "[" BOX("q", 20) "]", "[]", "[]"};
    struct arena *a = arena_new();
    size_t n = 0;
    struct coding *c = read_all(a, docs, 4, &n);

    REQUIRE(n == 6); /* also who drew nothing has an opinion */
    CHECK(str_is(str_of(c[0].kind), "areas") && c[0].raters == 4 && !c[0].value_a.p);
    CHECK(c[0].score > 333000 && c[0].score < 333700);
    CHECK(c[1].score == 0 && c[4].score == 0 && c[5].score == CODING_MILLION);
    for (size_t i = 0; i < n; i++)
        CHECK(c[i].first == (i == 0));
    arena_free(a);
}

/* Answers about regions, and several of one control, have no value to be counted. */
TEST(codings_that_are_scores_alone)
{
    static const char *const twice[] = {
        "[" CHOICE("\"x\"") "," ITEM("c", "z", "choices", "{\"choices\":[\"y\"]}") "]",
        "[" CHOICE("\"x\"") "]"};
    static const char *const of_region[] = {
        "[" BOX("q", 10) "," CHOICE("\"x\"") "]", "[" BOX("q", 10) "," CHOICE("\"x\"") "]"};
    struct arena *a = arena_new();
    size_t n = 0;
    struct coding *c = read_all(a, twice, 2, &n);

    REQUIRE(n == 1);
    CHECK(!c[0].value_a.p && c[0].raters == 2 && c[0].score == CODING_MILLION / 2);
    c = read_all(a, of_region, 2, &n);
    REQUIRE(n == 2);
    CHECK(!c[0].value_a.p && !c[1].value_a.p);
    CHECK(c[0].score == CODING_MILLION && c[1].score == CODING_MILLION);
    arena_free(a);
}

TEST(long_values_are_known_by_their_hash)
{
    char one[600], two[600];
    const char *docs[] = {one, two};
    struct arena *a = arena_new();
    size_t n = 0;

    snprintf(one, sizeof(one), "[" CHOICE("\"%0300d\"") "]", 1);
    snprintf(two, sizeof(two), "[" CHOICE("\"%0300d\"") "]", 2);
    struct coding *c = read_all(a, docs, 2, &n);
    REQUIRE(n == 1);
    CHECK(c[0].value_a.n == strlen("sha256:") + 64 && !str_eq(c[0].value_a, c[0].value_b));
    CHECK(str_starts(c[0].value_a, STR("sha256:")));
    arena_free(a);
}

TEST(codings_of_nobody)
{
    struct str docs[] = {STR("[]"), STR("{}")};
    struct arena *a = arena_new();
    struct coding *c;
    size_t n = 1;

    CHECK_INT(coding_read(docs, 0, a, &c, &n), ERR_OK);
    CHECK_INT(n, 0);
    CHECK_INT(coding_read(docs, 1, a, &c, &n), ERR_OK);
    CHECK_INT(n, 0);
    CHECK_INT(coding_read(docs, 2, a, &c, &n), ERR_INVALID);
    CHECK_INT(n, 0);
    docs[1] = STR("[]");
    CHECK_INT(coding_read(docs, 2, a, &c, &n), ERR_OK);
    CHECK_INT(n, 0);
    arena_free(a);
}
