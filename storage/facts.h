/* What the headers of media say of them: how large a picture is, how long a sound or a film lasts.
 * Bounded readers of containers: nothing is decoded, no length of the file is believed, and at most
 * FACTS_READS windows of FACTS_WINDOW bytes are read, whatever the file holds. What is not known,
 * or cannot be, stays 0. */
#ifndef STORAGE_FACTS_H
#define STORAGE_FACTS_H

#include "base/buf.h"

enum { FACTS_WINDOW = 64 << 10, FACTS_READS = 64 };

struct facts {
    int32_t width, height; /* pixels, as stored: not turned as EXIF says */
    int64_t duration_ms;
    int32_t sample_rate, channels; /* Hz */
    int32_t pages;
};

struct facts_source {
    /* Appends exactly n bytes from off on, which lie within the size. */
    enum err (*read)(void *arg, int64_t off, size_t n, struct buf *out);
    void *arg;
    int64_t size;
};

/* Of content of that type, as sniff() named it. An error of read(): what was found until then. */
struct facts facts_read(const char *media_type, const struct facts_source *source);

#endif
