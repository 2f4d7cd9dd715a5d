/* What headers say, and what they say when they lie: files cut at every length and with bytes
 * changed at random are read within bounds, and no more of them than is allowed. */
#include "storage/facts.h"

#include <stdlib.h>

#include "storage/sniff.h"
#include "t.h"

#define B(lit) buf_add(b, (lit), sizeof(lit) - 1)

struct file { /* a heap copy of exactly its size, so that a byte too far is caught */
    char *p;
    int64_t size;
    int reads, fail_at;
};

static enum err read_file(void *arg, int64_t off, size_t n, struct buf *out)
{
    struct file *f = arg;

    CHECK(off >= 0 && n <= FACTS_WINDOW && off <= f->size && (int64_t)n <= f->size - off);
    if (++f->reads == f->fail_at)
        return ERR_IO;
    buf_add(out, f->p + off, n);
    return ERR_OK;
}

static struct facts facts_of(const char *type, struct str content, int fail_at)
{
    struct file f = {malloc(content.n + 1), (int64_t)content.n, 0, fail_at};
    const struct facts_source source = {read_file, &f, f.size};

    memcpy(f.p, content.p, content.n);
    struct facts out = facts_read(type, &source);
    CHECK(f.reads <= FACTS_READS);
    free(f.p);
    return out;
}

/* ---- small files that are as they must be */

static void be(struct buf *b, uint64_t v, int n)
{
    while (n-- > 0)
        buf_putc(b, (char)(v >> 8 * n));
}

static void le(struct buf *b, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        buf_putc(b, (char)(v >> 8 * i));
}

static void zeros(struct buf *b, int n)
{
    while (n-- > 0)
        buf_putc(b, 0);
}

static void make_png(struct buf *b)
{
    B("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\0\x80\x08\2\0\0\0");
}

/* Three times 60,000 bytes of EXIF before the size. */
static void make_jpeg(struct buf *b)
{
    B("\xff\xd8");
    for (int i = 0; i < 3; i++) {
        B("\xff\xe1\xea\x62");
        zeros(b, 60000);
    }
    B("\xff\xff\xc2\0\x0b\x08\1\0\2\0\1\1\x11\0\xff\xda");
}

static void make_gif(struct buf *b)
{
    B("GIF89a\3\0\4\0\0\0\0;");
}

static void make_webp_lossy(struct buf *b)
{
    B("RIFF\x1e\0\0\0WEBPVP8 \x12\0\0\0\0\0\0\x9d\1\x2a\x40\x01\xf0\x00\0\0");
}

static void make_webp_lossless(struct buf *b)
{
    B("RIFF\x1e\0\0\0WEBPVP8L\x12\0\0\0\x2f");
    le(b, (320 - 1) | (240 - 1) << 14, 4);
    zeros(b, 8);
}

static void make_webp_extended(struct buf *b)
{
    B("RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0");
    le(b, 99999, 3);
    le(b, 0, 3);
}

static void make_bmp(struct buf *b)
{
    B("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0");
    le(b, 640, 4);
    le(b, (uint32_t)-480, 4); /* from the top down */
}

/* 2 s of 44.1 kHz stereo, behind a chunk of odd length. */
static void make_wav(struct buf *b)
{
    B("RIFF\0\0\0\0WAVELIST\3\0\0\0abc\0fmt \x10\0\0\0\1\0\2\0");
    le(b, 44100, 4);
    le(b, 44100 * 4, 4);
    B("\4\0\x10\0data");
    le(b, 44100 * 8, 4);
    zeros(b, 44100 * 8);
}

/* What a recorder leaves that was cut off: no length. */
static void make_wav_open(struct buf *b)
{
    B("RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0");
    le(b, 8000, 4);
    le(b, 8000, 4);
    B("\1\0\x08\0data\xff\xff\xff\xff");
    zeros(b, 4000);
}

