/* Owns Label Studio's JSON_MIN: a list of flat rows. */
#include "formats/min_row.h"

static enum err begin(struct exporter *x)
{
    buf_putc(export_text(x), '[');
    return ERR_OK;
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    struct buf *out = export_text(x);
    struct arena *a = arena_new();
    struct min_row row;
    enum err e = min_row_read(x, i, a, &row);

    buf_puts(out, export_count(x) ? ",\n{" : "\n{");
    for (size_t k = 0; !e && k < row.n; k++) {
        if (row.v[k].from == MIN_DATA)
            buf_printf(out, "\"%.*s\"", STR_FMT(row.v[k].name)); /* still escaped */
        else
            buf_json(out, row.v[k].name);
        buf_putc(out, ':');
        buf_str(out, row.v[k].json);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
    arena_free(a);
    return e;
}

static enum err end(struct exporter *x)
{
    buf_puts(export_text(x), "\n]\n");
    return ERR_OK;
}

const struct format format_label_studio_min = {
    .name = "label-studio-min",
    .about = "Label Studio's JSON_MIN: a flat row a task",
    .media_type = "application/json",
    .extension = ".json",
    .classes = true,
    .begin = begin,
    .item = item,
    .end = end,
};
