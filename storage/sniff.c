/* Owns the list of media types and their first bytes. Never trusts a client. */
#include "storage/sniff.h"

#include "base/err.h"

static const struct {
    const char *type;
    const char *magic; /* at `at`; '?' stands for any byte */
    size_t n, at;
    bool inline_safe;
} types[] = {
    {"image/png", "\x89PNG\r\n\x1a\n", 8, 0, true},
    {"image/jpeg", "\xff\xd8\xff", 3, 0, true},
    {"image/gif", "GIF87a", 6, 0, true},
    {"image/gif", "GIF89a", 6, 0, true},
    {"image/webp", "RIFF????WEBP", 12, 0, true},
    {"image/bmp", "BM????\0\0\0\0", 10, 0, true},
    {"image/tiff", "II*\0", 4, 0, false},
    {"image/tiff", "MM\0*", 4, 0, false},
    {"image/avif", "ftypavif", 8, 4, true},
    {"audio/wav", "RIFF????WAVE", 12, 0, true},
    {"audio/mpeg", "ID3", 3, 0, true},
    {"audio/mpeg", "\xff\xfb", 2, 0, true},
    {"audio/mpeg", "\xff\xfa", 2, 0, true},
    {"audio/mpeg", "\xff\xf3", 2, 0, true},
    {"audio/mpeg", "\xff\xf2", 2, 0, true},
    {"audio/flac", "fLaC", 4, 0, true},
    {"audio/ogg", "OggS", 4, 0, true},
    {"video/mp4", "ftyp", 4, 4, true},
    {"video/webm", "\x1a\x45\xdf\xa3", 4, 0, true},
    {"application/pdf", "%PDF-", 5, 0, true},
};

static bool matches(struct str head, size_t row)
{
    if (head.n < types[row].at + types[row].n)
        return false;
    for (size_t i = 0; i < types[row].n; i++)
        if (types[row].magic[i] != '?' && head.p[types[row].at + i] != types[row].magic[i])
            return false;
    return true;
}

static int32_t be16(const char *p)
{
    return (unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static int32_t be32(const char *p)
{
    uint32_t v = (uint32_t)be16(p) << 16 | (uint32_t)be16(p + 2);

    return v > INT32_MAX ? 0 : (int32_t)v;
}

/* PNG: IHDR is first (RFC 2083). GIF: the logical screen (GIF89a §18). */
static void fixed_size(struct str h, struct media *m)
{
    if (strcmp(m->type, "image/png") == 0 && h.n >= 24 && memcmp(h.p + 12, "IHDR", 4) == 0) {
        m->width = be32(h.p + 16);
        m->height = be32(h.p + 20);
    } else if (strcmp(m->type, "image/gif") == 0 && h.n >= 10) {
        m->width = (unsigned char)h.p[6] | (unsigned char)h.p[7] << 8;
        m->height = (unsigned char)h.p[8] | (unsigned char)h.p[9] << 8;
    }
}

/* JPEG: the first SOFn segment (ITU T.81 B.2.2). */
static void jpeg_size(struct str h, struct media *m)
{
    size_t at = 2;

    while (at + 9 < h.n && (unsigned char)h.p[at] == 0xff) {
        unsigned char marker = (unsigned char)h.p[at + 1];
        bool sof =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (sof) {
            m->height = be16(h.p + at + 5);
            m->width = be16(h.p + at + 7);
            return;
        }
        at += 2 + (size_t)be16(h.p + at + 2);
    }
}

/* Text that holds no control characters, and is not markup that a browser would run. */
static bool plain_text(struct str h)
{
    for (size_t i = 0; i < h.n; i++) {
        unsigned char c = (unsigned char)h.p[i];
        if (c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t'))
            return false;
    }
    return h.n > 0;
}

struct media sniff(struct str head)
{
    struct media m = {.type = "application/octet-stream"};

    if (head.n > SNIFF_BYTES)
        head.n = SNIFF_BYTES;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (matches(head, i)) {
            m.type = types[i].type;
            m.inline_safe = types[i].inline_safe;
            fixed_size(head, &m);
            if (strcmp(m.type, "image/jpeg") == 0)
                jpeg_size(head, &m);
            return m;
        }
    if (plain_text(head)) {
        m.type = "text/plain; charset=utf-8";
        m.inline_safe = true;
    }
    return m;
}

struct media media_of_type(struct str type)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(type, types[i].type))
            return (struct media){.type = types[i].type, .inline_safe = types[i].inline_safe};
    if (str_is(type, "text/plain; charset=utf-8"))
        return (struct media){.type = "text/plain; charset=utf-8", .inline_safe = true};
    return (struct media){.type = "application/octet-stream"};
}
