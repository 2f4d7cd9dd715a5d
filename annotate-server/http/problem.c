/* Owns the text of an error: application/problem+json (RFC 9457). Never sends it. */
#include "annotate-server/http/problem.h"

#include "base/utf8.h"

static void add_member(struct buf *b, const char *name, const char *value)
{
    struct str v = str_of(value);

    if (!value)
        return;
    v.n = utf8_valid(v); /* a detail may have been cut in the middle of a character */
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, v);
}

void problem_print(struct buf *b, const struct problem *p)
{
    buf_printf(b, "{\"type\":\"/errors/%s\"", err_slug(p->err));
    add_member(b, "title", err_title(p->err));
    buf_printf(b, ",\"status\":%d", err_status(p->err));
    add_member(b, "detail", p->detail);
    add_member(b, "pointer", p->pointer);
    add_member(b, "request_id", p->request_id);
    if (p->extra)
        buf_printf(b, ",%s", p->extra);
    buf_putc(b, '}');
}
