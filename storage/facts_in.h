/* The window through which facts are read, and the readers by kind. For storage/facts*.c alone. */
#ifndef STORAGE_FACTS_IN_H
#define STORAGE_FACTS_IN_H

#include "storage/facts.h"

/* A year: what says it lasts longer lies. */
#define FACTS_LONGEST_MS ((uint64_t)1000 * 3600 * 24 * 366)

struct facts_in {
    const struct facts_source *source;
    struct buf window;
    int64_t at; /* where the window begins */
    int left;   /* windows that may still be read */
};

/* n bytes (at most FACTS_WINDOW) from off on, good until the next call; NULL beyond the end, or
 * when enough has been read. */
const unsigned char *facts_at(struct facts_in *in, int64_t off, size_t n);

static inline uint32_t facts_be(const unsigned char *p, int n)
{
    uint32_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static inline uint32_t facts_le(const unsigned char *p, int n)
{
    uint32_t v = 0;

    for (int i = n - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static inline uint64_t facts_be64(const unsigned char *p)
{
    return (uint64_t)facts_be(p, 4) << 32 | facts_be(p + 4, 4);
}

/* units / per_second in milliseconds; 0 when that is no length that a recording has. */
int64_t facts_ms(uint64_t units, uint64_t per_second);
/* v, or 0 when it is no number of pixels, Hz or channels. */
int32_t facts_small(uint64_t v, int32_t most);

void facts_jpeg(struct facts_in *in, struct facts *out);
void facts_png(struct facts_in *in, struct facts *out);
void facts_gif(struct facts_in *in, struct facts *out);
void facts_webp(struct facts_in *in, struct facts *out);
void facts_bmp(struct facts_in *in, struct facts *out);
void facts_wav(struct facts_in *in, struct facts *out);
void facts_flac(struct facts_in *in, struct facts *out);
void facts_mp3(struct facts_in *in, struct facts *out);
void facts_ogg(struct facts_in *in, struct facts *out);
void facts_mp4(struct facts_in *in, struct facts *out);
void facts_webm(struct facts_in *in, struct facts *out);
void facts_pdf(struct facts_in *in, struct facts *out);

#endif
