/* From a PNG or JPEG file to pixels of the size a model wants. The bytes are hostile: this runs
 * only inside the sandbox (sandbox.h), and reads the dimensions before it decodes anything. */
#ifndef PRELABEL_DECODE_H
#define PRELABEL_DECODE_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    DECODE_FILE = 64 << 20, /* bytes of a file */
    DECODE_SIDE = 32767,    /* pixels of a side */
    DECODE_PIXELS = 100 * 1000 * 1000,
};

/* The pixels wanted: rows from the top, channels interleaved (1: gray, 3: RGB), a byte each. */
struct decode_spec {
    uint32_t width, height, channels;
};

static inline size_t decode_size(const struct decode_spec *s)
{
    return (size_t)s->width * s->height * s->channels;
}

/* Decodes, lays transparent pixels on white, turns as EXIF says, stretches to the size wanted.
 * `out` holds decode_size() bytes. ERR_MEDIA_TYPE (neither PNG nor JPEG), ERR_TOO_LARGE (by its
 * header), ERR_CORRUPT (also: cut short), ERR_NO_MEMORY. */
enum err decode_image(
    const struct decode_spec *spec, struct str file, unsigned char *out) MUSTCHECK;

#endif
