/* Owns the JSON that Label Studio exports and its SDK reads: an array of tasks with all the members
 * it writes, in its order. What has no place there is counted as lost. */
#include "base/json_walk.h"
#include "formats/format.h"

static enum err begin(struct exporter *x)
{
    buf_putc(export_text(x), '[');
    return ERR_OK;
}

/* Label Studio's word for how an annotation came to be. */
static const char *last_action(struct str kind)
{
    static const struct {
        const char *kind, *action;
    } rows[] = {
        {"prelabel", "prediction"},
        {"import", "imported"},
        {"review_fix", "fixed_and_accepted"},
        {"qa_fix", "fixed_and_accepted"},
        {"restore", "updated"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_is(kind, rows[i].kind))
            return rows[i].action;
    return "submitted";
}

/* A UUID that the same label always has (version 8: made by our own rule). */
static void unique_id(const struct export_label *l, struct buf *out)
{
    struct buf id;
    struct sha256 h;

    buf_init(&id, 128);
    buf_puts(&id, "annotate label ");
    buf_int(&id, l->id);
    h = sha256_of(buf_view(&id));
    buf_release(&id);
    h.b[6] = (unsigned char)((h.b[6] & 0x0f) | 0x80);
    h.b[8] = (unsigned char)((h.b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_putc(out, '-');
        buf_hex(out, &h.b[i], 1);
    }
}

static void annotation(const struct export_item *i, struct buf *out)
{
    const struct export_label *l = &i->label;

    buf_puts(out, "{\"id\":");
    buf_int(out, l->id);
    buf_puts(out, ",\"completed_by\":");
    buf_int(out, l->author); /* of a model 0: the SDK insists on a number */
    buf_puts(out, ",\"result\":");
    buf_str(out, l->result);
    buf_puts(out, ",\"was_cancelled\":false,\"ground_truth\":false,\"created_at\":");
    buf_json(out, l->created_at);
    buf_puts(out, ",\"updated_at\":");
    buf_json(out, l->created_at);
    buf_puts(out, ",\"draft_created_at\":null,\"lead_time\":");
    export_seconds(out, l->lead_time);
    buf_puts(out, ",\"prediction\":{},\"result_count\":");
    buf_int(out, l->regions);
    buf_puts(out, ",\"unique_id\":\"");
    unique_id(l, out);
    buf_printf(out, "\",\"import_id\":null,\"last_action\":\"%s\",\"bulk_created\":false,\"task\":",
        last_action(l->kind));
    buf_int(out, i->task);
    buf_puts(out, ",\"project\":");
    buf_int(out, i->project);
    buf_puts(out, ",\"updated_by\":");
    export_id(out, l->author);
    buf_puts(
        out, ",\"parent_prediction\":null,\"parent_annotation\":null,\"last_created_by\":null}");
}

static void count_lost(struct exporter *x, const struct export_item *i)
{
    if (i->split.n)
        export_lost(x, "split");
    if (i->external_id.n)
        export_lost(x, "external_id");
    if (i->label.id)
        export_lost(x, "label_sha256");
    if (i->label.id && i->label.model.n)
        export_lost(x, "model");
}

/* inner_id is the place in the export: the first task is 1. */
static enum err item(struct exporter *x, const struct export_item *i)
{
    struct buf *out = export_text(x);

    count_lost(x, i);
    buf_puts(out, export_count(x) ? ",\n{\"id\":" : "\n{\"id\":");
    buf_int(out, i->task);
    buf_puts(out, ",\"data\":");
    json_compact(i->data, out);
    buf_puts(out, ",\"meta\":");
    json_compact(i->meta.n ? i->meta : STR("{}"), out);
    buf_puts(out, ",\"created_at\":");
    buf_json(out, i->created_at);
    buf_puts(out, ",\"updated_at\":");
    buf_json(out, i->updated_at);
    buf_puts(out, ",\"inner_id\":");
    buf_int(out, export_count(x) + 1);
    buf_printf(out, ",\"total_annotations\":%d,\"cancelled_annotations\":0,\"total_predictions\":",
        i->label.id != 0);
    buf_int(out, i->predictions);
    buf_puts(out, ",\"comment_count\":0,\"unresolved_comment_count\":0,"
                  "\"last_comment_updated_at\":null,\"comment_authors\":[],\"project\":");
    buf_int(out, i->project);
    buf_puts(out, ",\"updated_by\":");
    export_id(out, i->label.author);
    buf_puts(out, ",\"file_upload\":null,\"allow_skip\":true,\"annotations\":[");
    if (i->label.id)
        annotation(i, out);
    buf_puts(out, "],\"drafts\":[],\"predictions\":[]}");
    return ERR_OK;
}

static enum err end(struct exporter *x)
{
    buf_puts(export_text(x), "\n]\n");
    return ERR_OK;
}

const struct format format_label_studio = {
    .name = "label-studio",
    .media_type = "application/json",
    .extension = ".json",
    .about = "Label Studio's JSON, as its SDK and importer read it",
    .begin = begin,
    .item = item,
    .end = end,
};
