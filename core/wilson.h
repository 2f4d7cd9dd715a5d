/* Shares and how sure they are: what a sample says about the whole. */
#ifndef CORE_WILSON_H
#define CORE_WILSON_H

#include <stdbool.h>
#include <stdint.h>

struct share {
    double share, low, high; /* 0..1; low <= share <= high */
};

/* The quantile of the standard normal distribution, 0 < p < 1: 1.96 for .975. */
double normal_quantile(double p);

/* hits of n with Wilson's score interval (1927) at the confidence (0..1, exclusive; .95). n = 0
 * says nothing: share 0, from 0 to 1. 0 <= hits <= n. */
struct share wilson_interval(int64_t hits, int64_t n, double confidence);

/* What an inspected sample says of a lot. */
struct acceptance {
    struct share defects; /* of the sample, with the interval for the whole lot */
    bool accept;          /* the interval lies wholly at or below the limit */
    bool refuse;          /* it lies wholly above; neither: inspect more */
};
struct acceptance acceptance_of(
    int64_t defective, int64_t inspected, double limit, double confidence);

/* The fewest to inspect so that the interval around a share of about `expected` reaches no further
 * than `margin` from its middle (half its width), margin > 0. lot: how many there are, so that
 * fewer do (finite population); 0: any number. Never more than the lot. */
int64_t wilson_sample_size(double expected, double margin, double confidence, int64_t lot);

#endif
