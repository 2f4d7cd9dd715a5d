/* Owns the headers of films: ISO base media (MP4) and Matroska (WebM). Boxes are walked, never
 * trusted: each lies within the one around it, and there are so many at most. */
#include <math.h>

#include "storage/facts_in.h"

enum { BOXES = 4096, DEPTH = 8, PIXELS = 1 << 20, HZ = 10000000, CHANNELS = 1024 };

struct walk {
    struct facts_in *in;
    struct facts *out;
    int left; /* boxes */
};

static const unsigned char *at(const struct walk *w, int64_t off, size_t n, int64_t end)
{
    return off <= end && (int64_t)n <= end - off ? facts_at(w->in, off, n) : NULL;
}

/* ---- ISO/IEC 14496-12 */

struct box {
    char type[4];
    int64_t from, end; /* of what is inside */
};

static bool box_at(struct walk *w, int64_t off, int64_t end, struct box *b)
{
    const unsigned char *p = at(w, off, 8, end);
    int64_t header = 8;

    if (!p || w->left-- <= 0)
        return false;
    uint64_t size = facts_be(p, 4);
    memcpy(b->type, p + 4, 4);
    if (size == 1) {
        header = 16;
        p = at(w, off, 16, end);
        size = p ? facts_be64(p + 8) : 0;
    } else if (size == 0) { /* to the end */
        size = (uint64_t)(end - off);
    }
    if (size < (uint64_t)header || size > (uint64_t)(end - off))
        return false;
    b->from = off + header;
    b->end = off + (int64_t)size;
    return true;
}

/* mvhd: how long the film is. */
static void movie_header(struct walk *w, const struct box *b)
{
    const unsigned char *p = at(w, b->from, 32, b->end);

    if (!p)
        return;
    bool wide = p[0] == 1;
    w->out->duration_ms = facts_ms(
        wide ? facts_be64(p + 24) : facts_be(p + 16, 4), facts_be(p + (wide ? 20 : 12), 4));
}

/* tkhd: 16.16 pixels, of what is seen. */
static void track_header(struct walk *w, const struct box *b)
{
    const unsigned char *p = at(w, b->from, 84, b->end);
    int64_t off = p && p[0] == 1 ? 88 : 76;

    p = at(w, b->from + off, 8, b->end);
    if (!p || facts_be(p, 2) == 0 || w->out->width)
        return;
    w->out->width = facts_small(facts_be(p, 2), PIXELS);
    w->out->height = facts_small(facts_be(p + 4, 2), PIXELS);
}

/* stsd: the first entry, if it is of a sound. */
static void samples(struct walk *w, const struct box *b)
{
    static const char sounds[][5] = {
        "mp4a", "Opus", "fLaC", "ac-3", "ec-3", "alac", "sowt", "twos"};
    const unsigned char *p = at(w, b->from, 8 + 36, b->end);

    for (size_t i = 0; p && i < ARRAY_LEN(sounds); i++)
        if (memcmp(p + 12, sounds[i], 4) == 0) {
            w->out->channels = facts_small(facts_be(p + 8 + 24, 2), CHANNELS);
            w->out->sample_rate = facts_small(facts_be(p + 8 + 32, 2), HZ);
        }
}

static void walk_boxes(struct walk *w, int64_t off, int64_t end, int depth);

static void look(struct walk *w, const struct box *b, int depth)
{
    static const struct {
        char type[5];
        void (*read)(struct walk *w, const struct box *b); /* NULL: has boxes inside */
    } known[] = {{"moov", NULL}, {"trak", NULL}, {"mdia", NULL}, {"minf", NULL}, {"stbl", NULL},
        {"mvhd", movie_header}, {"tkhd", track_header}, {"stsd", samples}};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (memcmp(b->type, known[i].type, 4) != 0)
            continue;
        if (known[i].read)
            known[i].read(w, b);
        else if (depth < DEPTH)
            walk_boxes(w, b->from, b->end, depth + 1);
    }
}

static void walk_boxes(struct walk *w, int64_t off, int64_t end, int depth)
{
    struct box b;

    while (box_at(w, off, end, &b)) {
        look(w, &b, depth);
        off = b.end;
    }
}

void facts_mp4(struct facts_in *in, struct facts *out)
{
    struct walk w = {in, out, BOXES};

    walk_boxes(&w, 0, in->source->size, 0);
}

/* ---- RFC 8794, RFC 9559 */

/* A number of up to 8 bytes whose first bits say how many; -1 when all its bits are ones: unknown.
 */
