/* The brush's run lengths: the mask of a picture as the editor packs it (@thi.ng/rle-pack over RGBA
 * bytes, four words a pixel; the alpha is the mask). Input is untrusted: bounded by the picture's
 * size, whatever it says of itself. */
#ifndef CORE_BRUSH_H
#define CORE_BRUSH_H

#include <json-c/json.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* One bit a pixel, row by row, each row on its own bytes, the first pixel the highest bit. */
struct mask {
    unsigned char *bits;
    size_t width, height, stride; /* stride: bytes of a row */
};

enum { MASK_SIDE = 65500, MASK_PIXELS = 100000000 };

/* All clear, in the arena. ERR_TOO_LARGE beyond MASK_SIDE or MASK_PIXELS. */
enum err mask_new(struct arena *a, size_t width, size_t height, struct mask *m) MUSTCHECK;
static inline bool mask_get(const struct mask *m, size_t x, size_t y)
{
    return m->bits[y * m->stride + x / 8] >> (7 - x % 8) & 1;
}
static inline void mask_set(struct mask *m, size_t x, size_t y)
{
    m->bits[y * m->stride + x / 8] |= (unsigned char)(0x80 >> x % 8);
}
/* Pixels that are set, and the smallest upright box around them (n 0: not touched). */
size_t mask_bound(const struct mask *m, size_t *left, size_t *top, size_t *width, size_t *height);

/* The same picture in other sides: each pixel is the one at its place in `from`. In the arena.
 * ERR_TOO_LARGE; ERR_INVALID when `from` has no pixel. */
enum err mask_scaled(struct arena *a, const struct mask *from, size_t width, size_t height,
    struct mask *to) MUSTCHECK;

/* Decodes `rle`, the JSON array of bytes, into m, which has the picture's size. ERR_INVALID with a
 * fixed text in *why. What lies behind the last record is not looked at. */
enum err brush_decode(struct json_object *rle, struct mask *m, const char **why) MUSTCHECK;
/* Only whether it would decode, in no memory. */
enum err brush_check(
    struct json_object *rle, size_t width, size_t height, const char **why) MUSTCHECK;

/* Appends the bytes of m as the Python SDK packs them, as a JSON array. */
void brush_encode(const struct mask *m, struct buf *out);

#endif
