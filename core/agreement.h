/* How far several people's label documents of one task agree, and which of them speaks for the
 * most. Pure; a metric is one row of a table. */
#ifndef CORE_AGREEMENT_H
#define CORE_AGREEMENT_H

#include "base/err.h"
#include "base/str.h"

enum { AGREEMENT_DOCS = 16 };

struct agreement {
    double score;    /* 0..1; one document alone agrees with itself: 1 */
    size_t majority; /* index of the document that stands for the most; the first of equals */
};

struct agreement_metric {
    const char *name; /* project setting "agreement": {"metric": name} */
    /* docs: canonical label documents, 1..AGREEMENT_DOCS. ERR_INVALID when one is no array of
     * objects. */
    enum err (*measure)(const struct str *docs, size_t n, struct agreement *out);
};

/* exact: the share of pairs of documents that say the same, whatever the order of their items,
 * their ids, who made them and how sure they were. */
const struct agreement_metric *agreement_metric(struct str name); /* NULL: there is none */

/* By name: ERR_NOT_FOUND when there is no such metric. */
enum err agreement_measure(
    struct str metric, const struct str *docs, size_t n, struct agreement *out) MUSTCHECK;

#endif
