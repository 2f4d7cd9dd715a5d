/* Owns what records say. Never reads the database or a blob: it is given all it prints. */
#include "workers/stream/envelope.h"

#include <inttypes.h>
#include <stdio.h>

/* What a record may weigh: below the 2 MiB that topics are made for, headers included. */
enum { VALUE_MAX = (2 << 20) - (16 << 10) };

void envelope_init(struct envelope *e, const char *system)
{
    *e = (struct envelope){.system = system};
    buf_init(&e->value, VALUE_MAX);
}

void envelope_release(struct envelope *e)
{
    buf_release(&e->value);
}

enum effect envelope_effect(const struct source_row *row)
{
    bool from = str_is(row->from, "done"), to = str_is(row->to, "done");

    if (!row->task)
        return row->release && str_is(row->type, "release_ready") ? EFFECT_RELEASE : EFFECT_NONE;
    return from == to ? EFFECT_NONE : to ? EFFECT_LABEL : EFFECT_WITHDRAW;
}

/* --- headers --- */

static struct str key_of(struct envelope *e, const struct source_row *row)
{
    if (row->task)
        snprintf(e->key, sizeof(e->key), "%" PRId64, row->task);
    else if (row->release)
        snprintf(e->key, sizeof(e->key), "release/%" PRId64, row->release);
    else
        snprintf(e->key, sizeof(e->key), "project/%" PRId64, row->project);
    return str_of(e->key);
}

/* The headers that every record has. suffix makes the id of a second record of the event. */
static void head(
    struct envelope *e, const struct source_row *row, const char *suffix, struct record *out)
{
    snprintf(e->id, sizeof(e->id), "%s-%" PRId64 "%s", e->system, row->seq, suffix);
    snprintf(e->source, sizeof(e->source), "/tenants/%" PRId64 "/projects/%" PRId64, row->tenant,
        row->project);
    if (row->task)
        snprintf(e->subject, sizeof(e->subject), "task/%" PRId64, row->task);
    else if (row->release)
        snprintf(e->subject, sizeof(e->subject), "release/%" PRId64, row->release);
    else
        snprintf(e->subject, sizeof(e->subject), "project/%" PRId64, row->project);
    record_header(out, "ce_specversion", STR("1.0"));
    record_header(out, "ce_id", str_of(e->id));
    record_header(out, "ce_source", str_of(e->source));
    record_header(out, "ce_type", str_of(e->type));
    record_header(out, "ce_subject", str_of(e->subject));
    record_header(out, "ce_time", row->at);
    record_header(out, "ce_partitionkey", out->key);
    if (row->version) {
        snprintf(e->sequence, sizeof(e->sequence), "%" PRId64, row->version);
        record_header(out, "ce_sequence", str_of(e->sequence));
    }
}

static enum err finish(struct envelope *e, struct record *out)
{
    record_header(out, "content-type", STR("application/json"));
    out->value = buf_view(&e->value);
    return buf_err(&e->value);
}

/* --- values --- */

static void add_name(struct buf *b, const char *name)
{
    buf_puts(b, b->n && b->p[b->n - 1] != '{' ? ",\"" : "\"");
    buf_puts(b, name);
    buf_puts(b, "\":");
}

/* null for 0, which no id is. */
static void add_id(struct buf *b, const char *name, int64_t id)
{
    add_name(b, name);
    if (id)
        buf_int(b, id);
    else
        buf_puts(b, "null");
}

static void add_int(struct buf *b, const char *name, int64_t v)
{
    add_name(b, name);
    buf_int(b, v);
}

static void add_text(struct buf *b, const char *name, struct str s)
{
    add_name(b, name);
    if (s.n)
        buf_json(b, s);
    else
        buf_puts(b, "null");
}

/* JSON as it was stored. A newline in it can only be white space between values; a record is one
 * line, so it becomes a blank. */
static void add_json(struct buf *b, const char *name, struct str json)
{
    struct str rest = json, line;
    bool first = true;

    add_name(b, name);
    if (!json.n) {
        buf_puts(b, "null");
        return;
    }
    while (str_split(&rest, '\n', &line)) {
        if (!first)
            buf_putc(b, ' ');
        buf_str(b, line);
        first = false;
    }
}

static void event_type(struct envelope *e, const struct source_row *row)
{
    if (row->task)
        snprintf(e->type, sizeof(e->type), "annotate.task.%.*s.v1", STR_FMT(row->action));
    else if (envelope_effect(row) == EFFECT_RELEASE)
        snprintf(e->type, sizeof(e->type), "annotate.release.ready.v1");
    else
        snprintf(e->type, sizeof(e->type), "annotate.project.%.*s.v1", STR_FMT(row->action));
}

enum err envelope_event(struct envelope *e, const struct source_row *row, struct record *out)
{
    struct buf *v = &e->value;

