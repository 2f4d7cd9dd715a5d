/* Owns EXPORT.json. */
#include <stdlib.h>

#include "core/canon.h"
#include "formats/exporter.h"

/* A name with its count, wherever it comes from. */
struct row {
    struct str name;
    int64_t n;
};

static int by_name(const void *a, const void *b)
{
    return canon_key_cmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static void print_rows(const char *key, struct row *rows, size_t n, struct buf *out)
{
    qsort(rows, n, sizeof(*rows), by_name);
    buf_printf(out, ",\"%s\":{", key);
    for (size_t i = 0; i < n; i++) {
        buf_json(out, rows[i].name);
        buf_printf(out, ":%lld,", (long long)rows[i].n);
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
}

static void print_lost(const struct exporter *x, struct buf *out)
{
    struct row rows[EXPORT_LOSSES];

    for (size_t i = 0; i < x->nlost; i++)
        rows[i] = (struct row){str_of(x->lost[i].name), x->lost[i].times};
    print_rows("lost", rows, x->nlost, out);
}

static void print_splits(const struct exporter *x, struct buf *out)
{
    struct row rows[EXPORT_SPLITS];

    for (size_t i = 0; i < x->nsplits; i++)
        rows[i] = (struct row){str_of(x->splits[i].name), x->splits[i].items};
    print_rows("splits", rows, x->nsplits, out);
}

/* The sum of a bare file's bytes; an archive cannot hold its own. */
static void print_sum(const struct exporter *x, struct buf *out)
{
    char hex[SHA256_HEX + 1];

    if (x->phase != EXPORT_ENDED)
        return;
    sha256_hex(x->sha256, hex);
    buf_printf(out, ",\"sha256\":\"%s\"", hex);
}

void export_report_print(const struct exporter *x, struct buf *out)
{
    const struct export_options *o = &x->options;

    buf_putc(out, '{');
    if (x->phase == EXPORT_ENDED)
        buf_printf(out, "\"bytes\":%lld,", (long long)x->bytes);
    buf_printf(out,
        "\"container\":\"%s\",\"erased\":%lld,\"files\":%lld,\"format\":\"%s\",\"items\":%lld",
        container_name(o->container), (long long)x->erased, (long long)x->files, o->format->name,
        (long long)x->items);
    buf_printf(out, ",\"labels\":%lld", (long long)x->labels);
    print_lost(x, out);
    buf_printf(out, ",\"media\":%lld,\"missing\":%lld,\"name\":", (long long)x->media,
        (long long)x->absent);
    buf_json(out, o->name);
    buf_puts(out, ",\"release\":");
    export_id(out, o->release);
    buf_puts(out, ",\"root\":");
    buf_json(out, o->root);
    print_sum(x, out);
    print_splits(x, out);
    buf_puts(out, "}\n");
}
