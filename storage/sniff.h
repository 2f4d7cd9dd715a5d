/* The media type of bytes, from the bytes alone: never from a name or from what a client says.
 * Reads at most the first SNIFF_BYTES; decodes nothing. */
#ifndef STORAGE_SNIFF_H
#define STORAGE_SNIFF_H

#include <stdint.h>

#include "base/str.h"

enum { SNIFF_BYTES = 64 << 10 };

struct media {
    const char *type; /* a static string from our list; "application/octet-stream" when unknown */
    int32_t width, height; /* raster images; 0 = not known */
    bool inline_safe; /* may be shown by a browser as what it is; else it is sent as a download */
};

struct media sniff(struct str head);
/* The row of a stored type; unknown ones are application/octet-stream. */
struct media media_of_type(struct str type);

#endif
