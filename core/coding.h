/* What pairs of people's label documents of one task say, control by control: the codings that
 * agreement over a whole project is made of (core/reliability.h). Pure. */
#ifndef CORE_CODING_H
#define CORE_CODING_H

#include "base/arena.h"
#include "core/agreement.h"

enum { CODING_TEXT = 200, CODING_MILLION = 1000000 };

struct coding {         /* one control, two documents */
    struct str control; /* from_name; what is longer than CODING_TEXT is told by its hash */
    /* "choices", "rating", "number", "text", "other"; of regions "areas", "spans", "segments",
     * "regions" (equal or not) */
    const char *kind;
    size_t a, b;   /* documents, a < b */
    int raters;    /* documents that count for it in this task */
    bool first;    /* of the control in this task: one a unit */
    int64_t score; /* how alike by the metric `auto`, in millionths */
    /* Choices and ratings of the whole object, where nobody answers more than once: what each said,
     * canonical ("[\"cat\"]", "4"), told by its hash when longer than CODING_TEXT. Else p NULL. */
    struct str value_a, value_b;
    bool numbers;              /* ratings and numbers, likewise: */
    double number_a, number_b; /* what each said */
};

/* All pairs, in the order of controls, kinds and documents. Of answers about the whole object only
 * who answers counts; of all else every document, once one has used the control. 2..AGREEMENT_DOCS
 * documents; fewer have no pairs. Errors as agreement_measure(). */
enum err coding_read(
    const struct str *docs, size_t n, struct arena *a, struct coding **out, size_t *nout) MUSTCHECK;

#endif
