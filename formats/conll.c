/* Owns CoNLL-2003: a word a line with its tag (IOB2), an empty line between sentences, which are
 * the text's lines, and -DOCSTART- before each text. A word has one tag: of spans that overlap the
 * longest stands, and a span that cuts a word is widened to it; both are counted as lost. Offsets
 * are code points. Source: the shared task's data format; formats/words.h for the words. */
#include <math.h>
#include <stdlib.h>

#include "core/label_check.h"
#include "core/shape.h"
#include "formats/exporter.h"
#include "formats/words.h"

struct span {
    int64_t start, end;
    struct str label;
    size_t at; /* place in the document */
    bool begun, widened;
};

struct spans {
    struct span *v;
    size_t n;
};

/* ---- spans */

static int longest_first(const void *pa, const void *pb)
{
    const struct span *a = pa, *b = pb;
    int64_t na = a->end - a->start, nb = b->end - b->start;

    if (na != nb)
        return na > nb ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static int by_start(const void *pa, const void *pb)
{
    const struct span *a = pa, *b = pb;

    return (a->start > b->start) - (a->start < b->start);
}

static bool span_of(const struct shape *s, struct span *out)
{
    struct json_object *value = member_of(s->item, "value");
    double start, end;

    if (!value || !is_number(member_of(value, "start"), &start) ||
        !is_number(member_of(value, "end"), &end) || start < 0 || end <= start || end > 1e12)
        return false;
    *out = (struct span){.start = (int64_t)floor(start), .end = (int64_t)ceil(end), .at = s->at};
    return true;
}

/* The spans on that text, none over another, in its order. */
static struct spans spans_of(
    struct exporter *x, struct arena *a, const struct drawing *d, const struct label_object *object)
{
    struct spans all = {.v = arena_array(a, d->nshapes + 1, sizeof(*all.v))};
    size_t kept = 0;

    for (size_t i = 0; i < d->nshapes; i++) {
        const struct shape *s = &d->shapes[i];
        if (!str_eq(s->to, object->name.text))
            continue;
        if (s->nlabels == 0 || !span_of(s, &all.v[all.n])) {
            export_lost_type(x, s->nlabels ? "regions" : "regions.unlabelled", s->type);
            continue;
        }
        for (size_t k = 1; k < s->nlabels; k++)
            export_lost(x, "labels");
        all.v[all.n++].label = s->labels[0];
    }
    qsort(all.v, all.n, sizeof(*all.v), longest_first);
    for (size_t i = 0; i < all.n; i++) {
        bool free_place = true;
        for (size_t k = 0; k < kept; k++)
            free_place &= all.v[i].end <= all.v[k].start || all.v[i].start >= all.v[k].end;
        if (free_place)
            all.v[kept++] = all.v[i];
        else
            export_lost(x, "overlaps");
    }
    all.n = kept;
    qsort(all.v, all.n, sizeof(*all.v), by_start);
    return all;
}

/* ---- words */

/* The first span that has a part of the word and no word of it before another's; those behind are
 * left to later words. */
static struct span *span_at(struct spans *all, size_t *next, const struct word *w)
{
    while (*next < all->n && all->v[*next].end <= w->start)
        (*next)++;
    if (*next == all->n || all->v[*next].start >= w->end)
        return NULL;
    return &all->v[*next];
}

/* White space in a label would be another column. */
static void put_label(struct buf *out, struct str label)
{
    for (size_t i = 0; i < label.n; i++)
        buf_putc(out, (unsigned char)label.p[i] <= ' ' ? '_' : label.p[i]);
}

static void put_words(struct exporter *x, struct spans *spans, struct str text, struct buf *out)
{
    struct word_reader reader = {.rest = text};
    struct word w;
    size_t next = 0;

    while (word_next(&reader, &w)) {
        struct span *s = span_at(spans, &next, &w);
        if (w.after_line)
            buf_putc(out, '\n');
        buf_str(out, w.text);
        buf_puts(out, " -X- _ ");
        if (!s) {
            buf_puts(out, "O\n");
            continue;
        }
        s->widened |= w.start < s->start || w.end > s->end;
        buf_puts(out, s->begun ? "I-" : "B-");
        s->begun = true;
        put_label(out, s->label);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; i < spans->n; i++) {
        if (spans->v[i].widened)
            export_lost(x, "widened");
        if (!spans->v[i].begun)
            export_lost(x, "regions.empty"); /* no word of its own */
    }
}

/* ---- tasks */

static bool is_text(const struct label_object *o)
{
    return str_is(o->type, "Text") && !str_is(o->value_type, "url");
}

static bool on_text(const struct exporter *x, struct str name)
{
    for (const struct label_object *o = export_config(x)->objects; o; o = o->next)
        if (is_text(o) && str_eq(o->name.text, name))
            return true;
    return false;
}

static void count_lost(struct exporter *x, const struct drawing *d)
{
    for (size_t i = 0; i < d->nshapes; i++)
        if (!on_text(x, d->shapes[i].to))
            export_lost_type(x, "regions", d->shapes[i].type);
    for (size_t i = 0; i < d->nanswers; i++)
        export_lost_type(x, "answers", d->answers[i].type);
    for (size_t i = 0; i < d->relations; i++)
        export_lost(x, "relations");
}

static enum err begin(struct exporter *x)
{
    for (const struct label_object *o = export_config(x)->objects; o; o = o->next)
        if (is_text(o))
            return ERR_OK;
    return export_refuse(x, "conll needs a Text object whose text is in the task's data");
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct buf *out = export_text(x);
    struct arena *a = arena_new();
    struct drawing d = {0};
    enum err e = i->label.id ? drawing_read(a, i->label.result, &d) : ERR_OK;

    for (const struct label_object *o = export_config(x)->objects; !e && o; o = o->next) {
        struct str *texts;
        size_t n = is_text(o) ? export_data(i, o->field, a, &texts) : 0;
        for (size_t k = 0; k < n; k++) {
            struct spans spans = spans_of(x, a, &d, o);
            buf_puts(out, "-DOCSTART- -X- _ O\n\n");
            put_words(x, &spans, texts[k], out);
            buf_putc(out, '\n');
        }
    }
    if (!e)
        count_lost(x, &d);
    arena_free(a);
    return e == ERR_INVALID ? ERR_CORRUPT : e;
}

const struct format format_conll = {
    .name = "conll",
    .about = "CoNLL-2003: a word a line with its IOB2 tag",
    .media_type = "text/plain; charset=utf-8",
    .extension = ".conll",
    .classes = true,
    .begin = begin,
    .item = item,
};