static void make_flac(struct buf *b)
{
    B("fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0");
    be(b, (uint64_t)96000 << 44 | (uint64_t)5 << 41 | (uint64_t)23 << 36 | 96000 * 90, 8);
    zeros(b, 16);
}

/* MPEG 1, 128 kbit/s, 44.1 kHz, stereo; 26.122 ms a frame. */
static void make_mp3(struct buf *b)
{
    B("ID3\4\0\0\0\0\1\0"); /* 128 bytes of tag */
    zeros(b, 128);
    B("\xff\xfb\x90\0");
    zeros(b, 15996);
}

/* MPEG 2, mono, with the number of frames in the first one. */
static void make_mp3_vbr(struct buf *b)
{
    B("\xff\xf3\x40\xc0");
    zeros(b, 9);
    B("Xing\0\0\0\1");
    be(b, 1000, 4);
    zeros(b, 300);
}

static void ogg_page(struct buf *b, uint64_t granule, uint32_t serial, const char *packet, int n)
{
    B("OggS\0\0");
    le(b, granule, 8);
    le(b, serial, 4);
    zeros(b, 8);
    buf_putc(b, 1);
    buf_putc(b, (char)n);
    buf_add(b, packet, (size_t)n);
}

static void make_opus(struct buf *b)
{
    ogg_page(b, 0, 7, "OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0", 19);
    for (int i = 1; i < 1000; i++) {
        char filler[200] = {0};
        ogg_page(b, (uint64_t)i * 960, 7, filler, sizeof(filler));
    }
    ogg_page(b, 48000 * 20 + 312, 7, "x", 1);
    ogg_page(b, UINT64_MAX, 7, "x", 1);
    ogg_page(b, 1, 8, "x", 1); /* another stream's */
}

static void make_vorbis(struct buf *b)
{
    ogg_page(b, 0, 7, "\1vorbis\0\0\0\0\1\x44\xac\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xb8\1", 30);
    ogg_page(b, 44100 * 3 / 2, 7, "x", 1);
}

static void box(struct buf *b, const char *type, const struct buf *inside)
{
    be(b, 8 + inside->n, 4);
    buf_puts(b, type);
    buf_add(b, inside->p ? inside->p : "", inside->n);
}

/* Takes `inside` into a box of b and empties it. */
static void wrap(struct buf *b, const char *type, struct buf *inside)
{
    box(b, type, inside);
    buf_clear(inside);
}

static void make_mp4(struct buf *b)
{
    struct buf x, y, z;

    buf_init(&x, 1 << 20);
    buf_init(&y, 1 << 20);
    buf_init(&z, 1 << 20);
    B("\0\0\0\x10"
      "ftypisom\0\0\0\0");
    B("\0\0\0\1mdat\0\0\0\0\0\3\x0d\x50"); /* 200,016 bytes, before what describes them */
    zeros(b, 200000);
    zeros(&x, 12); /* version 0 */
    be(&x, 1000, 4);
    be(&x, 12345, 4);
    zeros(&x, 80);
    wrap(&z, "mvhd", &x);
    zeros(&x, 76);
    be(&x, 1920 << 16, 4);
    be(&x, 1080 << 16, 4);
    wrap(&y, "tkhd", &x);
    wrap(&z, "trak", &y);
    zeros(&x, 84);
    wrap(&y, "tkhd", &x); /* of the sound: nothing to see */
    zeros(&x, 4);
    be(&x, 1, 4);
    be(&x, 36, 4);
    buf_puts(&x, "mp4a");
    zeros(&x, 16);
    be(&x, 6, 2);
    zeros(&x, 6);
    be(&x, 48000, 2);
    zeros(&x, 2);
    struct buf stbl;
    buf_init(&stbl, 1 << 20);
    wrap(&stbl, "stsd", &x);
    wrap(&x, "stbl", &stbl);
    wrap(&stbl, "minf", &x);
    wrap(&x, "mdia", &stbl);
    buf_str(&y, buf_view(&x));
    wrap(&z, "trak", &y);
    wrap(b, "moov", &z);
    buf_release(&stbl);
    buf_release(&x);
    buf_release(&y);
    buf_release(&z);
}

