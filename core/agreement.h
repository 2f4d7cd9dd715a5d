/* How far several people's label documents of one task agree, which of them speaks for the most,
 * and what they say together. Pure; a metric is one row of a table.
 *
 * A metric compares each pair of documents control by control and takes the mean of the controls
 * that either of the two used; the score is the mean of the pairs. Regions are compared where they
 * are of one control, object and label; of those without a partner each counts as a miss. Answers
 * about a region are compared where both have that region.
 *
 * The work is bounded (core/effort.h): what it does not reach counts as disagreement, so
 * that a person looks at it. Even so a document of thousands of regions takes up to seconds: not
 * for an event loop's thread. */
#ifndef CORE_AGREEMENT_H
#define CORE_AGREEMENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { AGREEMENT_DOCS = 16 };

struct agreement {
    double score;    /* 0..1; one document alone agrees with itself: 1 */
    size_t majority; /* index of the document most like all others; the first of equals */
};

struct agreement_metric {
    const char *name; /* project setting "agreement": {"metric": name} */
    /* docs: canonical label documents, 1..AGREEMENT_DOCS. ERR_INVALID when one is no array of
     * objects. */
    enum err (*measure)(const struct str *docs, size_t n, struct agreement *out);
    /* What of each kind of control counts, a letter for each of enum view_kind: '.' nothing, 's'
     * how alike (a number), 'x' the same or not. NULL: whole documents, the same or not. */
    const char *counts;
};

/* The names:
 *   exact       the share of pairs that say the same, whatever the order of their items, their ids,
 *               who made them and how sure they were
 *   auto        each control by its type: choices as `jaccard`, boxes, polygons and ellipses as
 *               `iou`, text spans as `spans_overlap`, and the others as their only metric; brushes,
 *               key points, film boxes, dates and ranks are the same or not; relations by F1
 *   choices     the share of pairs that chose the same
 *   jaccard     choices both made / choices either made
 *   iou         2 x sum of IoU / (regions of both): the mean IoU, 0 for a region without a partner
 *   iou_f1      F1 of the regions with an IoU of .5 and more
 *   spans       F1 of equal text spans
 *   spans_overlap  the same with 2 x overlap / (both lengths), in code points, for each match
 *   segments    F1 of sound and film segments, both ends within 200 ms (4 frames)
 *   text        1 - edit distance / length of the longer, in code points
 *   number      1 - |a - b| / scale: of ratings 5 or the larger, of numbers the larger magnitude
 * Where no document uses a control that the metric counts, `auto` stands in for it, so that a
 * metric which does not fit the project never finds agreement by looking at nothing. */
const struct agreement_metric *agreement_metric(struct str name); /* NULL: there is none */

/* By name: ERR_NOT_FOUND when there is no such metric. */
enum err agreement_measure(
    struct str metric, const struct str *docs, size_t n, struct agreement *out) MUSTCHECK;

/* What the documents say together; appends one canonical document. docs[majority], the document
 * that speaks for the most (what measure() found), is followed in its order, its ids and wherever
 * half stand against half. A region is there when most have it (matched at an IoU of .5, an overlap
 * of half, or the collar); its place is the mean for boxes, ellipses and segments (angles as
 * directions), the most frequent for spans, the first document's for polygons and all others.
 * Choices: what most chose; several choices, each that most chose. Numbers: the median. Texts and
 * others: the most frequent. For `exact` it is the majority's document as it is. The result is not
 * checked against the label config. Errors as above, or buf_err(out). */
enum err agreement_merge(const struct str *docs, size_t n, const struct agreement_metric *metric,
    size_t majority, struct buf *out_canonical) MUSTCHECK;

#endif
