/* Owns our own format: a task with its label as one object a line, nothing left out, members in
 * canonical order. */
#include "base/json_walk.h"
#include "formats/format.h"

/* null when it is empty. */
static void text(struct buf *out, const char *key, struct str s)
{
    buf_puts(out, key);
    if (s.n)
        buf_json(out, s);
    else
        buf_puts(out, "null");
}

static void label(const struct export_label *l, struct buf *out)
{
    if (!l->id) {
        buf_puts(out, "null");
        return;
    }
    buf_puts(out, "{\"author\":");
    export_id(out, l->author);
    text(out, ",\"created_at\":", l->created_at);
    buf_puts(out, ",\"id\":");
    buf_int(out, l->id);
    text(out, ",\"kind\":", l->kind);
    buf_puts(out, ",\"lead_time\":");
    export_seconds(out, l->lead_time);
    text(out, ",\"model\":", l->model);
    buf_puts(out, ",\"regions\":");
    buf_int(out, l->regions);
    buf_puts(out, ",\"result\":");
    buf_str(out, l->result);
    buf_puts(out, ",\"seq\":");
    buf_int(out, l->seq);
    text(out, ",\"sha256\":", l->sha256);
    buf_putc(out, '}');
}

void export_item_json(const struct export_item *i, struct buf *out)
{
    text(out, "{\"created_at\":", i->created_at);
    buf_puts(out, ",\"data\":");
    json_compact(i->data, out);
    text(out, ",\"external_id\":", i->external_id);
    buf_puts(out, ",\"label\":");
    label(&i->label, out);
    buf_puts(out, ",\"meta\":");
    json_compact(i->meta.n ? i->meta : STR("null"), out);
    buf_puts(out, ",\"predictions\":");
    buf_int(out, i->predictions);
    buf_puts(out, ",\"project\":");
    buf_int(out, i->project);
    text(out, ",\"split\":", i->split);
    buf_puts(out, ",\"task\":");
    buf_int(out, i->task);
    text(out, ",\"updated_at\":", i->updated_at);
    buf_putc(out, '}');
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct buf *out = export_text(x);

    export_item_json(i, out);
    buf_putc(out, '\n');
    return ERR_OK;
}

const struct format format_jsonl = {
    .name = "jsonl",
    .media_type = "application/x-ndjson",
    .extension = ".jsonl",
    .about = "our own: a task with its label a line, nothing left out",
    .item = item,
};
