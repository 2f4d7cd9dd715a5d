/* Owns the table of formats and the exporter: buffering, counting, hashing. Never opens a file and
 * never knows what a format looks like. */
#include "formats/format.h"

#include <stdio.h>

#include "core/canon.h"

enum {
    FLUSH_AT = 64 << 10,
    ITEM_MAX = 16 << 20, /* a task: its data and meta as imported, and its label */
};

static const struct format *const formats[] = {&format_jsonl, &format_label_studio};

static const char *const loss_names[] = {
    [LOST_SPLIT] = "split",
    [LOST_EXTERNAL_ID] = "external_id",
    [LOST_LABEL_SHA256] = "label_sha256",
    [LOST_MODEL] = "model",
};

const struct format *format_at(size_t i)
{
    return i < ARRAY_LEN(formats) ? formats[i] : NULL;
}

const struct format *format_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (str_is(name, formats[i]->name))
            return formats[i];
    return NULL;
}

static enum err fail(struct exporter *x, enum err e)
{
    if (!x->err)
        x->err = e;
    return x->err;
}

/* Hands on what is buffered once there is enough of it. */
static enum err flush(struct exporter *x, size_t at_least)
{
    if (buf_err(&x->out))
        return fail(x, buf_err(&x->out));
    if (x->err || x->out.n < at_least || x->out.n == 0)
        return x->err;
    sha256_add(x->hash, x->out.p, x->out.n);
    x->bytes += (int64_t)x->out.n;
    fail(x, x->sink.write(x->sink.arg, buf_view(&x->out)));
    buf_clear(&x->out);
    return x->err;
}

enum err exporter_begin(struct exporter *x, const struct format *format, struct export_sink sink)
{
    *x = (struct exporter){.format = format, .sink = sink, .hash = sha256_new()};
    buf_init(&x->out, ITEM_MAX + FLUSH_AT);
    format->begin(&x->out);
    return flush(x, FLUSH_AT);
}

static bool count_split(struct exporter *x, struct str split)
{
    size_t i = 0;

    if (split.n == 0)
        return true;
    while (i < x->nsplits && !str_is(split, x->splits[i].name))
        i++;
    if (i == EXPORT_SPLITS || split.n >= EXPORT_SPLIT_NAME)
        return false;
    if (i == x->nsplits) {
        snprintf(x->splits[i].name, EXPORT_SPLIT_NAME, "%.*s", STR_FMT(split));
        x->nsplits++;
    }
    x->splits[i].items++;
    return true;
}

enum err exporter_item(struct exporter *x, const struct export_item *i)
{
    if (x->err)
        return x->err;
    if (!count_split(x, i->split))
        return fail(x, ERR_INVALID);
    x->format->item(x, i, &x->out);
    x->items++;
    x->labels += i->label.id != 0;
    return flush(x, FLUSH_AT);
}

enum err exporter_end(struct exporter *x)
{
    if (x->err)
        return x->err;
    x->format->end(&x->out);
    if (flush(x, 0))
        return x->err;
    x->sha256 = sha256_end(x->hash);
    x->hash = NULL;
    return ERR_OK;
}

void exporter_release(struct exporter *x)
{
    if (x->hash)
        (void)sha256_end(x->hash);
    x->hash = NULL;
    buf_release(&x->out);
}

void export_lost(struct exporter *x, enum export_loss what)
{
    x->lost[what]++;
}

/* Members in canonical order; losses that did not happen are not named. */
static void print_lost(const struct exporter *x, struct buf *out)
{
    static const enum export_loss sorted[] = {
        LOST_EXTERNAL_ID, LOST_LABEL_SHA256, LOST_MODEL, LOST_SPLIT};

    buf_puts(out, ",\"lost\":{");
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
        if (x->lost[sorted[i]])
            buf_printf(out, "\"%s\":%lld,", loss_names[sorted[i]], (long long)x->lost[sorted[i]]);
    buf_chop(out, ',');
    buf_putc(out, '}');
}

static void print_splits(const struct exporter *x, struct buf *out)
{
    bool done[EXPORT_SPLITS] = {false};

    buf_puts(out, ",\"splits\":{");
    for (size_t n = 0; n < x->nsplits; n++) {
        size_t least = EXPORT_SPLITS;
        for (size_t i = 0; i < x->nsplits; i++)
            if (!done[i] && (least == EXPORT_SPLITS || canon_key_cmp(str_of(x->splits[i].name),
                                                           str_of(x->splits[least].name)) < 0))
                least = i;
        done[least] = true;
        buf_json(out, str_of(x->splits[least].name));
        buf_printf(out, ":%lld,", (long long)x->splits[least].items);
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
}

void export_report_print(const struct export_report *r, const struct exporter *x, struct buf *out)
{
    char hex[SHA256_HEX + 1];

    sha256_hex(x->sha256, hex);
    buf_printf(out, "{\"bytes\":%lld,\"format\":\"%s\",\"items\":%lld,\"labels\":%lld",
        (long long)x->bytes, x->format->name, (long long)x->items, (long long)x->labels);
    print_lost(x, out);
    buf_puts(out, ",\"name\":");
    buf_json(out, r->name);
    buf_puts(out, ",\"release\":");
    export_id(out, r->release);
    buf_puts(out, ",\"root\":");
    buf_json(out, r->root);
    buf_printf(out, ",\"sha256\":\"%s\"", hex);
    print_splits(x, out);
    buf_puts(out, "}\n");
}

void export_json(struct buf *out, struct str json)
{
    bool in_string = false;
    size_t from = 0;

    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (in_string && c == '\\') {
            i++; /* whatever is escaped, a quote included */
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            buf_add(out, json.p + from, i - from);
            from = i + 1;
        }
    }
    buf_add(out, json.p + from, json.n - from);
}

void export_seconds(struct buf *out, double seconds)
{
    if (seconds >= 0)
        canon_number(seconds, out);
    else
        buf_puts(out, "null");
}

void export_id(struct buf *out, int64_t id)
{
    if (id)
        buf_int(out, id);
    else
        buf_puts(out, "null");
}
