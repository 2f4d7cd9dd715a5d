/* Owns the table of readers by media type, and the window that bounds them all. */
#include "storage/facts.h"

#include "storage/facts_in.h"

static const struct {
    const char *type;
    void (*read)(struct facts_in *in, struct facts *out);
} readers[] = {
    {"image/jpeg", facts_jpeg},
    {"image/png", facts_png},
    {"image/gif", facts_gif},
    {"image/webp", facts_webp},
    {"image/bmp", facts_bmp},
    {"audio/wav", facts_wav},
    {"audio/flac", facts_flac},
    {"audio/mpeg", facts_mp3},
    {"audio/ogg", facts_ogg},
    {"video/mp4", facts_mp4},
    {"video/webm", facts_webm},
    {"application/pdf", facts_pdf},
};

const unsigned char *facts_at(struct facts_in *in, int64_t off, size_t n)
{
    int64_t size = in->source->size;

    if (off < 0 || n > FACTS_WINDOW || off > size || (int64_t)n > size - off)
        return NULL;
    if (off < in->at || off - in->at + (int64_t)n > (int64_t)in->window.n) {
        size_t want = size - off < FACTS_WINDOW ? (size_t)(size - off) : FACTS_WINDOW;
        buf_clear(&in->window);
        if (in->left-- <= 0 || in->source->read(in->source->arg, off, want, &in->window) ||
            in->window.n != want) {
            buf_clear(&in->window);
            in->left = 0;
            return NULL;
        }
        in->at = off;
    }
    return (const unsigned char *)in->window.p + (off - in->at);
}

int64_t facts_ms(uint64_t units, uint64_t per_second)
{
    if (per_second == 0 || units / per_second >= FACTS_LONGEST_MS / 1000)
        return 0;
    return (int64_t)(units / per_second * 1000 + units % per_second * 1000 / per_second);
}

int32_t facts_small(uint64_t v, int32_t most)
{
    return v <= (uint64_t)most ? (int32_t)v : 0;
}

struct facts facts_read(const char *media_type, const struct facts_source *source)
{
    struct facts_in in = {.source = source, .left = FACTS_READS};
    struct facts out = {0};

    buf_init(&in.window, FACTS_WINDOW);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (strcmp(media_type, readers[i].type) == 0)
            readers[i].read(&in, &out);
    if (out.width == 0 || out.height == 0)
        out.width = out.height = 0;
    buf_release(&in.window);
    return out;
}
