/* Media types from bytes alone: polyglots are what they begin with, nothing that a browser would
 * run is served as what it claims, and no length of input is read beyond. */
#include "storage/sniff.h"

#include <stdlib.h>

#include "t.h"

#define BYTES(lit) ((struct str){(lit), sizeof(lit) - 1})

static const struct {
    struct str head;
    const char *type;
    int width, height;
    bool inline_safe;
} files[] = {
    {BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\0\x80\x08\x02"), "image/png", 256, 128, true},
    {BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\0\0\0\1"), "image/png", 0, 1, true},
    {BYTES("\x89PNG\r\n\x1a\n<script>alert(1)</script>......."), "image/png", 0, 0, true},
    {BYTES("GIF89a\x10\0\x20\0"), "image/gif", 16, 32, true},
    {BYTES("GIF87a"), "image/gif", 0, 0, true},
    {BYTES("\xff\xd8\xff\xe0\0\4xx\xff\xc0\0\x11\x08\0\x30\0\x40\3"), "image/jpeg", 64, 48, true},
    {BYTES("\xff\xd8\xff\xe0\0\0\xff\xc0\0\x11\x08\0\x30\0\x40\3"), "image/jpeg", 0, 0, true},
    {BYTES("\xff\xd8\xff\xc4\xff\xff"), "image/jpeg", 0, 0, true},
    {BYTES("RIFF\1\2\3\4WEBPVP8 "), "image/webp", 0, 0, true},
    {BYTES("RIFF\1\2\3\4WAVE"), "audio/wav", 0, 0, true},
    {BYTES("RIFF\1\2\3\4AVI "), "application/octet-stream", 0, 0, false},
    {BYTES("\0\0\0\x1c"
           "ftypavif"),
        "image/avif", 0, 0, true},
    {BYTES("\0\0\0\x1c"
           "ftypisom"),
        "video/mp4", 0, 0, true},
    {BYTES("%PDF-1.7"), "application/pdf", 0, 0, true},
    {BYTES("II*\0"), "image/tiff", 0, 0, false},
    {BYTES("<!doctype html><script>1</script>"), "text/plain; charset=utf-8", 0, 0, true},
    {BYTES("<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>"), "text/plain; charset=utf-8", 0,
        0, true},
    {BYTES("a\tb\r\n"), "text/plain; charset=utf-8", 0, 0, true},
    {BYTES("a\0b"), "application/octet-stream", 0, 0, false},
    {BYTES("a\x7f"), "application/octet-stream", 0, 0, false},
    {BYTES("PK\3\4"), "application/octet-stream", 0, 0, false},
    {BYTES(""), "application/octet-stream", 0, 0, false},
};

/* In a block of just its size, so that a read beyond the end is seen. */
static struct media sniff_copy(struct str s)
{
    char *p = malloc(s.n ? s.n : 1);

    if (!p)
        abort();
    memcpy(p, s.p, s.n);
    struct media m = sniff((struct str){p, s.n});
    free(p);
    return m;
}

TEST(types_are_told_from_the_first_bytes)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct media m = sniff_copy(files[i].head);
        CHECK_STR(str_of(m.type), str_of(files[i].type));
        CHECK_INT(m.width, files[i].width);
        CHECK_INT(m.height, files[i].height);
        CHECK_INT(m.inline_safe, files[i].inline_safe);
        struct media again = media_of_type(str_of(m.type)); /* what a download knows */
        CHECK_STR(str_of(again.type), str_of(m.type));
        CHECK_INT(again.inline_safe, m.inline_safe);
    }
}

TEST(every_prefix_and_any_bytes_are_read_within_bounds)
{
    uint64_t s = t_seed();
    char noise[300];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        for (size_t n = 0; n <= files[i].head.n; n++) {
            struct media m = sniff_copy((struct str){files[i].head.p, n});
            CHECK(m.width >= 0 && m.height >= 0);
        }
    for (int round = 0; round < 20000; round++) {
        size_t n = t_random(&s) % sizeof(noise);
        for (size_t k = 0; k < n; k++)
            noise[k] = (char)(t_random(&s) % 4 ? t_random(&s) : 0xff);
        struct str start = files[t_random(&s) % 8].head;
        memcpy(noise, start.p, start.n < n ? start.n : n);
        struct media m = sniff_copy((struct str){noise, n});
        CHECK(m.width >= 0 && m.height >= 0);
    }
}

TEST(a_stored_type_that_is_none_of_ours_is_a_download)
{
    static const char *const types[] = {
        "text/html", "image/svg+xml", "text/html;image/png", "", "IMAGE/PNG"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct media m = media_of_type(str_of(types[i]));
        CHECK_STR(str_of(m.type), STR("application/octet-stream"));
        CHECK(!m.inline_safe);
    }
}
