/* Agreement over a whole project, corrected for chance, from a table of (unit, rater, value) that
 * streams by: Cohen's kappa of two raters, Fleiss' kappa, Krippendorff's alpha. Memory grows with
 * the number of different values, not with the table. */
#ifndef CORE_RELIABILITY_H
#define CORE_RELIABILITY_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    RELIABILITY_VALUES = 2048, /* different values of a table */
    RELIABILITY_RATERS = 64,   /* of one unit */
};

enum reliability_level { LEVEL_NOMINAL, LEVEL_ORDINAL, LEVEL_INTERVAL, LEVEL_RATIO };
enum kappa_weights { KAPPA_NOMINAL, KAPPA_LINEAR, KAPPA_QUADRATIC };

struct reliability;

/* Cohen's kappa is that of raters a and b, wherever both rated a unit; a == b: it is not wanted. */
struct reliability *reliability_new(int64_t a, int64_t b);
void reliability_free(struct reliability *r); /* NULL is fine */

/* Rows come by ascending unit, a rater once a unit; a missing value is a row that does not come.
 * A table holds numbers or texts, not both. ERR_INVALID: out of order, a rater twice, a number that
 * is not finite, or of the other kind; ERR_TOO_LARGE: over RELIABILITY_RATERS. More than
 * RELIABILITY_VALUES values are no error here: alpha of interval level is still to be had. */
enum err reliability_add(struct reliability *r, int64_t unit, int64_t rater, double v) MUSTCHECK;
enum err reliability_add_text(
    struct reliability *r, int64_t unit, int64_t rater, struct str v) MUSTCHECK;

/* The same from pairs that were counted elsewhere, in any order, instead of rows: n pairs of values
 * v and w, in either order, from units of `raters` values each; a unit of m has m (m - 1) / 2.
 * ERR_TOO_LARGE: over RELIABILITY_VALUES values; ERR_INVALID as above, or raters < 2. */
enum err reliability_add_pairs(
    struct reliability *r, double v, double w, int64_t raters, int64_t n) MUSTCHECK;
enum err reliability_add_pairs_text(
    struct reliability *r, struct str v, struct str w, int64_t raters, int64_t n) MUSTCHECK;
/* And for Cohen's kappa: in n units rater a said v where b said w. */
enum err reliability_add_cohen(struct reliability *r, double v, double w, int64_t n) MUSTCHECK;
enum err reliability_add_cohen_text(
    struct reliability *r, struct str v, struct str w, int64_t n) MUSTCHECK;

/* Alpha of interval level from sums over the n values of units with two or more: spread = n * sum
 * of squares - square of sum; within = sum over units of squared differences of ordered pairs / (m
 * - 1). ERR_NOT_FOUND: undefined. */
enum err reliability_alpha_of_sums(double n, double spread, double within, double *out) MUSTCHECK;

/* The coefficients of all rows added so far; the last unit is complete with the first call.
 * ERR_NOT_FOUND: undefined, as no unit has two values, or there is but one value; ERR_INVALID: an
 * order or distance asked of texts; ERR_TOO_LARGE: too many different values. */

/* 1 - observed / expected disagreement; units with one value do not count. */
enum err reliability_alpha(
    struct reliability *r, enum reliability_level level, double *out) MUSTCHECK;
/* Units with one value do not count; where the number of raters differs, each unit's agreement is
 * taken among its own (with equal numbers it is Fleiss' formula). */
enum err reliability_fleiss(struct reliability *r, double *out) MUSTCHECK;
/* Weights go by the rank of a value among those that the two raters used. */
enum err reliability_cohen(
    struct reliability *r, enum kappa_weights weights, double *out) MUSTCHECK;

#endif
