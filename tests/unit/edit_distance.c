/* Edit distances: against rapidfuzz, by properties, and of texts too long to compare. */
#include "core/edit_distance.h"

#include "base/err.h"
#include "vectors.h"

static struct effort plenty(void)
{
    return (struct effort){EFFORT_MOST};
}

TEST(distances_are_those_of_rapidfuzz)
{
    struct json_object *rows = vectors("texts");

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        struct str a = text(row, "a"), b = text(row, "b");
        struct effort e = plenty();
        size_t distance = edit_distance(a, b, &e), back = edit_distance(b, a, &e);
        if (distance != (size_t)number(row, "distance") || back != distance ||
            !near(edit_similarity(a, b, &e), number(row, "similarity"), 1e-12))
            t_fail(__FILE__, __LINE__, "row %zu: %zu, %zu, want %g", i, distance, back,
                number(row, "distance"));
    }
    json_object_put(rows);
}

TEST(distances_by_hand)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2},
        {"\xc3\xa4", "a", 1}, {"\xf0\x9f\x98\x80", "", 1}, {"abc", "abc", 0}, {"ab", "ba", 2}};
    struct effort e = plenty();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_INT(edit_distance(str_of(rows[i].a), str_of(rows[i].b), &e), rows[i].distance);
    CHECK(edit_similarity(STR(""), STR(""), &e) == 1);
    CHECK(edit_similarity(STR("a"), STR("b"), &e) == 0);
    CHECK_INT(edit_distance(STR("\xff\xfe"), STR("\xff"), &e), 1); /* no UTF-8: bytes */
}

/* The distance keeps the triangle, and never leaves its bounds. */
TEST(distances_are_a_metric)
{
    uint64_t s = t_seed() | 1;
    struct effort e = plenty();

    for (int round = 0; round < 200; round++) {
        char t[3][90];
        struct str v[3];
        for (size_t i = 0; i < 3; i++) {
            v[i] = (struct str){t[i], t_random(&s) % sizeof(t[i])};
            for (size_t k = 0; k < v[i].n; k++)
                t[i][k] = (char)('a' + t_random(&s) % 3);
        }
        size_t ab = edit_distance(v[0], v[1], &e), bc = edit_distance(v[1], v[2], &e);
        size_t ac = edit_distance(v[0], v[2], &e), longer = v[0].n > v[2].n ? v[0].n : v[2].n;
        size_t shorter = v[0].n + v[2].n - longer;
        CHECK(ac <= ab + bc && ac <= longer && ac >= longer - shorter);
    }
}

TEST(texts_beyond_the_effort_are_far_apart)
{
    enum { LONG = 2 << 20 };
    char *a = malloc(LONG), *b = malloc(LONG);
    struct effort e = plenty(), none = {0};

    REQUIRE(a && b);
    memset(a, 'a', LONG);
    memset(b, 'b', LONG);
    CHECK_INT(edit_distance((struct str){a, LONG}, (struct str){b, LONG}, &e), LONG);
    memset(b + 10, 'a', LONG - 10);
    CHECK_INT(edit_distance((struct str){a, LONG}, (struct str){b, LONG}, &e), 10);
    CHECK_INT(edit_distance((struct str){a, LONG}, (struct str){a, LONG}, &none), 0);
    CHECK_INT(edit_distance(STR("abcd"), STR("axyd"), &none), 2);
    free(a);
    free(b);
}
