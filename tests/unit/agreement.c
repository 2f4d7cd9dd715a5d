/* The exact metric: what counts as the same, the share of equal pairs, the majority. */
#include "core/agreement.h"

#include <math.h>
#include <stdlib.h>

#include "t.h"

#define BOX(id, x)                                                                                 \
    "{\"from_name\":\"l\",\"id\":\"" id "\",\"to_name\":\"i\",\"type\":\"rectanglelabels\","       \
    "\"value\":{\"rectanglelabels\":[\"A\"],\"x\":" #x "}}"
#define TEXT(id, word)                                                                             \
    "{\"from_name\":\"t\",\"id\":\"" id "\",\"to_name\":\"i\",\"type\":\"textarea\",\"value\":{"   \
    "\"text\":[\"" word "\"]}}"
#define LINK(from, to)                                                                             \
    "{\"direction\":\"right\",\"from_id\":\"" from "\",\"to_id\":\"" to "\",\"type\":"             \
    "\"relation\"}"

static double score(const char *a, const char *b)
{
    struct str docs[] = {str_of(a), str_of(b)};
    struct agreement out = {.score = -1};

    if (agreement_measure(STR("exact"), docs, 2, &out))
        return -1;
    return out.score;
}

TEST(what_is_the_same)
{
    static const char *const same[][2] = {
        {"[]", "[]"},
        {"[" BOX("a", 1) "]", "[" BOX("b", 1) "]"},
        {"[" BOX("a", 1) "," BOX("b", 2) "]", "[" BOX("c", 2) "," BOX("d", 1) "]"},
        {"[{\"id\":\"a\",\"type\":\"x\",\"score\":0.5,\"origin\":\"manual\",\"meta\":{\"a\":1},"
         "\"lead_time\":3}]",
            "[{\"type\":\"x\",\"id\":\"q\",\"origin\":\"prediction\"}]"},
        {"[" BOX("a", 1) "," TEXT("a", "x") "]", "[" TEXT("b", "x") "," BOX("b", 1) "]"},
        {"[" BOX("a", 1) "," BOX("b", 2) "," LINK("a", "b") "]",
            "[" LINK("y", "z") "," BOX("z", 2) "," BOX("y", 1) "]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        if (score(same[i][0], same[i][1]) != 1)
            t_fail(__FILE__, __LINE__, "%s\n      %s", same[i][0], same[i][1]);
}

TEST(what_is_not)
{
    static const char *const other[][2] = {
        {"[]", "[" BOX("a", 1) "]"},
        {"[" BOX("a", 1) "]", "[" BOX("a", 1.5) "]"},
        {"[" BOX("a", 1) "]", "[" BOX("a", 1) "," BOX("b", 1) "]"},
        /* the same items, tied together otherwise */
        {"[" BOX("a", 1) "," TEXT("a", "x") "]", "[" BOX("a", 1) "," TEXT("b", "x") "]"},
        {"[" BOX("a", 1) "," TEXT("a", "x") "," BOX("b", 2) "," TEXT("b", "y") "]",
            "[" BOX("a", 1) "," TEXT("a", "y") "," BOX("b", 2) "," TEXT("b", "x") "]"},
        {"[" BOX("a", 1) "," BOX("b", 2) "," LINK("a", "b") "]",
            "[" BOX("a", 1) "," BOX("b", 2) "," LINK("b", "a") "]"},
        {"[" BOX("a", 1) "," BOX("b", 2) "," LINK("a", "b") "]",
            "[" BOX("a", 1) "," BOX("b", 2) "]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (score(other[i][0], other[i][1]) != 0)
            t_fail(__FILE__, __LINE__, "%s\n      %s", other[i][0], other[i][1]);
}

TEST(shares_and_majorities)
{
    static const struct {
        const char *docs; /* a letter a document; equal letters, equal documents */
        double score;
        size_t majority;
    } rows[] = {{"a", 1, 0}, {"aa", 1, 0}, {"ab", 0, 0}, {"abb", 1.0 / 3, 1}, {"aab", 1.0 / 3, 0},
        {"abc", 0, 0}, {"aabb", 2.0 / 6, 0}, {"abbb", 0.5, 1}, {"abcccab", 5.0 / 21, 2},
        {"aaaaaaaaa", 1, 0}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[9][200];
        struct str docs[9];
        struct agreement out;
        size_t n = strlen(rows[i].docs);
        for (size_t k = 0; k < n; k++) {
            snprintf(text[k], sizeof(text[k]),
                "[{\"id\":\"r%zu\",\"type\":\"choices\",\"value\":{\"choices\":[\"%c\"]}}]", k,
                rows[i].docs[k]);
            docs[k] = str_of(text[k]);
        }
        REQUIRE(agreement_measure(STR("exact"), docs, n, &out) == ERR_OK);
        if (fabs(out.score - rows[i].score) > 1e-12 || out.majority != rows[i].majority)
            t_fail(__FILE__, __LINE__, "%s: %f, %zu", rows[i].docs, out.score, out.majority);
    }
}

TEST(refuses)
{
    static const char *const bad[] = {"", "{}", "[1]", "[", "[" LINK("a", "b") "]"};
    struct agreement out;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str doc = str_of(bad[i]);
        CHECK_INT(agreement_measure(STR("exact"), &doc, 1, &out), ERR_INVALID);
    }
    struct str doc = STR("[]");
    CHECK_INT(agreement_measure(STR("guess"), &doc, 1, &out), ERR_NOT_FOUND);
    CHECK(!agreement_metric(STR("")) && agreement_metric(STR("exact")));
}
