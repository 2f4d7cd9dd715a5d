/* Key points as parts of an object: which region a point belongs to, and the points of a region by
 * the number of their name. */
#ifndef FORMATS_KEYPOINTS_H
#define FORMATS_KEYPOINTS_H

#include "formats/classes.h"
#include "formats/picture.h"

/* For each shape of the picture that is a point its owner: the region its parentID names, or else
 * the smallest with a label whose upright box is around it. NULL for other shapes, and for points
 * that have no name or no owner: those are counted as lost. In the arena. */
const struct shape **keypoints_owners(
    struct exporter *x, struct arena *a, const struct picture *picture);

/* points[i] = the point of `owner` whose name has the number i, or NULL; it has names->n places,
 * zeroed. A point whose name has no number and the second of one name are counted as lost
 * ("keypoints"), a point's further labels as "labels". Returns how many there are. */
size_t keypoints_collect(struct exporter *x, const struct picture *picture,
    const struct shape *const *owners, const struct shape *owner, const struct classes *names,
    const struct shape **points);

#endif
