/* Which region of one document is which of another: those of the same control, object and labels,
 * matched one to one by how alike their places are. */
#ifndef CORE_REGION_MATCH_H
#define CORE_REGION_MATCH_H

#include "core/label_view.h"
#include "core/match.h"

#define REGION_IOU    0.5 /* boxes and polygons of which this much is shared are the same one */
#define REGION_COLLAR 0.2 /* seconds that both ends of a segment may be off */

enum { REGION_COLLAR_FRAMES = 4 }; /* the same in frames of a film at 24 a second, rounded down */

/* How alike two regions of one control lie, 0..1. Areas: intersection over union. Spans: 2 x
 * overlap / (both lengths), the F1 of their characters. Segments: 1 when both ends are within the
 * collar, else 0. Others: 1 when they are equal. Labels are not looked at. */
double region_likeness(
    const struct view_region *a, const struct view_region *b, struct effort *effort);

/* The same, but of segments too how much they share: 2 x overlap / (both lengths). */
double region_overlap(
    const struct view_region *a, const struct view_region *b, struct effort *effort);

/* of_a[i]: the region of b that a[i] is. The sum of likenesses is the greatest there is (see
 * match_best). strict[kind]: only regions that are the same one (REGION_IOU, equal spans) are
 * matched, and as many as possible. Weights are the likenesses; of strict kinds, 1 or a little
 * more. Bounded: past the effort, or a million of pairs in question, the rest is not matched. */
void region_match(struct arena *mem, const struct view_region *const *a, size_t na,
    const struct view_region *const *b, size_t nb, const bool strict[VIEW_KINDS],
    struct effort *effort, struct match *of_a);

#endif
