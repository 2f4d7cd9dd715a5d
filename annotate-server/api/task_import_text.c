/* Owns cutting the body of an import into items, and knowing where it is: item and line. Never
 * looks into an item. */
#include "annotate-server/api/task_import.h"

enum { IN_MAX = IMPORT_ITEM_MAX + (1 << 20) };

void import_text_init(struct import_text *t)
{
    *t = (struct import_text){.line = 1};
    buf_init(&t->in, IN_MAX);
}

void import_text_rewind(struct import_text *t)
{
    struct buf in = t->in;

    buf_clear(&in);
    *t = (struct import_text){.in = in, .line = 1};
}

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void count_lines(struct import_text *t, const char *p, size_t n)
{
    const char *end = p + n;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        t->line++;
        p++;
    }
}

/* Steps over blanks and the array's own brackets and commas. False when bytes are wanted or the
 * input is bad. */
static bool to_next_item(struct import *im, size_t *pos)
{
    struct import_text *t = &im->text;
    struct str in = buf_view(&t->in);

    for (; *pos < in.n; ++*pos) {
        char c = in.p[*pos];
        t->line += c == '\n';
        if (space(c))
            continue;
        if (t->closed) {
            import_bad(im, ERR_BAD_JSON, true, "", "bytes after the end of the array");
            return false;
        }
        if (t->form == IMPORT_UNKNOWN) {
            t->form = c == '[' ? IMPORT_ARRAY : IMPORT_LINES;
            if (c == '[')
                continue;
        }
        if (t->form == IMPORT_LINES)
            return true;
        if (c == ']' && (t->after_item || t->items == 0)) {
            t->closed = true;
        } else if (t->after_item) {
            if (c != ',') {
                import_bad(im, ERR_BAD_JSON, true, "", "a comma is missing after this item");
                return false;
            }
            t->after_item = false;
        } else {
            return true;
        }
    }
    return false;
}

/* Drops a bad line up to its end; true when that has come. */
static bool drop_line(struct import_text *t, size_t *pos)
{
    const char *p = t->in.p + *pos;
    const char *end = t->in.n > *pos ? memchr(p, '\n', t->in.n - *pos) : NULL;

    t->skip_line = end == NULL;
    *pos = end ? (size_t)(end - t->in.p) : t->in.n;
    return end != NULL;
}

/* An item that is no JSON, or too long. Lines can be told apart all the same, an array's items
 * cannot. */
static void bad_text(
    struct import *im, enum err e, const char *pointer, const char *why, size_t *pos)
{
    struct import_text *t = &im->text;

    import_bad(im, e, t->form == IMPORT_ARRAY, pointer, why);
    if (im->broken)
        return;
    t->items++;
    t->scan_at = 0;
    (void)drop_line(t, pos);
}

/* The item at pos; false when more of it is wanted. */
static bool cut_one(struct import *im, size_t *pos)
{
    struct import_text *t = &im->text;
    struct str rest = {t->in.p + *pos, t->in.n - *pos};
    struct json_error error = {.why = ""};
    size_t length = 0;

    switch (json_scan_value(rest, t->ended, JSON_DEPTH_IMPORT, &length, &error)) {
    case JSON_BAD:
        bad_text(im, ERR_BAD_JSON, error.pointer, error.why, pos);
        return !im->broken;
    case JSON_MORE:
        /* A long item is not scanned at every packet. */
        t->scan_at = 2 * rest.n < IMPORT_ITEM_MAX ? 2 * rest.n : IMPORT_ITEM_MAX;
        if (rest.n >= IMPORT_ITEM_MAX)
            bad_text(im, ERR_TOO_LARGE, "", "one task must not have more than 8 MiB", pos);
        return false;
    case JSON_COMPLETE:
        break;
    }
    import_item(im, (struct str){rest.p, length});
    if (im->broken)
        return false;
    count_lines(t, rest.p, length);
    *pos += length;
    t->items++;
    t->after_item = true;
    t->scan_at = 0;
    return true;
}

void import_cut(struct import *im)
{
    struct import_text *t = &im->text;
    size_t pos = 0;

    if (t->in.n < t->scan_at && !t->ended)
        return;
    if (!t->skip_line || drop_line(t, &pos))
        while (!im->broken && !import_chunk_full(im->fill) && to_next_item(im, &pos) &&
               cut_one(im, &pos)) {
        }
    if (pos) {
        memmove(t->in.p, t->in.p + pos, t->in.n - pos);
        t->in.n -= pos;
    }
}
