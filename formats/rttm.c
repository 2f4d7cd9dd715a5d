/* Owns RTTM: who speaks when, a SPEAKER line a turn, in the order of recordings and time. Times are
 * in thousandths of a second. A recording is called as its file is. Source: NIST, The 2009 (RT-09)
 * Rich Transcription Meeting Recognition Evaluation Plan, appendix A. */
#include <math.h>
#include <stdio.h>

#include "formats/exporter.h"
#include "formats/recording.h"

#define THOUSAND 1000.0

static enum err begin(struct exporter *x)
{
    return recordings_wanted(x);
}

/* White space ends a field. */
static void put_name(struct exporter *x, struct str label, struct buf *out)
{
    bool changed = false;

    for (size_t i = 0; i < label.n; i++) {
        bool blank = (unsigned char)label.p[i] <= ' ';
        buf_putc(out, blank ? '_' : label.p[i]);
        changed |= blank;
    }
    if (changed)
        export_lost(x, "names");
}

static void put_turn(
    struct exporter *x, const struct recording *r, const struct segment *s, struct buf *out)
{
    long long start = llround(s->start * THOUSAND), end = llround(s->end * THOUSAND);

    if (end == start) {
        export_lost(x, "regions.empty");
        return;
    }
    if (fabs(s->start * THOUSAND - (double)start) + fabs(s->end * THOUSAND - (double)end) > 1e-3)
        export_lost(x, "rounded");
    buf_printf(out, "SPEAKER %s %lld %lld.%03lld %lld.%03lld <NA> <NA> ", r->media->name,
        (long long)(s->channel < 0 ? 1 : s->channel + 1), start / 1000, start % 1000,
        (end - start) / 1000, (end - start) % 1000);
    put_name(x, s->label, out);
    buf_puts(out, " <NA> <NA>\n");
}

/* A recording in which nobody speaks has no line. */
static enum err put_recording(struct exporter *x, const struct recording *r)
{
    char path[CONTAINER_PATH_MAX];

    for (size_t i = 0; i < r->n; i++) {
        const struct segment *s = &r->segments[i];
        if (s->label.n)
            put_turn(x, r, s, export_text(x));
        else
            export_lost(x, "regions.unlabelled");
    }
    if (r->n == 0)
        export_lost(x, "recordings.empty");
    snprintf(path, sizeof(path), "audio/%s%s", r->media->name, r->media->suffix);
    return r->media->asset ? export_media(x, path, r->media->asset) : ERR_OK;
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct arena *a = arena_new();
    struct recordings all;
    enum err e = recordings_read(x, i, a, &all);

    for (size_t k = 0; !e && k < all.n; k++)
        e = put_recording(x, &all.v[k]);
    if (!e)
        recordings_rest_lost(x, &all);
    if (!e && i->split.n)
        export_lost(x, "splits");
    arena_free(a);
    return e;
}

const struct format format_rttm = {
    .name = "rttm",
    .about = "RTTM: a line a turn of a speaker",
    .media_type = "text/plain; charset=utf-8",
    .extension = ".rttm",
    .classes = true,
    .begin = begin,
    .item = item,
};
