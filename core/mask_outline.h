/* The outlines of a mask: each connected part (by its sides, not its corners) as a polygon along
 * the edges of its pixels, exactly; holes are counted, as a polygon cannot have any. */
#ifndef CORE_MASK_OUTLINE_H
#define CORE_MASK_OUTLINE_H

#include "core/brush.h"
#include "core/polygon.h"

struct mask_parts {
    struct polygon *v; /* from top to bottom, clockwise */
    size_t n, holes;
};

/* In the arena. ERR_TOO_LARGE. */
enum err mask_outline(struct arena *a, const struct mask *m, struct mask_parts *out) MUSTCHECK;

#endif
