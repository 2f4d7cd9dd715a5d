/* Owns the walk to EXIF's orientation tag. Never reads outside the file it was given. */
#include "workers/prelabel/exif.h"

enum { ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };

/* A run of bytes with an order; reading outside gives 0. */
struct tiff {
    struct str s;
    bool big;
};

static unsigned get16(const struct tiff *t, size_t at)
{
    if (at + 2 > t->s.n)
        return 0;
    const unsigned char *p = (const unsigned char *)t->s.p + at;
    return t->big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static size_t get32(const struct tiff *t, size_t at)
{
    size_t a = get16(t, at), b = get16(t, at + 2);

    return t->big ? a << 16 | b : b << 16 | a;
}

static int orientation_of(struct tiff t)
{
    size_t ifd = get32(&t, 4);

    if (ifd > t.s.n)
        return 1;
    for (unsigned i = 0, n = get16(&t, ifd); i < n; i++) {
        size_t entry = ifd + 2 + (size_t)i * ENTRY;
        if (entry + ENTRY > t.s.n)
            break;
        if (get16(&t, entry) == ORIENTATION && get16(&t, entry + 2) == TYPE_SHORT) {
            unsigned v = get16(&t, entry + 8);
            return v >= 1 && v <= 8 ? (int)v : 1;
        }
    }
    return 1;
}

int exif_orientation(struct str jpeg)
{
    const struct tiff file = {jpeg, true};
    const struct str mark = {"Exif\0", 6};

    for (size_t at = 2; at + 4 <= jpeg.n && get16(&file, at) >= 0xffc0;) {
        unsigned marker = get16(&file, at);
        size_t length = get16(&file, at + 2);
        if (marker == 0xffda || length < 2 || at + 2 + length > jpeg.n)
            break;
        struct str body = {jpeg.p + at + 4, length - 2};
        if (marker == 0xffe1 && str_starts(body, mark) && body.n > mark.n + 8) {
            struct str t = {body.p + mark.n, body.n - mark.n};
            return orientation_of((struct tiff){t, t.p[0] == 'M'});
        }
        at += 2 + length;
    }
    return 1;
}
