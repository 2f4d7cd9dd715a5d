/* Owns the ASR manifest, as NVIDIA NeMo reads it: an object a line with audio_filepath, duration
 * and text; of a stretch also offset and, where it is labelled, speaker. What is said is the answer
 * of the config's first TextArea for a recording. Source: NeMo's documentation, ASR datasets. */
#include <stdio.h>

#include "core/label_check.h"
#include "formats/exporter.h"
#include "formats/recording.h"

enum { DIGITS = 6 };

struct asr {
    struct str control; /* whose texts are transcripts */
};

static enum err begin(struct exporter *x)
{
    struct asr *s = export_state(x, sizeof(*s));
    enum err e = recordings_wanted(x);

    for (const struct label_control *k = export_config(x)->controls; !e && k; k = k->next)
        if (!s->control.n && str_is(k->type, "TextArea") && media_judged_by(k, MEDIA_SOUND))
            s->control = k->name.text;
    if (!e && !s->control.n)
        e = export_refuse(x, "asr needs a TextArea of an Audio object");
    return e;
}

/* ---- lines */

/* Of several lines one. */
static void put_text(struct buf *out, struct json_object *said)
{
    size_t n = json_object_is_type(said, json_type_array) ? json_object_array_length(said) : 0;
    struct buf text;

    buf_init(&text, BUF_MAX_LABEL);
    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_array_get_idx(said, i);
        if (text.n)
            buf_putc(&text, ' ');
        if (json_object_is_type(one, json_type_string))
            buf_str(&text, json_str(one));
    }
    buf_json(out, buf_view(&text));
    buf_release(&text);
}

/* In the archive when media are; else where the task's data says. */
static void put_path(struct exporter *x, const struct media *m, struct buf *out)
{
    buf_puts(out, "{\"audio_filepath\":");
    if (x->options.media.read && m->asset)
        buf_printf(out, "\"audio/%s%s\"", m->name, m->suffix);
    else
        buf_json(out, m->url);
}

static void put_rest(const struct export_item *i, struct buf *out)
{
    buf_puts(out, ",\"task\":");
    buf_int(out, i->task);
    if (i->split.n) {
        buf_puts(out, ",\"split\":");
        buf_json(out, i->split);
    }
    buf_puts(out, "}\n");
}

static void put_segment(struct exporter *x, const struct export_item *i, const struct recording *r,
    const struct segment *s, struct json_object *said)
{
    struct buf *out = export_text(x);

    put_path(x, r->media, out);
    buf_puts(out, ",\"offset\":");
    export_decimal(out, s->start, DIGITS);
    buf_puts(out, ",\"duration\":");
    export_decimal(out, s->end - s->start, DIGITS);
    buf_puts(out, ",\"text\":");
    put_text(out, said);
    if (s->label.n) {
        buf_puts(out, ",\"speaker\":");
        buf_json(out, s->label);
    }
    if (s->channel >= 0) {
        buf_puts(out, ",\"channel\":");
        buf_int(out, s->channel);
    }
    put_rest(i, out);
}

static void put_whole(struct exporter *x, const struct export_item *i, const struct recording *r,
    struct json_object *said)
{
    struct buf *out = export_text(x);

    put_path(x, r->media, out);
    buf_puts(out, ",\"duration\":");
    if (r->seconds > 0)
        export_decimal(out, r->seconds, DIGITS);
    else
        buf_puts(out, "null");
    if (r->seconds <= 0)
        export_lost(x, "recordings.duration");
    buf_puts(out, ",\"text\":");
    put_text(out, said);
    put_rest(i, out);
}

/* ---- tasks */

/* The task at hand. */
struct sheet {
    struct exporter *x;
    const struct export_item *item;
    struct str control; /* whose texts are transcripts */
    const struct recordings *all;
};

static bool is_transcript(const struct sheet *h, struct shape_answer *answer)
{
    if (answer->told || !str_eq(answer->control, h->control))
        return false;
    return answer->told = true;
}

/* NULL: nothing was said of the stretch. */
static struct json_object *said_of(const struct sheet *h, const struct segment *s)
{
    for (struct shape_answer *answer = s->shape->answers; answer; answer = answer->next)
        if (is_transcript(h, answer))
            return answer->said;
    return NULL;
}

static struct json_object *said_of_whole(const struct sheet *h, const struct recording *r)
{
    for (size_t i = 0; i < h->all->drawing.nanswers; i++) {
        struct shape_answer *answer = &h->all->drawing.answers[i];
        if (!answer->region && str_eq(answer->to, r->media->object->name.text) &&
            answer->picture == r->media->index && is_transcript(h, answer))
            return answer->said;
    }
    return NULL;
}

static enum err put_recording(const struct sheet *h, const struct recording *r)
{
    struct json_object *said;
    bool any = false;
    char path[CONTAINER_PATH_MAX];

    for (size_t i = 0; i < r->n; i++) {
        const struct segment *s = &r->segments[i];
        if ((said = said_of(h, s)))
            put_segment(h->x, h->item, r, s, said);
        else
            export_lost_type(h->x, "regions", s->shape->type);
        any |= said != NULL;
    }
    if (!any && (said = said_of_whole(h, r))) {
        put_whole(h->x, h->item, r, said);
        any = true;
    }
    if (!any)
        export_lost(h->x, "recordings.empty");
    snprintf(path, sizeof(path), "audio/%s%s", r->media->name, r->media->suffix);
    return any && r->media->asset ? export_media(h->x, path, r->media->asset) : ERR_OK;
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    const struct asr *s = export_state(x, sizeof(*s));
    struct arena *a = arena_new();
    struct recordings all;
    enum err e = recordings_read(x, i, a, &all);
    struct sheet h = {x, i, s->control, &all};

    for (size_t k = 0; !e && k < all.n; k++)
        e = put_recording(&h, &all.v[k]);
    if (!e)
        recordings_rest_lost(x, &all);
    arena_free(a);
    return e;
}

const struct format format_asr = {
    .name = "asr",
    .about = "ASR manifest (NeMo): a line a stretch of speech with its text",
    .media_type = "application/x-ndjson",
    .extension = ".jsonl",
    .classes = true,
    .begin = begin,
    .item = item,
};
