/* Owns the headers of sounds. */
#include "storage/facts_in.h"

enum { HZ = 10000000, CHANNELS = 1024, CHUNKS = 1024 };

static void set_format(struct facts *out, uint64_t rate, uint64_t channels)
{
    out->sample_rate = facts_small(rate, HZ);
    out->channels = facts_small(channels, CHANNELS);
}

/* RIFF: "fmt " and "data" among other chunks. A recorder that broke off leaves a length of 0 or of
 * ones: then the rest of the file is the sound. */
void facts_wav(struct facts_in *in, struct facts *out)
{
    uint32_t per_second = 0;
    int64_t at = 12;

    for (int i = 0; i < CHUNKS; i++) {
        const unsigned char *p = facts_at(in, at, 8);
        if (!p)
            return;
        uint32_t length = facts_le(p + 4, 4);
        int64_t rest = in->source->size - at - 8;
        if (memcmp(p, "data", 4) == 0) {
            bool open = length == 0 || (int64_t)length > rest;
            out->duration_ms = facts_ms(open ? (uint64_t)rest : length, per_second);
            return;
        }
        if (memcmp(p, "fmt ", 4) == 0 && length >= 16 && (p = facts_at(in, at + 8, 16))) {
            set_format(out, facts_le(p + 4, 4), facts_le(p + 2, 2));
            per_second = facts_le(p + 8, 4);
        }
        at += 8 + (int64_t)length + (length & 1);
    }
}

/* STREAMINFO is first (RFC 9639 §8.2). */
void facts_flac(struct facts_in *in, struct facts *out)
{
    const unsigned char *p = facts_at(in, 0, 26);

    if (!p || (p[4] & 0x7f) != 0)
        return;
    uint64_t v = facts_be64(p + 18); /* 20 bits rate, 3 channels, 5 depth, 36 samples */
    set_format(out, v >> 44, (v >> 41 & 7) + 1);
    out->duration_ms = facts_ms(v & 0xfffffffff, v >> 44);
}

/* ---- MPEG audio, layer III */

struct frame {
    unsigned rate, bitrate, channels, samples; /* bitrate in bits/s */
    bool mpeg1;
};

static bool frame_at(struct facts_in *in, int64_t at, struct frame *f)
{
    static const unsigned kbit1[] = {
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0};
    static const unsigned kbit2[] = {
        0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0};
    static const unsigned rates[] = {44100, 48000, 32000, 0};
    const unsigned char *p = facts_at(in, at, 4);

    if (!p || p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || (p[1] >> 1 & 3) != 1)
        return false;
    unsigned version = p[1] >> 3 & 3; /* 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5 */
    f->mpeg1 = version == 3;
    f->bitrate = (f->mpeg1 ? kbit1 : kbit2)[p[2] >> 4] * 1000;
    f->rate = rates[p[2] >> 2 & 3] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    f->channels = p[3] >> 6 == 3 ? 1 : 2;
    f->samples = f->mpeg1 ? 1152 : 576;
    return version != 1 && f->rate && f->bitrate;
}

/* How many frames there are, as the encoder wrote into the first one; 0 when it did not. */
static uint32_t frames_told(struct facts_in *in, int64_t at, const struct frame *f)
{
    int64_t xing = at + 4 + (f->mpeg1 ? (f->channels == 1 ? 17 : 32) : (f->channels == 1 ? 9 : 17));
    const unsigned char *p = facts_at(in, xing, 12);

    if (p && (memcmp(p, "Xing", 4) == 0 || memcmp(p, "Info", 4) == 0) && (p[7] & 1))
        return facts_be(p + 8, 4);
    p = facts_at(in, at + 36, 18);
    return p && memcmp(p, "VBRI", 4) == 0 ? facts_be(p + 14, 4) : 0;
}

/* Behind the tag; a tag's length has 7 bits a byte (ID3v2.4 §6.2). */
static int64_t after_id3(struct facts_in *in)
{
    const unsigned char *p = facts_at(in, 0, 10);

    if (!p || memcmp(p, "ID3", 3) != 0)
        return 0;
    return 10 +
           ((int64_t)(p[6] & 0x7f) << 21 | (p[7] & 0x7f) << 14 | (p[8] & 0x7f) << 7 |
               (p[9] & 0x7f)) +
           (p[5] & 0x10 ? 10 : 0);
}

void facts_mp3(struct facts_in *in, struct facts *out)
{
    enum { PADDING = 4096 };
    int64_t at = after_id3(in), end = at + PADDING;
    struct frame f;

    while (at < end && !frame_at(in, at, &f))
        at++;
    if (at >= end)
        return;
    set_format(out, f.rate, f.channels);
    uint32_t frames = frames_told(in, at, &f);
    out->duration_ms = frames ? facts_ms((uint64_t)frames * f.samples, f.rate)
                              : facts_ms((uint64_t)(in->source->size - at) * 8, f.bitrate);
}

/* ---- Ogg (RFC 3533): Vorbis and Opus */

struct ogg {
    uint32_t serial, skip; /* skip: samples that come before the first that is heard */
    uint32_t rate;         /* of the granule position */
};

static bool ogg_begin(struct facts_in *in, struct ogg *o, struct facts *out)
{
    const unsigned char *p = facts_at(in, 0, 28), *q;

    if (!p || memcmp(p, "OggS", 4) != 0)
        return false;
    o->serial = facts_le(p + 14, 4);
    int64_t packet = 27 + p[26];
    q = facts_at(in, packet, 19);
    if (q && memcmp(q, "OpusHead", 8) == 0) {
        *o = (struct ogg){o->serial, facts_le(q + 10, 2), 48000};
        set_format(out, 48000, q[9]);
        return true;
    }
    if (q && memcmp(q, "\1vorbis", 7) == 0) {
        *o = (struct ogg){o->serial, 0, facts_le(q + 12, 4)};
        set_format(out, o->rate, q[11]);
        return true;
    }
    return false;
}

/* The granule position of the last page of the stream, in the last window. */
void facts_ogg(struct facts_in *in, struct facts *out)
{
    int64_t size = in->source->size;
    size_t n = size < FACTS_WINDOW ? (size_t)size : FACTS_WINDOW;
    struct ogg o;

    if (!ogg_begin(in, &o, out))
        return;
    const unsigned char *p = facts_at(in, size - (int64_t)n, n);
    for (size_t i = n; p && i-- > 0;) {
        if (n - i < 27 || memcmp(p + i, "OggS", 4) != 0 || facts_le(p + i + 14, 4) != o.serial)
            continue;
        uint64_t granule = (uint64_t)facts_le(p + i + 10, 4) << 32 | facts_le(p + i + 6, 4);
        if (granule == UINT64_MAX) /* no packet ends in this page */
            continue;
        out->duration_ms = granule > o.skip ? facts_ms(granule - o.skip, o.rate) : 0;
        return;
    }
}