static void make_webm(struct buf *b)
{
    B("\x1a\x45\xdf\xa3\x84\x42\x86\x81\1");
    B("\x18\x53\x80\x67\1\xff\xff\xff\xff\xff\xff\xff"); /* a live one: of unknown length */
    B("\xec\x82\0\0");                                   /* Void */
    B("\x15\x49\xa9\x66\x8e\x2a\xd7\xb1\x83\x0f\x42\x40\x44\x89\x84\x45\x9c\x40\0"); /* 5000 ms */
    B("\x16\x54\xae\x6b\x9e\xae\x8a\xe0\x88\xb0\x82\5\0\xba\x82\2\xd0");
    B("\xae\x90\xe1\x8e\xb5\x88\x40\xe7\x70\0\0\0\0\0\x9f\x82\0\2");
    B("\x1f\x43\xb6\x75\xff\xb0\x82\0\1");
}

static void make_pdf(struct buf *b)
{
    B("%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n"
      "2 0 obj << /Type /Pages /Kids [3 0 R] /Count 7 >> endobj\n"
      "3 0 obj << /Type /Pages /Parent 2 0 R /Count 4 >> endobj\n%%EOF");
}

static void make_pdf_linear(struct buf *b)
{
    B("%PDF-1.4\n1 0 obj <</Linearized 1/L 100000/N 12/E 5/T 9>> endobj\n");
    zeros(b, 200000);
}

/* The page tree lies across the ends of windows. */
static void make_pdf_long(struct buf *b)
{
    B("%PDF-1.4\n");
    zeros(b, FACTS_WINDOW - 40);
    B("2 0 obj << /Type /Pages /Kids [3 0 R] /Count 31 >> endobj\n%%EOF");
}

static const struct {
    const char *type;
    void (*make)(struct buf *b);
    struct facts is;
} files[] = {
    {"image/png", make_png, {.width = 256, .height = 128}},
    {"image/jpeg", make_jpeg, {.width = 512, .height = 256}},
    {"image/gif", make_gif, {.width = 3, .height = 4}},
    {"image/webp", make_webp_lossy, {.width = 320, .height = 240}},
    {"image/webp", make_webp_lossless, {.width = 320, .height = 240}},
    {"image/webp", make_webp_extended, {.width = 100000, .height = 1}},
    {"image/bmp", make_bmp, {.width = 640, .height = 480}},
    {"audio/wav", make_wav, {.duration_ms = 2000, .sample_rate = 44100, .channels = 2}},
    {"audio/wav", make_wav_open, {.duration_ms = 500, .sample_rate = 8000, .channels = 1}},
    {"audio/flac", make_flac, {.duration_ms = 90000, .sample_rate = 96000, .channels = 6}},
    {"audio/mpeg", make_mp3, {.duration_ms = 1000, .sample_rate = 44100, .channels = 2}},
    {"audio/mpeg", make_mp3_vbr, {.duration_ms = 26122, .sample_rate = 22050, .channels = 1}},
    {"audio/ogg", make_opus, {.duration_ms = 20000, .sample_rate = 48000, .channels = 2}},
    {"audio/ogg", make_vorbis, {.duration_ms = 1500, .sample_rate = 44100, .channels = 1}},
    {"video/mp4", make_mp4,
        {.width = 1920, .height = 1080, .duration_ms = 12345, .sample_rate = 48000, .channels = 6}},
    {"video/webm", make_webm,
        {.width = 1280, .height = 720, .duration_ms = 5000, .sample_rate = 48000, .channels = 2}},
    {"application/pdf", make_pdf, {.pages = 7}},
    {"application/pdf", make_pdf_linear, {.pages = 12}},
    {"application/pdf", make_pdf_long, {.pages = 31}},
};

