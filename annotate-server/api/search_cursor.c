/* Owns the text form of a search's position. Never trusts it with more than a position: it is bound
 * as a parameter like any value. */
#include "annotate-server/api/search_cursor.h"

#include "base/base64url.h"
#include "base/json_scan.h"
#include "base/utf8.h"

enum { CURSOR_MAX = 2000 };

bool search_cursor_parse(
    struct str text, bool with_value, struct arena *a, struct search_cursor *out)
{
    struct str rest = text, id;

    *out = (struct search_cursor){0};
    if (text.n > CURSOR_MAX || !str_split(&rest, '.', &id) || !str_int(id, &out->id) ||
        out->id < 1 || out->id > JSON_INT_MAX || (rest.p != NULL) != with_value)
        return false;
    if (!with_value)
        return true;
    unsigned char *bytes = arena_alloc(a, rest.n + 1);
    ptrdiff_t n = base64url_decode(rest, bytes);
    if (n < 0 || memchr(bytes, 0, (size_t)n))
        return false;
    out->value = (struct str){(char *)bytes, (size_t)n};
    return utf8_valid(out->value) == out->value.n;
}

void search_cursor_put(struct buf *out, const struct search_cursor *c)
{
    char text[BASE64URL_LEN(CURSOR_MAX) + 1];

    buf_printf(out, "\"%lld", (long long)c->id);
    if (c->value.p) {
        BUG_ON(c->value.n > CURSOR_MAX); /* what is found by is no longer than FILTER_TEXT */
        base64url_encode(c->value.p, c->value.n, text);
        buf_printf(out, ".%s", text);
    }
    buf_putc(out, '"');
}
