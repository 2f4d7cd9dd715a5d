/* prelabel/decode: good pictures of every kind come out right, hostile ones are refused before they
 * cost anything. */
#include "workers/prelabel/decode.h"

#include <png.h>
#include <stdlib.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "t.h"
#include "workers/prelabel/exif.h"
#include "workers/prelabel/image.h"

/* Making files */

static void to_buf(png_structp png, png_bytep p, size_t n)
{
    buf_add(png_get_io_ptr(png), p, n);
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

/* rows: as the format lays them out, `row` bytes each. */
static void make_png(struct buf *out, int colour, int depth, int w, int h, int interlace,
    const unsigned char *rows, size_t row)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    const png_color palette[2] = {{10, 20, 30}, {200, 100, 50}};

    buf_init(out, 1 << 20);
    png_set_write_fn(png, out, to_buf, flush_nothing);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, colour, interlace,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 2);
    png_write_info(png, info);
    int passes = interlace ? png_set_interlace_handling(png) : 1;
    while (passes--)
        for (int y = 0; y < h; y++)
            png_write_row(png, rows + (size_t)y * row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

static void chunk(struct buf *out, const char *type, const void *data, size_t n)
{
    unsigned char be[4];
    struct buf body;

    buf_init(&body, 1 << 20);
    buf_add(&body, type, 4);
    buf_add(&body, data, n);
    for (int i = 0; i < 4; i++)
        be[i] = (unsigned char)(n >> (24 - 8 * i));
    buf_add(out, be, 4);
    buf_str(out, buf_view(&body));
    unsigned long crc = crc32(0, (const unsigned char *)body.p, (unsigned)body.n);
    for (int i = 0; i < 4; i++)
        be[i] = (unsigned char)(crc >> (24 - 8 * i));
    buf_add(out, be, 4);
    buf_release(&body);
}

/* A header that promises w x h, and a picture data chunk that never keeps it. */
static void make_bomb(struct buf *out, uint32_t w, uint32_t h)
{
    unsigned char ihdr[13] = {0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0}, zeros[1000] = {0}, z[200];
    unsigned long size = sizeof(z);

    for (int i = 0; i < 4; i++) {
        ihdr[i] = (unsigned char)(w >> (24 - 8 * i));
        ihdr[4 + i] = (unsigned char)(h >> (24 - 8 * i));
    }
    compress(z, &size, zeros, sizeof(zeros));
    buf_init(out, 1 << 20);
    buf_add(out, "\x89PNG\r\n\x1a\n", 8);
    chunk(out, "IHDR", ihdr, sizeof(ihdr));
    chunk(out, "IDAT", z, size);
    chunk(out, "IEND", "", 0);
}

static void make_jpeg(
    struct buf *out, int format, int sampling, int w, int h, const unsigned char *pixels, int flags)
{
    tjhandle tj = tjInitCompress();
    unsigned char *jpeg = NULL;
    unsigned long n = 0;

    buf_init(out, 1 << 20);
    if (tjCompress2(tj, pixels, w, 0, h, format, &jpeg, &n, sampling, 95, flags) != 0)
        t_fail(__FILE__, __LINE__, "no JPEG: %s", tjGetErrorStr2(tj));
    buf_add(out, jpeg, n);
    tjFree(jpeg);
    tjDestroy(tj);
}

static enum err decode(
    const struct buf *file, uint32_t w, uint32_t h, uint32_t c, unsigned char *out)
{
    return decode_image(&(struct decode_spec){w, h, c}, buf_view(file), out);
}

static void check_near(const unsigned char *got, const unsigned char *want, size_t n, int slack)
{
    for (size_t i = 0; i < n; i++)
        if (abs(got[i] - want[i]) > slack) {
            t_fail(__FILE__, __LINE__, "byte %zu is %d, want %d", i, got[i], want[i]);
            return;
        }
}

/* Good files */

TEST(decode_png_gray_is_exact)
{
    unsigned char px[12], out[36];
    struct buf f;

    for (size_t i = 0; i < sizeof(px); i++)
        px[i] = (unsigned char)(i * 21);
    make_png(&f, PNG_COLOR_TYPE_GRAY, 8, 4, 3, 0, px, 4);
    REQUIRE(decode(&f, 4, 3, 1, out) == ERR_OK);
    CHECK(memcmp(out, px, sizeof(px)) == 0);
    REQUIRE(decode(&f, 4, 3, 3, out) == ERR_OK); /* gray to RGB */
    for (size_t i = 0; i < sizeof(px); i++)
        CHECK(out[3 * i] == px[i] && out[3 * i + 1] == px[i] && out[3 * i + 2] == px[i]);
    buf_release(&f);
}

TEST(decode_png_kinds)
{
    unsigned char out[12];
    struct buf f;

    const unsigned char rgb[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
    make_png(&f, PNG_COLOR_TYPE_RGB, 8, 2, 2, 1, rgb, 6); /* interlaced */
    REQUIRE(decode(&f, 2, 2, 3, out) == ERR_OK);
    CHECK(memcmp(out, rgb, 12) == 0);
    REQUIRE(decode(&f, 2, 2, 1, out) == ERR_OK);
    const unsigned char luma[] = {76, 150, 29, 255}; /* BT.601 */
    check_near(out, luma, 4, 1);
    buf_release(&f);

    const unsigned char alpha[] = {0, 0, 0, 0, 10, 20, 30, 255}; /* nothing there; there */
    make_png(&f, PNG_COLOR_TYPE_RGB_ALPHA, 8, 2, 1, 0, alpha, 8);
    REQUIRE(decode(&f, 2, 1, 3, out) == ERR_OK);
    const unsigned char on_white[] = {255, 255, 255, 10, 20, 30};
    check_near(out, on_white, 6, 1);
    buf_release(&f);

    const unsigned char deep[] = {0x12, 0x34, 0xab, 0xcd};
    make_png(&f, PNG_COLOR_TYPE_GRAY, 16, 2, 1, 0, deep, 4);
    REQUIRE(decode(&f, 2, 1, 1, out) == ERR_OK);
    check_near(out, (const unsigned char[]){0x12, 0xac}, 2, 1);
    buf_release(&f);

    const unsigned char gray_alpha[] = {100, 255, 100, 0};
    make_png(&f, PNG_COLOR_TYPE_GRAY_ALPHA, 8, 2, 1, 0, gray_alpha, 4);
    REQUIRE(decode(&f, 2, 1, 1, out) == ERR_OK);
    check_near(out, (const unsigned char[]){100, 255}, 2, 1);
    buf_release(&f);

    const unsigned char bits[] = {0x40}; /* palette of one bit: entries 0, 1 */
    make_png(&f, PNG_COLOR_TYPE_PALETTE, 1, 2, 1, 0, bits, 1);
    REQUIRE(decode(&f, 2, 1, 3, out) == ERR_OK);
    check_near(out, (const unsigned char[]){10, 20, 30, 200, 100, 50}, 6, 1);
    buf_release(&f);
}

static void fill_rgb(unsigned char *px, int n)
{
    for (int i = 0; i < n; i++) {
        px[3 * i] = 200;
        px[3 * i + 1] = 100;
        px[3 * i + 2] = 50;
    }
}

TEST(decode_jpeg_kinds)
{
    static const int flags[] = {0, TJFLAG_PROGRESSIVE};
    static unsigned char px[16 * 16 * 3], out[16 * 16 * 3];
    struct buf f;

    fill_rgb(px, 256);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        make_jpeg(&f, TJPF_RGB, TJSAMP_420, 16, 16, px, flags[i]);
        REQUIRE(decode(&f, 16, 16, 3, out) == ERR_OK);
        check_near(out, px, sizeof(px), 3);
        REQUIRE(decode(&f, 4, 4, 1, out) == ERR_OK);
        CHECK(abs(out[0] - 124) <= 3); /* .299*200 + .587*100 + .114*50 */
        buf_release(&f);
    }
    static unsigned char gray[256];
    memset(gray, 77, sizeof(gray));
    make_jpeg(&f, TJPF_GRAY, TJSAMP_GRAY, 16, 16, gray, 0);
    REQUIRE(decode(&f, 2, 2, 3, out) == ERR_OK);
    check_near(out, (const unsigned char[]){77, 77, 77}, 3, 2);
    buf_release(&f);
}

TEST(decode_jpeg_cmyk)
{
    static unsigned char cmyk[16 * 16 * 4], out[3];
    struct buf f;

    for (int i = 0; i < 256; i++) { /* inverted: 255 = no ink; half cyan gone, full key away */
        cmyk[4 * i] = 128;
        cmyk[4 * i + 1] = 255;
        cmyk[4 * i + 2] = 0;
        cmyk[4 * i + 3] = 255;
    }
    make_jpeg(&f, TJPF_CMYK, TJSAMP_444, 16, 16, cmyk, 0);
    REQUIRE(decode(&f, 1, 1, 3, out) == ERR_OK);
    check_near(out, (const unsigned char[]){128, 255, 0}, 3, 4);
    REQUIRE(decode(&f, 1, 1, 1, out) == ERR_OK);
    CHECK(abs(out[0] - 188) <= 4);
    buf_release(&f);
}

TEST(decode_resizes_without_aliasing)
{
    static unsigned char px[64 * 64], out[64];
    struct buf f;

    for (int i = 0; i < 64 * 64; i++) /* a fine chess board is gray from afar */
        px[i] = (i + i / 64) % 2 ? 255 : 0;
    make_png(&f, PNG_COLOR_TYPE_GRAY, 8, 64, 64, 0, px, 64);
    REQUIRE(decode(&f, 8, 8, 1, out) == ERR_OK);
    for (int i = 0; i < 64; i++)
        CHECK(abs(out[i] - 127) <= 4);
    buf_release(&f);

    const unsigned char two[] = {0, 255};
    make_png(&f, PNG_COLOR_TYPE_GRAY, 8, 2, 1, 0, two, 2);
    REQUIRE(decode(&f, 8, 1, 1, out) == ERR_OK); /* growing: a ramp between the two */
    CHECK_INT(out[0], 0);
    CHECK_INT(out[7], 255);
    for (int i = 1; i < 8; i++)
        CHECK(out[i] >= out[i - 1]);
    CHECK(abs(out[3] + out[4] - 255) <= 1);
    buf_release(&f);
}

/* Orientation */

TEST(decode_turns_as_exif_says)
{
    /* a 2x1 picture, 10 20, seen in each of the eight ways */
    static const unsigned char want[9][2] = {
        {10, 20}, {10, 20}, {20, 10}, {20, 10}, {10, 20}, {10, 20}, {10, 20}, {20, 10}, {20, 10}};

    for (int o = 0; o <= 8; o++) {
        struct image im = {2, 1, 1, malloc(2)};
        memcpy(im.pixels, "\x0a\x14", 2);
        REQUIRE(image_orient(&im, o) == ERR_OK);
        CHECK_INT(im.width, o >= 5 ? 1 : 2);
        CHECK(memcmp(im.pixels, want[o], 2) == 0);
        image_release(&im);
    }
    /* 6: the camera lay on its left side; the left column becomes the top row, read upwards */
    struct image im = {2, 2, 1, malloc(4)};
    memcpy(im.pixels, "abcd", 4);
    REQUIRE(image_orient(&im, 6) == ERR_OK);
    CHECK(memcmp(im.pixels, "cadb", 4) == 0);
    image_release(&im);
}

TEST(exif_reading)
{
    static const unsigned char good[] = {0xff, 0xd8, 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,
        'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0,
        0xff, 0xda};
    unsigned char damaged[sizeof(good)];

    CHECK_INT(exif_orientation((struct str){(const char *)good, sizeof(good)}), 6);
    /* cut anywhere, or with any byte changed, it must only answer something from 1 to 8 */
    for (size_t n = 0; n < sizeof(good); n++) {
        char *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too many */
        memcpy(exact, good, n);
        int o = exif_orientation((struct str){exact, n});
        CHECK(o >= 1 && o <= 8);
        free(exact);
    }
    for (size_t i = 0; i < sizeof(good) * 256; i++) {
        memcpy(damaged, good, sizeof(good));
        damaged[i / 256] = (unsigned char)i;
        int o = exif_orientation((struct str){(const char *)damaged, sizeof(damaged)});
        CHECK(o >= 1 && o <= 8);
    }
}

/* Hostile files */

TEST(decode_refuses_bombs_by_their_header)
{
    static const uint32_t sides[][2] = {
        {20000, 20000}, {40000, 1}, {1, 40000}, {32767, 32767}, {0x7fffffff, 0x7fffffff}};
    unsigned char out[1];
    struct buf f;

    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        make_bomb(&f, sides[i][0], sides[i][1]);
        int64_t start = clock_mono_us();
        enum err e = decode(&f, 1, 1, 1, out);
        CHECK(e == ERR_TOO_LARGE || e == ERR_CORRUPT); /* libpng's own limit may speak first */
        CHECK(clock_mono_us() - start < 100000);
        buf_release(&f);
    }
    make_bomb(&f, 20000, 20000);
    CHECK(decode(&f, 1, 1, 1, out) == ERR_TOO_LARGE);
    buf_release(&f);
    make_bomb(&f, 0, 5);
    CHECK(decode(&f, 1, 1, 1, out) == ERR_CORRUPT);
    buf_release(&f);
    make_bomb(&f, 500, 500); /* within the limits, but the data are missing */
    CHECK(decode(&f, 1, 1, 1, out) == ERR_CORRUPT);
    buf_release(&f);

    static unsigned char px[64 * 64 * 3];
    make_jpeg(&f, TJPF_RGB, TJSAMP_420, 64, 64, px, 0);
    for (size_t i = 0; i + 9 < f.n; i++) /* the frame header: 0xffc0, length, 8 bits, h, w */
        if ((unsigned char)f.p[i] == 0xff && (unsigned char)f.p[i + 1] == 0xc0)
            memcpy(f.p + i + 5, "\xff\x00\xff\x00", 4);
    CHECK(decode(&f, 1, 1, 1, out) == ERR_TOO_LARGE);
    buf_release(&f);
}

