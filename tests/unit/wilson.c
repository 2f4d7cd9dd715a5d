/* Intervals and sample sizes: against statsmodels, and at the edges. */
#include "core/wilson.h"

#include "vectors.h"

TEST(shares_are_those_of_statsmodels)
{
    struct json_object *rows = vectors("shares");

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        double confidence = number(row, "confidence");
        if (member(row, "size")) {
            CHECK_INT(
                wilson_sample_size(number(row, "expected"), number(row, "margin"), confidence, 0),
                json_object_get_int64(member(row, "size")));
            continue;
        }
        struct share s = wilson_interval(json_object_get_int64(member(row, "hits")),
            json_object_get_int64(member(row, "n")), confidence);
        if (!near(s.low, number(row, "low"), 1e-9) || !near(s.high, number(row, "high"), 1e-9))
            t_fail(__FILE__, __LINE__, "row %zu: %.12f..%.12f, want %.12f..%.12f", i, s.low, s.high,
                number(row, "low"), number(row, "high"));
    }
    json_object_put(rows);
}

TEST(quantiles_of_the_normal_distribution)
{
    CHECK(near(normal_quantile(0.975), 1.959963984540054, 1e-12));
    CHECK(near(normal_quantile(0.5), 0, 1e-12));
    CHECK(near(normal_quantile(0.001), -3.090232306167813, 1e-12));
    CHECK(near(normal_quantile(1e-12), -7.034483825301131, 1e-9));
}

TEST(intervals_hold_their_share)
{
    for (int64_t n = 0; n < 40; n++)
        for (int64_t hits = 0; hits <= n; hits++) {
            struct share s = wilson_interval(hits, n, 0.95), t = wilson_interval(n - hits, n, 0.95);
            CHECK(s.low >= 0 && s.low <= s.share && s.share <= s.high && s.high <= 1);
            CHECK(n == 0 || (near(s.low, 1 - t.high, 1e-12) && near(s.high, 1 - t.low, 1e-12)));
        }
}

TEST(lots_are_accepted_on_evidence)
{
    CHECK(acceptance_of(0, 500, 0.02, 0.95).accept && !acceptance_of(0, 500, 0.02, 0.95).refuse);
    CHECK(acceptance_of(50, 500, 0.02, 0.95).refuse && !acceptance_of(50, 500, 0.02, 0.95).accept);
    CHECK(!acceptance_of(1, 20, 0.05, 0.95).accept && !acceptance_of(1, 20, 0.05, 0.95).refuse);
    CHECK(!acceptance_of(0, 0, 0.05, 0.95).accept && !acceptance_of(0, 0, 0.05, 0.95).refuse);
}

TEST(small_lots_need_smaller_samples)
{
    int64_t any = wilson_sample_size(0.1, 0.03, 0.95, 0);

    CHECK(wilson_sample_size(0.1, 0.03, 0.95, 1000) < any);
    CHECK_INT(wilson_sample_size(0.1, 0.03, 0.95, 1), 1);
    CHECK_INT(wilson_sample_size(0.5, 0.001, 0.99, 30), 30);
    for (int64_t lot = 1, last = 0; lot < 100000; lot *= 2) {
        int64_t n = wilson_sample_size(0.1, 0.03, 0.95, lot);
        CHECK(n >= last && n <= lot && n <= any);
        last = n;
    }
    CHECK(wilson_sample_size(0.5, 1, 0.95, 0) == 1);
}
