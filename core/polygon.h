/* Areas of polygons and of what two of them share, exactly: concave, touching, self-crossing and
 * degenerate ones too. A point is inside where the winding number is not zero, as a canvas fills.
 */
#ifndef CORE_POLYGON_H
#define CORE_POLYGON_H

#include "core/effort.h"

struct point {
    double x, y;
};

/* Closed by itself: the last point is joined to the first. Coordinates are finite and of a size
 * whose squares are finite. */
struct polygon {
    const struct point *v;
    size_t n;
    struct point low, high; /* the upright box around it, from polygon_bound() */
};

struct overlap {
    double a, b, both; /* areas, in square units of the coordinates; both <= a, b */
};

void polygon_bound(struct polygon *p);
bool polygon_equal(const struct polygon *a, const struct polygon *b);
/* The middle of the upright box around it. */
struct point polygon_centre(const struct polygon *p);
/* False when the effort does not reach; *out is not set then. */
bool polygon_overlap(
    const struct polygon *a, const struct polygon *b, struct effort *effort, struct overlap *out);
/* Intersection over union, 0..1. Polygons with the same points have 1, without area too; else one
 * without area has 0, and so have two that the effort does not reach. */
double polygon_iou(const struct polygon *a, const struct polygon *b, struct effort *effort);

#endif
