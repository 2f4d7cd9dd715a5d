/* A PNG written row by row, so that its plane of pixels is never held: 8 bits a pixel into a
 * palette, or three of colour. The same rows give the same bytes, with one version of zlib. */
#ifndef FORMATS_PNG_ROWS_H
#define FORMATS_PNG_ROWS_H

#include "base/buf.h"

struct png_rows;

struct png_colour {
    unsigned char red, green, blue;
};

enum { PNG_ROWS_PALETTE = 256 };

/* Everything is appended to `out`, which the caller may empty between the calls. The palette has
 * PNG_ROWS_PALETTE colours; NULL: rows are red, green, blue. ERR_NO_MEMORY, ERR_INVALID: the size.
 * Released in any case. */
enum err png_rows_begin(struct png_rows **p, struct buf *out, size_t width, size_t height,
    const struct png_colour *palette) MUSTCHECK;
enum err png_rows_put(struct png_rows *p, const unsigned char *row) MUSTCHECK;
/* After the last row. */
enum err png_rows_end(struct png_rows *p) MUSTCHECK;
void png_rows_free(struct png_rows *p); /* NULL is fine */

#endif
