/* Coefficients of a whole project: Krippendorff's published table, the packages krippendorff,
 * scikit-learn and statsmodels, properties, refusals. */
#include "core/reliability.h"

#include "vectors.h"

static const char *const levels[] = {"nominal", "ordinal", "interval", "ratio"};

static struct reliability *table_of(struct json_object *row)
{
    struct reliability *r = reliability_new(0, 1);
    struct json_object *rows = member(row, "rows");

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *cell = json_object_array_get_idx(rows, i);
        double v[3];
        for (size_t k = 0; k < 3; k++)
            v[k] = json_object_get_double(json_object_array_get_idx(cell, k));
        CHECK_INT(reliability_add(r, (int64_t)v[0], (int64_t)v[1], v[2]), ERR_OK);
    }
    return r;
}

TEST(alpha_is_what_krippendorff_published)
{
    struct json_object *rows = vectors("reliability");
    struct json_object *row = json_object_array_get_idx(rows, 0);
    struct reliability *r = table_of(row);

    REQUIRE(member(row, "published"));
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        double alpha = 0;
        CHECK_INT(reliability_alpha(r, (enum reliability_level)i, &alpha), ERR_OK);
        CHECK(near(alpha, number(member(row, "published"), levels[i]), 0.0005));
    }
    reliability_free(r);
    json_object_put(rows);
}

static void check_alpha(struct reliability *r, struct json_object *row, size_t at)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        double alpha = 0;
        if (!member(member(row, "alpha"), levels[i]))
            continue;
        CHECK_INT(reliability_alpha(r, (enum reliability_level)i, &alpha), ERR_OK);
        if (!near(alpha, number(member(row, "alpha"), levels[i]), 1e-9))
            t_fail(__FILE__, __LINE__, "row %zu, %s: %.12f, want %.12f", at, levels[i], alpha,
                number(member(row, "alpha"), levels[i]));
    }
}

static void check_kappa(struct reliability *r, struct json_object *row, size_t at)
{
    struct json_object *cohen = member(row, "cohen");
    double v = 0;

    for (size_t i = 0; cohen && i < 3; i++) {
        double want = json_object_get_double(json_object_array_get_idx(cohen, i));
        CHECK_INT(reliability_cohen(r, (enum kappa_weights)i, &v), ERR_OK);
        if (!near(v, want, 1e-9))
            t_fail(__FILE__, __LINE__, "row %zu, weights %zu: %.12f, want %.12f", at, i, v, want);
    }
    if (member(row, "fleiss")) {
        CHECK_INT(reliability_fleiss(r, &v), ERR_OK);
        if (!near(v, number(row, "fleiss"), 1e-9))
            t_fail(__FILE__, __LINE__, "row %zu: %.12f, want %.12f", at, v, number(row, "fleiss"));
    }
}

TEST(coefficients_are_those_of_the_judges)
{
    struct json_object *rows = vectors("reliability");
    size_t with_fleiss = 0;

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        struct reliability *r = table_of(row);
        check_alpha(r, row, i);
        check_kappa(r, row, i);
        with_fleiss += member(row, "fleiss") != NULL;
        reliability_free(r);
    }
    CHECK(with_fleiss >= 5);
    json_object_put(rows);
}

/* Names in place of numbers, raters under other numbers: nominal coefficients stay. */
TEST(names_do_as_well_as_numbers)
{
    uint64_t s = t_seed() | 1;
    struct reliability *numbers = reliability_new(1, 2), *texts = reliability_new(8, 9);
    double a = 0, b = 1;

    for (int64_t unit = 0; unit < 200; unit++)
        for (int64_t rater = 0; rater < 3; rater++) {
            unsigned v = (unsigned)(t_random(&s) % 4);
            char name[] = {(char)('d' - v), 'x', '\0'};
            REQUIRE(reliability_add(numbers, unit, 2 - rater, v) == ERR_OK);
            REQUIRE(reliability_add_text(texts, unit * 7, 9 - rater, str_of(name)) == ERR_OK);
        }
    CHECK(!reliability_alpha(numbers, LEVEL_NOMINAL, &a) &&
          !reliability_alpha(texts, LEVEL_NOMINAL, &b) && near(a, b, 1e-12));
    CHECK(!reliability_fleiss(numbers, &a) && !reliability_fleiss(texts, &b) && near(a, b, 1e-12));
    CHECK(!reliability_cohen(numbers, KAPPA_NOMINAL, &a) &&
          !reliability_cohen(texts, KAPPA_NOMINAL, &b) && near(a, b, 1e-12));
    CHECK_INT(reliability_alpha(texts, LEVEL_ORDINAL, &b), ERR_INVALID);
    CHECK_INT(reliability_cohen(texts, KAPPA_LINEAR, &b), ERR_INVALID);
    reliability_free(numbers);
    reliability_free(texts);
}

