/* Owns the bit stream of brush masks. Source of the format: thi.ng/rle-pack, and Label Studio SDK's
 * converter/brush.py, which agree bit by bit. */
#include "core/brush.h"

#include <string.h>

enum {
    CHANNELS = 4,
    WORD_BITS = 8,
    SIZES = 4,
    LONGEST = 1 << 16, /* of a run as we pack it */
};

/* ---- masks */

enum err mask_new(struct arena *a, size_t width, size_t height, struct mask *m)
{
    *m = (struct mask){.width = width, .height = height, .stride = (width + 7) / 8};
    if (width > MASK_SIDE || height > MASK_SIDE || width * height > MASK_PIXELS)
        return ERR_TOO_LARGE;
    m->bits = arena_alloc(a, m->stride * height + 1);
    return ERR_OK;
}

size_t mask_bound(const struct mask *m, size_t *left, size_t *top, size_t *width, size_t *height)
{
    size_t n = 0, x0 = m->width, x1 = 0, y0 = m->height, y1 = 0;

    for (size_t y = 0; y < m->height; y++)
        for (size_t x = 0; x < m->width; x++) {
            if (!m->bits[y * m->stride + x / 8] && x % 8 == 0) {
                x += 7;
                continue;
            }
            if (!mask_get(m, x, y))
                continue;
            n++;
            x0 = x < x0 ? x : x0;
            x1 = x > x1 ? x : x1;
            y0 = y < y0 ? y : y0;
            y1 = y;
        }
    if (n > 0)
        *left = x0, *top = y0, *width = x1 - x0 + 1, *height = y1 - y0 + 1;
    return n;
}

enum err mask_scaled(
    struct arena *a, const struct mask *from, size_t width, size_t height, struct mask *to)
{
    enum err e = from->width && from->height ? mask_new(a, width, height, to) : ERR_INVALID;

    for (size_t y = 0; !e && y < height; y++)
        for (size_t x = 0; x < width; x++)
            if (mask_get(from, (2 * x + 1) * from->width / (2 * width),
                    (2 * y + 1) * from->height / (2 * height)))
                mask_set(to, x, y);
    return e;
}

/* ---- reading bits */

struct bits {
    struct json_object *bytes;
    size_t n, at;   /* bytes taken */
    uint64_t queue; /* the low `have` bits are not read yet */
    unsigned have;
    bool bad;
};

static uint32_t take(struct bits *b, unsigned n)
{
    while (b->have < n) {
        struct json_object *v = b->at < b->n ? json_object_array_get_idx(b->bytes, b->at++) : NULL;
        int64_t byte = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;
        if (byte < 0 || byte > 255) {
            b->bad = true;
            return 0;
        }
        b->queue = b->queue << 8 | (uint64_t)byte;
        b->have += 8;
    }
    b->have -= n;
    return (uint32_t)(b->queue >> b->have & ((UINT64_C(1) << n) - 1));
}

struct reader {
    struct bits bits;
    struct mask *mask; /* NULL: nothing is kept */
    size_t width;
    uint64_t words, done;
    unsigned sizes[SIZES];
};

static enum err refuse(const char **why, const char *text)
{
    *why = text;
    return ERR_INVALID;
}

static enum err read_header(struct reader *r, size_t width, size_t height, const char **why)
{
    struct bits *b = &r->bits;

    r->words = take(b, 16);
    r->words = r->words << 16 | take(b, 16);
    unsigned word = take(b, 5) + 1;
    for (size_t i = 0; i < SIZES; i++)
        r->sizes[i] = take(b, 4) + 1;
    if (b->bad)
        return refuse(why, "is too short, or holds what is no byte");
    if (word != WORD_BITS)
        return refuse(why, "packs words of other than 8 bits");
    if (r->words != (uint64_t)width * height * CHANNELS)
        return refuse(why, "is of another size than original_width x original_height");
    return ERR_OK;
}