    event_type(e, row);
    record_init(out, TOPIC_EVENTS, key_of(e, row));
    head(e, row, "", out);
    buf_clear(v);
    buf_putc(v, '{');
    add_int(v, "seq", row->seq);
    add_text(v, "at", row->at);
    add_int(v, "tenant", row->tenant);
    add_int(v, "project", row->project);
    add_id(v, "task", row->task);
    add_text(v, "action", row->action);
    add_text(v, "from", row->from);
    add_text(v, "to", row->to);
    add_id(v, "version", row->version);
    add_id(v, "actor", row->actor);
    add_id(v, "assignment", row->assignment);
    add_id(v, "assignment_version", row->assignment_version);
    add_id(v, "label", row->label);
    add_id(v, "release", row->release);
    add_json(v, "detail", row->detail);
    buf_putc(v, '}');
    return finish(e, out);
}

static void add_label(struct envelope *e, const struct source_label *label)
{
    struct buf *v = &e->value;

    add_name(v, "label");
    if (!label->id) {
        buf_puts(v, "null");
        return;
    }
    buf_putc(v, '{');
    add_int(v, "id", label->id);
    add_int(v, "seq", label->seq);
    add_text(v, "kind", label->kind);
    add_text(v, "stage", label->stage);
    add_id(v, "author", label->author);
    add_text(v, "model", label->model);
    add_json(v, "lead_time", label->lead_time);
    add_int(v, "label_config", label->config);
    add_text(v, "sha256", str_of(e->sha256));
    add_int(v, "bytes", label->bytes);
    add_int(v, "regions", label->regions);
    buf_putc(v, '}');
}

/* The claim check: where the document is, its hash and its size. */
static void claim_check(
    struct envelope *e, const struct source_label *label, bool by_reference, struct record *out)
{
    snprintf(e->size, sizeof(e->size), "%" PRId64, label->bytes);
    record_header(out, "ce_datasha256", str_of(e->sha256));
    record_header(out, "ce_datasize", str_of(e->size));
    if (by_reference) {
        snprintf(e->dataref, sizeof(e->dataref), "/v1/labels/%" PRId64, label->id);
        record_header(out, "ce_dataref", str_of(e->dataref));
    }
}

enum err envelope_label(struct envelope *e, const struct source_row *row,
    const struct source_label *label, struct str doc, struct record *out)
{
    struct buf *v = &e->value;

    snprintf(e->type, sizeof(e->type), "annotate.label.final.v1");
    sha256_hex(label->sha256, e->sha256);
    record_init(out, TOPIC_LABELS, key_of(e, row));
    head(e, row, "-label", out);
    if (label->id)
        claim_check(e, label, doc.n == 0, out);
    buf_clear(v);
    buf_putc(v, '{');
    add_int(v, "task", row->task);
    add_int(v, "project", row->project);
    add_int(v, "version", row->version);
    add_text(v, "external_id", label->external_id);
    add_label(e, label);
    add_text(v, "dataref", doc.n == 0 && label->id ? str_of(e->dataref) : STR(""));
    add_json(v, "data", label->data);
    add_json(v, "result", doc); /* last, and canonical: its bytes are what sha256 is of */
    buf_putc(v, '}');
    return finish(e, out);
}

void envelope_tombstone(struct envelope *e, const struct source_row *row, struct record *out)
{
    snprintf(e->type, sizeof(e->type), "annotate.label.withdrawn.v1");
    record_init(out, TOPIC_LABELS, key_of(e, row));
    head(e, row, "-label", out);
    out->tombstone = true;
}

/* --- releases --- */

static void release_head(struct envelope *e, const struct source_row *row, const char *part,
    const char *suffix, struct record *out)
{
    snprintf(e->type, sizeof(e->type), "annotate.release.%s.v1", part);
    snprintf(e->key, sizeof(e->key), "%" PRId64, row->release);
    record_init(out, TOPIC_RELEASES, str_of(e->key));
    head(e, row, suffix, out);
    buf_clear(&e->value);
}

enum err envelope_release_begin(struct envelope *e, const struct source_row *row,
    const struct source_release *release, struct record *out)
{
    struct buf *v = &e->value;

    release_head(e, row, "begin", "-begin", out);
    buf_putc(v, '{');
    add_int(v, "release", row->release);
    add_int(v, "project", row->project);
    add_text(v, "name", release->name);
    add_int(v, "items", release->items);
    add_text(v, "root", release->root);
    add_json(v, "split", release->split);
    add_json(v, "splits", release->splits);
    add_text(v, "created_at", release->created_at);
    add_int(v, "format", release->format);
    buf_putc(v, '}');
    return finish(e, out);
}

enum err envelope_release_item(struct envelope *e, const struct source_row *row, int64_t number,
    const struct release_item *item, struct record *out)
{
    char suffix[32];

    snprintf(suffix, sizeof(suffix), "-item-%" PRId64, number);
    release_head(e, row, "item", suffix, out);
    release_item_line(item, &e->value);
    return finish(e, out);
}

enum err envelope_release_end(struct envelope *e, const struct source_row *row,
    const struct source_release *release, struct record *out)
{
    struct buf *v = &e->value;

    release_head(e, row, "end", "-end", out);
    buf_putc(v, '{');
    add_int(v, "release", row->release);
    add_int(v, "count", release->items);
    add_text(v, "root", release->root);
    buf_putc(v, '}');
    return finish(e, out);
}
