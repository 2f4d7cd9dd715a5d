/* A shape as stretches of a picture's rows: a pixel is in it when its centre is. Outlines fill as a
 * canvas does (where the winding number is not zero), ellipses are exact, masks are as drawn. A
 * whole plane of pixels is never held: the memory is that of the shape. */
#ifndef FORMATS_RASTER_H
#define FORMATS_RASTER_H

#include "core/shape.h"

/* Pixels of a row, `to` behind the last. */
struct stretch {
    uint32_t from, to;
};

struct raster;

/* In the arena; the shape is borrowed. *out is NULL for what covers no pixels (lines, points), and
 * for a mask that is of another size than the picture. ERR_INVALID, ERR_TOO_LARGE: of masks. */
enum err raster_new(struct arena *a, const struct shape *s, size_t width, size_t height,
    struct raster **out) MUSTCHECK;
/* The stretches of row y, from left to right, apart from each other; they stand until the next
 * call. Rows are asked for from top to bottom. */
size_t raster_row(struct raster *r, size_t y, const struct stretch **out);

#endif