/* Words of which only the alpha counts. */
static void put(struct reader *r, uint32_t word, uint64_t n)
{
    uint64_t end = r->done + n;

    if (r->mask && word)
        for (uint64_t i = r->done | (CHANNELS - 1); i < end; i += CHANNELS) {
            size_t pixel = (size_t)(i / CHANNELS);
            mask_set(r->mask, pixel % r->width, pixel / r->width);
        }
    r->done = end;
}

static enum err read_record(struct reader *r, const char **why)
{
    struct bits *b = &r->bits;
    bool run = take(b, 1);
    uint64_t n = (uint64_t)take(b, r->sizes[take(b, 2)]) + 1;

    if (!b->bad && n > r->words - r->done)
        return refuse(why, "runs over the end of the picture");
    if (run) {
        uint32_t word = take(b, WORD_BITS);
        if (!b->bad)
            put(r, word, n);
    }
    for (uint64_t i = 0; !run && !b->bad && i < n; i++) {
        uint32_t word = take(b, WORD_BITS);
        put(r, word, 1);
    }
    return b->bad ? refuse(why, "ends in the middle, or holds what is no byte") : ERR_OK;
}

static enum err read_all(
    struct json_object *rle, size_t width, size_t height, struct mask *m, const char **why)
{
    struct reader r = {.mask = m, .width = width};
    enum err e;

    if (!json_object_is_type(rle, json_type_array))
        return refuse(why, "is no list of bytes");
    r.bits.bytes = rle;
    r.bits.n = json_object_array_length(rle);
    e = read_header(&r, width, height, why);
    while (!e && r.done < r.words)
        e = read_record(&r, why);
    return e;
}

enum err brush_decode(struct json_object *rle, struct mask *m, const char **why)
{
    return read_all(rle, m->width, m->height, m, why);
}

enum err brush_check(struct json_object *rle, size_t width, size_t height, const char **why)
{
    return read_all(rle, width, height, NULL, why);
}

/* ---- packing */

struct packer {
    struct buf *out;
    unsigned queue, have;
};

static void put_bits(struct packer *p, uint32_t value, unsigned n)
{
    while (n > 0) {
        n--;
        p->queue = p->queue << 1 | (value >> n & 1);
        if (++p->have == 8) {
            buf_int(p->out, (int64_t)(p->queue & 0xff));
            buf_putc(p->out, ',');
            p->have = 0;
        }
    }
}

static const unsigned our_sizes[SIZES] = {3, 4, 8, 16};

/* n words alike; a single one is a literal. */
static void pack_run(struct packer *p, uint32_t word, uint64_t n)
{
    while (n > 0) {
        uint64_t part = n < LONGEST ? n : LONGEST;
        unsigned k = 0;
        while (part > UINT64_C(1) << our_sizes[k])
            k++;
        put_bits(p, part > 1, 1);
        put_bits(p, k, 2);
        put_bits(p, (uint32_t)(part - 1), our_sizes[k]);
        put_bits(p, word, WORD_BITS);
        n -= part;
    }
}

void brush_encode(const struct mask *m, struct buf *out)
{
    struct packer p = {.out = out};
    uint32_t word = 0;
    uint64_t run = 0;

    buf_putc(out, '[');
    put_bits(&p, (uint32_t)(m->width * m->height * CHANNELS), 32);
    put_bits(&p, WORD_BITS - 1, 5);
    for (size_t i = 0; i < SIZES; i++)
        put_bits(&p, our_sizes[i] - 1, 4);
    for (size_t y = 0; y < m->height; y++)
        for (size_t x = 0; x < m->width; x++) {
            uint32_t now = mask_get(m, x, y) ? 255 : 0;
            if (now != word && run > 0) {
                pack_run(&p, word, run);
                run = 0;
            }
            word = now;
            run += CHANNELS;
        }
    pack_run(&p, word, run);
    put_bits(&p, 0, 8 - p.have); /* always at least one bit, as the SDK does */
    buf_chop(out, ',');
    buf_putc(out, ']');
}
