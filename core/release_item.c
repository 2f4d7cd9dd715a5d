/* Owns the line of a release item. Never hashes it: that is core/merkle. */
#include "core/release_item.h"

static void hash(struct buf *out, const struct sha256 *h)
{
    buf_putc(out, '"');
    buf_hex(out, h->b, sizeof(h->b));
    buf_putc(out, '"');
}

void release_item_line(const struct release_item *i, struct buf *out)
{
    buf_puts(out, "{\"a\":[");
    for (size_t n = 0; n < i->nassets; n++) {
        if (n)
            buf_putc(out, ',');
        hash(out, &i->assets[n]);
    }
    buf_puts(out, "],\"k\":");
    buf_json(out, i->key);
    buf_puts(out, ",\"l\":");
    hash(out, &i->label);
    buf_puts(out, ",\"lv\":");
    buf_int(out, i->label_id);
    buf_puts(out, ",\"s\":");
    buf_json(out, i->split);
    buf_putc(out, '}');
}