TEST(decode_refuses_cut_and_damaged_files)
{
    static unsigned char px[64 * 64 * 3], out[64 * 64 * 3];
    uint64_t state = t_seed();
    struct buf f, *file = &f;

    for (size_t i = 0; i < sizeof(px); i++)
        px[i] = (unsigned char)t_random(&state);
    for (int kind = 0; kind < 3; kind++) {
        if (kind == 0)
            make_png(file, PNG_COLOR_TYPE_RGB, 8, 64, 64, 0, px, 64 * 3);
        else
            make_jpeg(file, TJPF_RGB, TJSAMP_420, 64, 64, px, kind == 1 ? 0 : TJFLAG_PROGRESSIVE);
        size_t whole = f.n;
        for (size_t n = 0; n < whole * 9 / 10; n += 1 + whole / 97) {
            char *cut = malloc(n ? n : 1);
            memcpy(cut, f.p, n);
            enum err e = decode_image(&(struct decode_spec){8, 8, 3}, (struct str){cut, n}, out);
            if (e != ERR_CORRUPT && e != ERR_MEDIA_TYPE)
                t_fail(__FILE__, __LINE__, "kind %d cut to %zu of %zu: %d", kind, n, whole, e);
            free(cut);
        }
        for (int i = 0; i < 300; i++) { /* any answer, no crash, no overrun */
            size_t at = t_random(&state) % whole;
            char old = f.p[at];
            f.p[at] = (char)t_random(&state);
            enum err e = decode(file, 8, 8, 3, out);
            CHECK(e < ERR_COUNT);
            f.p[at] = old;
        }
        buf_release(file);
    }
}

TEST(decode_refuses_other_types)
{
    static const char *const other[] = {
        "", "GIF89a", "RIFF....WEBP", "<svg/>", "\x89PN", "\xff", "BM", "%PDF-1.7"};
    unsigned char out[1];

    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        CHECK(
            decode_image(&(struct decode_spec){1, 1, 1}, str_of(other[i]), out) == ERR_MEDIA_TYPE);
}
