/* Owns the headers of pictures, and how many pages a PDF has. */
#include <stdlib.h>

#include "storage/facts_in.h"

enum { PIXELS = INT32_MAX, SEGMENTS = 4096 };

static void set_size(struct facts *out, uint64_t width, uint64_t height)
{
    out->width = facts_small(width, PIXELS);
    out->height = facts_small(height, PIXELS);
}

/* The first SOFn segment (ITU T.81 B.2.2), behind however much EXIF. */
void facts_jpeg(struct facts_in *in, struct facts *out)
{
    int64_t at = 2;

    for (int i = 0; i < SEGMENTS; i++) {
        const unsigned char *p = facts_at(in, at, 4);
        if (!p || p[0] != 0xff)
            return;
        unsigned marker = p[1], length = facts_be(p + 2, 2);
        if (marker == 0xff) { /* a fill byte */
            at++;
            continue;
        }
        bool sof =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (sof) {
            p = facts_at(in, at, 9);
            if (p)
                set_size(out, facts_be(p + 7, 2), facts_be(p + 5, 2));
            return;
        }
        if (marker == 0xda || length < 2)
            return;
        at += 2 + (int64_t)length;
    }
}

/* IHDR is first (RFC 2083). */
void facts_png(struct facts_in *in, struct facts *out)
{
    const unsigned char *p = facts_at(in, 0, 24);

    if (p && memcmp(p + 12, "IHDR", 4) == 0)
        set_size(out, facts_be(p + 16, 4), facts_be(p + 20, 4));
}

/* The logical screen (GIF89a §18). */
void facts_gif(struct facts_in *in, struct facts *out)
{
    const unsigned char *p = facts_at(in, 0, 10);

    if (p)
        set_size(out, facts_le(p + 6, 2), facts_le(p + 8, 2));
}

/* RFC 9649: lossy, lossless, or the extended canvas. */
void facts_webp(struct facts_in *in, struct facts *out)
{
    const unsigned char *p = facts_at(in, 0, 30);

    if (!p)
        return;
    if (memcmp(p + 12, "VP8X", 4) == 0) {
        set_size(out, facts_le(p + 24, 3) + 1, facts_le(p + 27, 3) + 1);
    } else if (memcmp(p + 12, "VP8 ", 4) == 0 && memcmp(p + 23, "\x9d\x01\x2a", 3) == 0) {
        set_size(out, facts_le(p + 26, 2) & 0x3fff, facts_le(p + 28, 2) & 0x3fff);
    } else if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2f) {
        uint32_t v = facts_le(p + 21, 4);
        set_size(out, (v & 0x3fff) + 1, (v >> 14 & 0x3fff) + 1);
    }
}

/* BITMAPINFOHEADER and its successors; a negative height is a picture from the top down. */
void facts_bmp(struct facts_in *in, struct facts *out)
{
    const unsigned char *p = facts_at(in, 0, 26);

    if (!p || facts_le(p + 14, 4) < 40)
        return;
    int64_t height = (int32_t)facts_le(p + 22, 4);
    set_size(out, facts_le(p + 18, 4), (uint64_t)(height < 0 ? -height : height));
}

/* ---- PDF */

static int64_t number_after(struct str text, const char *name)
{
    const char *at = memmem(text.p, text.n, name, strlen(name));
    int64_t n = 0;
    bool any = false;

    if (!at)
        return -1;
    size_t i = (size_t)(at - text.p) + strlen(name);
    while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\r' || text.p[i] == '\n'))
        i++;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && n < 1000000000; i++, any = true)
        n = n * 10 + (text.p[i] - '0');
    return any ? n : -1;
}

/* The root of a page tree is the dictionary that names /Pages and /Count, and has no /Parent. What
 * lies in a compressed stream is not seen. */
static int64_t count_in(struct str text)
{
    int64_t found = -1;

    for (const char *at; (at = memmem(text.p, text.n, "/Pages", 6));) {
        const char *from = at, *to = at + 6, *end = text.p + text.n;
        while (from > text.p && at - from < 512 && memcmp(from, "<<", 2) != 0)
            from--;
        while (to + 1 < end && to - at < 4096 && memcmp(to, ">>", 2) != 0)
            to++;
        struct str dict = {from, (size_t)(to - from)};
        bool type = memmem(dict.p, dict.n, "/Type", 5) != NULL;
        int64_t n =
            type && !memmem(dict.p, dict.n, "/Parent", 7) ? number_after(dict, "/Count") : -1;
        found = n >= 0 ? n : found;
        text.n -= (size_t)(at + 6 - text.p);
        text.p = at + 6;
    }
    return found;
}

/* A linearised file says it in front (ISO 32000-1 Annex F); of others the last root counts. */
void facts_pdf(struct facts_in *in, struct facts *out)
{
    int64_t size = in->source->size, found = -1;
    size_t n = size < 1024 ? (size_t)size : 1024;
    const unsigned char *p = facts_at(in, 0, n);
    struct str head = {(const char *)p, n};

    if (!p)
        return;
    if (memmem(head.p, head.n, "/Linearized", 11))
        found = number_after(head, "/N ");
    /* The windows overlap, so that a dictionary lies in one of them whole. */
    for (int64_t at = 0; found < 0 && at < size; at += FACTS_WINDOW - 4096) {
        n = size - at < FACTS_WINDOW ? (size_t)(size - at) : FACTS_WINDOW;
        p = facts_at(in, at, n);
        if (!p)
            return; /* too long to be looked through */
        int64_t here = count_in((struct str){(const char *)p, n});
        out->pages = here >= 0 ? facts_small((uint64_t)here, INT32_MAX) : out->pages;
    }
    if (found >= 0)
        out->pages = facts_small((uint64_t)found, INT32_MAX);
}