/* Many different numbers: alpha of interval level comes from sums, and is the same. */
TEST(interval_alpha_needs_no_table_of_values)
{
    uint64_t s = t_seed() | 1;
    struct reliability *few = reliability_new(0, 1), *many = reliability_new(0, 1);
    double a = 0, b = 1;

    for (int64_t unit = 0; unit < 1000; unit++)
        for (int64_t rater = 0; rater < 3; rater++) {
            double v = 1e6 + (double)(t_random(&s) % 1000);
            REQUIRE(reliability_add(few, unit, rater, v) == ERR_OK);
            REQUIRE(reliability_add(many, unit, rater, v) == ERR_OK);
        }
    for (int64_t unit = 1000; unit < 1000 + RELIABILITY_VALUES; unit++) /* of one value each */
        REQUIRE(reliability_add(many, unit, 0, -(double)unit) == ERR_OK);
    CHECK_INT(reliability_alpha(few, LEVEL_INTERVAL, &a), ERR_OK);
    CHECK_INT(reliability_alpha(many, LEVEL_INTERVAL, &b), ERR_OK);
    CHECK(near(a, b, 1e-9));
    CHECK_INT(reliability_alpha(many, LEVEL_NOMINAL, &b), ERR_TOO_LARGE);
    CHECK_INT(reliability_fleiss(many, &b), ERR_TOO_LARGE);
    CHECK_INT(reliability_cohen(many, KAPPA_NOMINAL, &b), ERR_TOO_LARGE);
    reliability_free(few);
    reliability_free(many);
}

/* What is kept of a project is its pairs: the coefficients are those of its rows, also after some
 * were taken back. */
TEST(counted_pairs_say_what_rows_say)
{
    enum { UNITS = 300, RATERS = 5, VALUES = 4 };
    uint64_t s = t_seed() | 1;
    struct reliability *rows = reliability_new(0, 1), *pairs = reliability_new(0, 1);
    double n = 0, sum = 0, sum2 = 0, within = 0, a = 0, b = 1;

    for (int64_t unit = 0; unit < UNITS; unit++) {
        double v[RATERS];
        int64_t m = 2 + (int64_t)(t_random(&s) % (RATERS - 1));
        for (int64_t i = 0; i < m; i++) {
            v[i] = (double)(t_random(&s) % VALUES);
            n += 1, sum += v[i], sum2 += v[i] * v[i];
            REQUIRE(reliability_add(rows, unit, i, v[i]) == ERR_OK);
        }
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = i + 1; j < m; j++) {
                within += 2 * (v[i] - v[j]) * (v[i] - v[j]) / (double)(m - 1);
                REQUIRE(reliability_add_pairs(pairs, v[j], v[i], m, 3) == ERR_OK);
                REQUIRE(reliability_add_pairs(pairs, v[i], v[j], m, -2) == ERR_OK);
            }
        REQUIRE(reliability_add_cohen(pairs, v[0], v[1], 1) == ERR_OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        CHECK_INT(reliability_alpha(rows, (enum reliability_level)i, &a), ERR_OK);
        CHECK_INT(reliability_alpha(pairs, (enum reliability_level)i, &b), ERR_OK);
        CHECK(near(a, b, 1e-9));
    }
    CHECK_INT(reliability_alpha(rows, LEVEL_INTERVAL, &a), ERR_OK);
    CHECK_INT(reliability_alpha_of_sums(n, n * sum2 - sum * sum, within, &b), ERR_OK);
    CHECK(near(a, b, 1e-9));
    CHECK(!reliability_fleiss(rows, &a) && !reliability_fleiss(pairs, &b) && near(a, b, 1e-9));
    for (size_t i = 0; i < 3; i++)
        CHECK(!reliability_cohen(rows, (enum kappa_weights)i, &a) &&
              !reliability_cohen(pairs, (enum kappa_weights)i, &b) && near(a, b, 1e-9));
    reliability_free(rows);
    reliability_free(pairs);
}

