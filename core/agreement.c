/* Owns the table of agreement metrics and the way from pairs to a score and a majority. Never reads
 * tasks or people. */
#include "core/agreement.h"

#include "core/agreement_exact.h"
#include "core/agreement_pair.h"

/* id, name, and what of each kind counts: areas, spans, segments, regions that are the same or not;
 * choices, texts, numbers, other answers; relations. */
#define AUTO "sssssssss"
#define COUNTED(METRIC)                                                                            \
    METRIC(auto_, "auto", AUTO)                                                                    \
    METRIC(choices, "choices", "....x....")                                                        \
    METRIC(jaccard, "jaccard", "....s....")                                                        \
    METRIC(iou, "iou", "s........")                                                                \
    METRIC(iou_f1, "iou_f1", "x........")                                                          \
    METRIC(spans, "spans", ".x.......")                                                            \
    METRIC(spans_overlap, "spans_overlap", ".s.......")                                            \
    METRIC(segments, "segments", "..s......")                                                      \
    METRIC(text, "text", ".....s...")                                                              \
    METRIC(number, "number", "......s..")

#define ROUNDING 1e-9 /* sums of the same scores in another order are equal */

/* Each pair once, with its share of the effort. */
static void measure_pairs(const struct agreement_set *s, const char *counts, struct agreement *out)
{
    double like[AGREEMENT_DOCS] = {0}; /* of each document to all others */
    size_t pairs = s->n * (s->n - 1) / 2;
    double sum = 0;

    for (size_t i = 0; i < s->n; i++)
        for (size_t j = i + 1; j < s->n; j++) {
            double score = agreement_pair(
                s, s->views[i], s->views[j], counts, (struct effort){EFFORT_MOST / pairs});
            like[i] += score;
            like[j] += score;
            sum += score;
        }
    *out = (struct agreement){.score = pairs ? sum / (double)pairs : 1};
    for (size_t i = 1; i < s->n; i++)
        if (like[i] > like[out->majority] + ROUNDING)
            out->majority = i;
}

static enum err measure_counted(
    const char *counts, const struct str *docs, size_t n, struct agreement *out)
{
    struct agreement_set s;
    enum err e = agreement_set_new(docs, n, false, &s);

    if (e)
        return e;
    measure_pairs(&s, agreement_counts_any(&s, counts) ? counts : AUTO, out);
    agreement_set_release(&s);
    return ERR_OK;
}

#define METRIC(id, name, counts)                                                                   \
    static enum err measure_##id(const struct str *docs, size_t n, struct agreement *out)          \
    {                                                                                              \
        return measure_counted(counts, docs, n, out);                                              \
    }
COUNTED(METRIC)
#undef METRIC

static const struct agreement_metric metrics[] = {{"exact", agreement_exact, NULL},
#define METRIC(id, name, counts) {name, measure_##id, counts},
    COUNTED(METRIC)
#undef METRIC
};

const struct agreement_metric *agreement_metric(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
        if (str_is(name, metrics[i].name))
            return &metrics[i];
    return NULL;
}

enum err agreement_measure(
    struct str metric, const struct str *docs, size_t n, struct agreement *out)
{
    const struct agreement_metric *m = agreement_metric(metric);

    BUG_ON(n == 0 || n > AGREEMENT_DOCS);
    return m ? m->measure(docs, n, out) : ERR_NOT_FOUND;
}
