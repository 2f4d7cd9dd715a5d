/* Pixels in memory and what is done to them after decoding. Pure; no file formats. */
#ifndef PRELABEL_IMAGE_H
#define PRELABEL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Interleaved bytes, rows from the top; pixels is malloc'ed or NULL. */
struct image {
    int width, height, channels;
    unsigned char *pixels;
};

void image_release(struct image *im);

/* To 1 (gray, ITU-R BT.601) or 3 (RGB) channels, in place. */
void image_channels(struct image *im, int channels);
/* CMYK as JPEG files carry it (inverted) to RGB, in place. */
void image_from_cmyk(struct image *im);
/* Turns and mirrors by an EXIF orientation, 1..8; others change nothing. */
enum err image_orient(struct image *im, int orientation) MUSTCHECK;
/* Stretches to width x height into out: a triangle filter over all pixels that a target covers, so
 * that shrinking neither aliases nor depends on where edges fall. */
enum err image_resize(const struct image *im, int width, int height, unsigned char *out) MUSTCHECK;

#endif
