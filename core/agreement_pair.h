/* Two label documents of one task, compared control by control. */
#ifndef CORE_AGREEMENT_PAIR_H
#define CORE_AGREEMENT_PAIR_H

#include "core/agreement.h"
#include "core/region_match.h"

/* The documents of a task, with their controls numbered alike. */
struct agreement_set {
    struct arena *arena;
    struct label_view *views[AGREEMENT_DOCS];
    size_t n;
    enum view_kind *kinds; /* of each control */
    size_t ncontrols;
};

/* with_docs: the views keep their documents; else there is but one at a time in memory. Errors as
 * in struct agreement_metric. */
enum err agreement_set_new(
    const struct str *docs, size_t n, bool with_docs, struct agreement_set *s) MUSTCHECK;
void agreement_set_release(struct agreement_set *s);

/* True when some document uses a control of which something counts. */
bool agreement_counts_any(const struct agreement_set *s, const char *counts);

/* 0..1; `counts` as in struct agreement_metric. 1 when nothing that counts is in either. */
double agreement_pair(const struct agreement_set *s, const struct label_view *a,
    const struct label_view *b, const char *counts, struct effort effort);

/* The same by control: scores[i] of control i, below 0 where neither document uses it. What counts
 * nothing scores 0. */
void agreement_pair_controls(const struct agreement_set *s, const struct label_view *a,
    const struct label_view *b, const char *counts, struct effort effort, double *scores);

/* How alike two answers of one control are, 0..1. `exact`: 0 or 1. */
double answer_likeness(
    const struct view_answer *a, const struct view_answer *b, bool exact, struct effort *effort);

#endif