static bool same(const struct facts *a, const struct facts *b)
{
    return a->width == b->width && a->height == b->height && a->duration_ms == b->duration_ms &&
           a->sample_rate == b->sample_rate && a->channels == b->channels && a->pages == b->pages;
}

TEST(facts_are_what_the_headers_say)
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        files[i].make(&b);
        CHECK(!buf_err(&b));
        struct facts f = facts_of(files[i].type, buf_view(&b), 0);
        const struct facts *is = &files[i].is;
        if (!same(&f, is))
            t_fail(__FILE__, __LINE__, "%s, row %zu: %dx%d %lld ms %d Hz %d channels %d pages",
                files[i].type, i, f.width, f.height, (long long)f.duration_ms, f.sample_rate,
                f.channels, f.pages);
        if (strcmp(files[i].type, sniff(buf_view(&b)).type) != 0)
            t_fail(__FILE__, __LINE__, "row %zu is sniffed as %s", i, sniff(buf_view(&b)).type);
        buf_release(&b);
    }
}

/* Numbers that no file of ours can have are not handed on. */
static void check_sane(const struct facts *f)
{
    CHECK(f->width >= 0 && f->height >= 0 && (f->width == 0) == (f->height == 0));
    CHECK(f->duration_ms >= 0 && f->duration_ms < (int64_t)1000 * 3600 * 24 * 400);
    CHECK(f->sample_rate >= 0 && f->sample_rate <= 10000000);
    CHECK(f->channels >= 0 && f->channels <= 1024 && f->pages >= 0);
}

TEST(facts_of_files_that_are_cut)
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        files[i].make(&b);
        size_t step = b.n > 2000 ? b.n / 301 : 1;
        for (size_t n = 0; n < b.n; n += n < 600 || n + 600 > b.n ? 1 : step) {
            struct facts f = facts_of(files[i].type, (struct str){b.p, n}, 0);
            check_sane(&f);
        }
        for (int fail_at = 1; fail_at < 4; fail_at++) {
            struct facts f = facts_of(files[i].type, buf_view(&b), fail_at);
            check_sane(&f);
        }
        buf_release(&b);
    }
}

TEST(facts_of_files_that_lie)
{
    uint64_t random = t_seed();

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct buf b, c;
        buf_init(&b, 1 << 20);
        buf_init(&c, 1 << 20);
        files[i].make(&b);
        size_t tries = b.n > 2000 ? 200 : 3000, reach = b.n < 400 ? b.n : 400;
        for (size_t k = 0; k < tries; k++) {
            buf_clear(&c);
            buf_str(&c, buf_view(&b));
            for (uint64_t n = 1 + t_random(&random) % 4; n > 0; n--) {
                size_t at = t_random(&random) % reach;
                at = t_random(&random) % 4 ? at : b.n - 1 - at; /* now and then from the end */
                c.p[at] = t_random(&random) % 3 ? (char)t_random(&random) : (char)0xff;
            }
            struct facts f = facts_of(files[i].type, buf_view(&c), 0);
            check_sane(&f);
        }
        buf_release(&b);
        buf_release(&c);
    }
}

TEST(facts_of_noise)
{
    static const char *const types[] = {"image/jpeg", "image/webp", "image/bmp", "audio/wav",
        "audio/flac", "audio/mpeg", "audio/ogg", "video/mp4", "video/webm", "application/pdf"};
    uint64_t random = t_seed();
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int round = 0; round < 40; round++) {
        buf_clear(&b);
        for (uint64_t n = t_random(&random) % 3000; n > 0; n--)
            buf_putc(&b, round % 4 ? (char)t_random(&random) : (char)(round % 8 ? 0xff : 0));
        for (size_t i = 0; i < ARRAY_LEN(types); i++) {
            struct facts f = facts_of(types[i], buf_view(&b), 0);
            check_sane(&f);
        }
    }
    buf_release(&b);
}

TEST(facts_of_what_has_none)
{
    struct facts none = {0}, f = facts_of("text/plain; charset=utf-8", STR("hello"), 0);

    CHECK(same(&f, &none));
}