TEST(bad_pairs_are_refused)
{
    struct reliability *r = reliability_new(0, 1);
    double v = 0;

    CHECK_INT(reliability_add_pairs(r, 1, (double)NAN, 2, 1), ERR_INVALID);
    CHECK_INT(reliability_add_pairs_text(r, STR("a"), STR("b"), 1, 1), ERR_INVALID);
    CHECK_INT(reliability_add_pairs(r, 1, 2, 2, 1), ERR_INVALID); /* it holds texts now */
    CHECK_INT(reliability_add_cohen_text(r, STR("a"), STR("b"), 1), ERR_OK);
    CHECK_INT(reliability_alpha_of_sums(0, 0, 0, &v), ERR_NOT_FOUND);
    CHECK_INT(reliability_alpha_of_sums(2, (double)INFINITY, 0, &v), ERR_NOT_FOUND);
    reliability_free(r);
    r = reliability_new(0, 1);
    for (int i = 0; i < RELIABILITY_VALUES; i++)
        REQUIRE(reliability_add_pairs(r, i, i, 2, 1) == ERR_OK);
    CHECK_INT(reliability_add_pairs(r, 0, -1, 2, 1), ERR_TOO_LARGE);
    CHECK_INT(reliability_add_cohen(r, -1, 0, 1), ERR_TOO_LARGE);
    reliability_free(r);
}

TEST(perfect_and_undefined)
{
    struct reliability *r = reliability_new(0, 1);
    double v = 0;

    CHECK_INT(reliability_alpha(r, LEVEL_NOMINAL, &v), ERR_NOT_FOUND);
    CHECK_INT(reliability_fleiss(r, &v), ERR_NOT_FOUND);
    CHECK_INT(reliability_cohen(r, KAPPA_NOMINAL, &v), ERR_NOT_FOUND);
    CHECK(!reliability_add(r, 1, 0, 5) && !reliability_add(r, 1, 1, 5));
    CHECK_INT(reliability_alpha(r, LEVEL_INTERVAL, &v), ERR_NOT_FOUND); /* but one value */
    CHECK(!reliability_add(r, 2, 0, 7) && !reliability_add(r, 2, 1, 7));
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        CHECK(!reliability_alpha(r, (enum reliability_level)i, &v) && v == 1);
    CHECK(!reliability_fleiss(r, &v) && v == 1);
    CHECK(!reliability_cohen(r, KAPPA_QUADRATIC, &v) && v == 1);
    reliability_free(r);
    reliability_free(NULL);
}

TEST(bad_rows_are_refused)
{
    struct reliability *r = reliability_new(0, 0);

    CHECK_INT(reliability_add(r, 5, 0, (double)NAN), ERR_INVALID);
    CHECK_INT(reliability_add(r, 5, 0, (double)INFINITY), ERR_INVALID);
    CHECK_INT(reliability_add(r, 5, 0, 1), ERR_OK);
    CHECK_INT(reliability_add(r, 5, 0, 2), ERR_INVALID);
    CHECK_INT(reliability_add(r, 4, 1, 2), ERR_INVALID);
    CHECK_INT(reliability_add_text(r, 5, 1, STR("a")), ERR_INVALID);
    for (int64_t rater = 1; rater < RELIABILITY_RATERS; rater++)
        CHECK_INT(reliability_add(r, 5, rater, 1), ERR_OK);
    CHECK_INT(reliability_add(r, 5, RELIABILITY_RATERS, 1), ERR_TOO_LARGE);
    reliability_free(r);
}
