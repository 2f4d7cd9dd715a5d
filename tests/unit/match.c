/* One-to-one matching: against scipy's linear_sum_assignment, by properties, and beyond the sizes
 * that are solved exactly. */
#include "core/match.h"

#include "vectors.h"

static struct effort plenty(void)
{
    return (struct effort){EFFORT_MOST};
}

/* The sum of a matching; -1 when it is none. */
static double checked_sum(const struct match *of_a, size_t na, size_t nb)
{
    bool *taken = calloc(nb + 1, sizeof(*taken));
    double sum = 0;

    for (size_t i = 0; i < na; i++) {
        if (of_a[i].partner == MATCH_NONE)
            continue;
        if (of_a[i].partner >= nb || taken[of_a[i].partner] || of_a[i].weight <= 0)
            sum = -INFINITY;
        else
            taken[of_a[i].partner] = true;
        sum += of_a[i].weight;
    }
    free(taken);
    return sum;
}

TEST(matchings_are_as_good_as_scipys)
{
    struct json_object *rows = vectors("matchings");

    for (size_t r = 0; r < json_object_array_length(rows); r++) {
        struct json_object *row = json_object_array_get_idx(rows, r), *w = member(row, "weights");
        size_t na = json_object_array_length(w), n = 0;
        size_t nb = json_object_array_length(json_object_array_get_idx(w, 0));
        struct arena *mem = arena_new();
        struct match_edge *edges = arena_array(mem, na * nb, sizeof(*edges));
        struct match *of_a = arena_array(mem, na, sizeof(*of_a));
        struct effort e = plenty();
        for (size_t i = 0; i < na * nb; i++) {
            double weight = json_object_get_double(
                json_object_array_get_idx(json_object_array_get_idx(w, i / nb), i % nb));
            if (weight > 0)
                edges[n++] = (struct match_edge){(uint32_t)(i / nb), (uint32_t)(i % nb), weight};
        }
        match_best(mem, edges, n, na, nb, &e, of_a);
        if (!near(checked_sum(of_a, na, nb), number(row, "best"), 1e-9))
            t_fail(__FILE__, __LINE__, "row %zu: %f, scipy has %f", r, checked_sum(of_a, na, nb),
                number(row, "best"));
        arena_free(mem);
    }
    json_object_put(rows);
}

/* The second best edge must be given up for the two beside the best. */
TEST(greedy_is_not_enough)
{
    struct match_edge edges[] = {{0, 0, 1}, {0, 1, 0.9}, {1, 0, 0.9}};
    struct match of_a[2];
    struct arena *mem = arena_new();
    struct effort e = plenty(), none = {0};

    match_best(mem, edges, 3, 2, 2, &e, of_a);
    CHECK(of_a[0].partner == 1 && of_a[1].partner == 0);
    match_best(mem, edges, 3, 2, 2, &none, of_a); /* without effort it is greedy */
    CHECK(of_a[0].partner == 0 && of_a[1].partner == MATCH_NONE);
    match_best(mem, edges, 0, 2, 2, &e, of_a);
    CHECK(of_a[0].partner == MATCH_NONE && of_a[1].partner == MATCH_NONE);
    arena_free(mem);
}

TEST(a_large_component_is_matched_all_the_same)
{
    enum { N = 700 };
    struct arena *mem = arena_new();
    struct match_edge *edges = arena_array(mem, N * N, sizeof(*edges));
    struct match *of_a = arena_array(mem, N, sizeof(*of_a));
    uint64_t s = t_seed() | 1;
    struct effort e = plenty();

    for (size_t i = 0; i < N * N; i++)
        edges[i] = (struct match_edge){
            (uint32_t)(i / N), (uint32_t)(i % N), 1 + (double)(t_random(&s) % 1000)};
    match_best(mem, edges, N * N, N, N, &e, of_a);
    CHECK(checked_sum(of_a, N, N) > 0.5 * 1000 * N); /* half the best at least */
    arena_free(mem);
}