static int vint(struct walk *w, int64_t off, int64_t end, bool keep_marker, int64_t *out)
{
    const unsigned char *p = at(w, off, 1, end);
    int n = 1;

    if (!p || p[0] == 0)
        return 0;
    while (!(p[0] & 0x80 >> (n - 1)))
        n++;
    p = at(w, off, (size_t)n, end);
    if (!p)
        return 0;
    uint64_t v = keep_marker ? p[0] : (uint64_t)p[0] & ((1U << (8 - n)) - 1);
    for (int i = 1; i < n; i++)
        v = v << 8 | p[i];
    *out = !keep_marker && v == ((uint64_t)1 << 7 * n) - 1 ? -1 : (int64_t)v;
    return n;
}

struct element {
    int64_t id, from, end;
};

static bool element_at(struct walk *w, int64_t off, int64_t end, struct element *e)
{
    int64_t size;
    int a, b;

    if (w->left-- <= 0 || !(a = vint(w, off, end, true, &e->id)) ||
        !(b = vint(w, off + a, end, false, &size)))
        return false;
    e->from = off + a + b;
    e->end =
        size < 0 || size > end - e->from ? end : e->from + size; /* a cut file is read so far */
    return true;
}

static uint64_t number(struct walk *w, const struct element *e)
{
    size_t n = (size_t)(e->end - e->from);
    const unsigned char *p = n >= 1 && n <= 8 ? at(w, e->from, n, e->end) : NULL;
    uint64_t v = 0;

    for (size_t i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static double real(struct walk *w, const struct element *e)
{
    int64_t n = e->end - e->from;
    uint64_t bits = number(w, e);
    uint32_t half = (uint32_t)bits;
    float single = 0;
    double v = 0;

    if (n == 8)
        memcpy(&v, &bits, sizeof(v));
    memcpy(&single, &half, sizeof(single));
    v = n == 4 ? (double)single : v;
    return isfinite(v) && v > 0 && v < 1e15 ? v : 0;
}

enum {
    EBML_SEGMENT = 0x18538067,
    EBML_INFO = 0x1549a966,
    EBML_SCALE = 0x2ad7b1,
    EBML_DURATION = 0x4489,
    EBML_TRACKS = 0x1654ae6b,
    EBML_TRACK = 0xae,
    EBML_VIDEO = 0xe0,
    EBML_WIDTH = 0xb0,
    EBML_HEIGHT = 0xba,
    EBML_AUDIO = 0xe1,
    EBML_RATE = 0xb5,
    EBML_CHANNELS = 0x9f,
    EBML_CLUSTER = 0x1f43b675,
};

struct webm {
    uint64_t scale; /* nanoseconds a tick */
    double ticks;
};

static void walk_elements(struct walk *w, struct webm *m, int64_t off, int64_t end, int depth);

static void inside(struct walk *w, struct webm *m, const struct element *e, int depth)
{
    struct facts *out = w->out;

    switch (e->id) {
    case EBML_SEGMENT:
    case EBML_INFO:
    case EBML_TRACKS:
    case EBML_TRACK:
    case EBML_VIDEO:
    case EBML_AUDIO:
        if (depth < DEPTH)
            walk_elements(w, m, e->from, e->end, depth + 1);
        break;
    case EBML_SCALE:
        m->scale = number(w, e);
        break;
    case EBML_DURATION:
        m->ticks = real(w, e);
        break;
    case EBML_WIDTH:
        out->width = facts_small(number(w, e), PIXELS);
        break;
    case EBML_HEIGHT:
        out->height = facts_small(number(w, e), PIXELS);
        break;
    case EBML_RATE:
        out->sample_rate = facts_small((uint64_t)real(w, e), HZ);
        break;
    case EBML_CHANNELS:
        out->channels = facts_small(number(w, e), CHANNELS);
        break;
    default:
        break;
    }
}

static void walk_elements(struct walk *w, struct webm *m, int64_t off, int64_t end, int depth)
{
    struct element e;

    while (element_at(w, off, end, &e)) {
        if (e.id == EBML_CLUSTER) /* the film itself: what is told is told before it */
            return;
        inside(w, m, &e, depth);
        off = e.end;
    }
}

void facts_webm(struct facts_in *in, struct facts *out)
{
    struct walk w = {in, out, BOXES};
    struct webm m = {.scale = 1000000};

    walk_elements(&w, &m, 0, in->source->size, 0);
    double ms = m.ticks * (double)m.scale / 1e6;
    out->duration_ms = ms > 0 && ms <= (double)FACTS_LONGEST_MS ? (int64_t)ms : 0;
}
