/* Numbers by string: what is there is found, what is not is not, up to the last place. */
#include "base/lookup.h"

#include <stdio.h>

#include "t.h"

TEST(a_lookup_finds_what_is_there)
{
    enum { N = 1000 };
    struct arena *a = arena_new();
    struct lookup l;
    char key[16];

    lookup_init(&l, a, N);
    for (size_t i = 0; i < N; i++) {
        CHECK(lookup_find(&l, str_of(arena_printf(a, "k%zu", i))) == LOOKUP_NONE);
        lookup_add(&l, str_of(arena_printf(a, "k%zu", i)), 7 * i);
    }
    for (size_t i = 0; i < N; i++) {
        snprintf(key, sizeof(key), "k%zu", i);
        CHECK_INT((int64_t)lookup_find(&l, str_of(key)), (int64_t)(7 * i));
    }
    CHECK(lookup_find(&l, STR("k1000")) == LOOKUP_NONE && lookup_find(&l, STR("")) == LOOKUP_NONE);
    arena_free(a);
}

TEST(a_lookup_of_nothing)
{
    struct arena *a = arena_new();
    struct lookup l;

    lookup_init(&l, a, 0);
    CHECK(lookup_find(&l, STR("")) == LOOKUP_NONE);
    lookup_init(&l, a, 1);
    lookup_add(&l, STR(""), 3);
    CHECK_INT((int64_t)lookup_find(&l, STR("")), 3);
    CHECK(lookup_find(&l, STR("x")) == LOOKUP_NONE);
    arena_free(a);
}
