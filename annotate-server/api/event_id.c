/* Owns the text of event ids. Never looks at an event. */
#include "annotate-server/api/event_id.h"

/* Takes digits without leading zeros, 1 to INT64_MAX, off the front. */
static bool take_number(struct str *rest, int64_t *out)
{
    size_t n = 0;

    while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    if (n == 0 || rest->p[0] == '0' || !str_int((struct str){rest->p, n}, out))
        return false;
    *rest = (struct str){rest->p + n, rest->n - n};
    return true;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = (struct str){rest->p + 1, rest->n - 1};
    return true;
}

/* xmin <= xip... < xmax, the list ascending. */
static bool take_snapshot(struct str *rest, struct str *out)
{
    const char *from = rest->p;
    int64_t xmin, xmax, xip, last;

    if (!take_number(rest, &xmin) || !take_char(rest, ':') || !take_number(rest, &xmax) ||
        !take_char(rest, ':') || xmin > xmax)
        return false;
    last = xmin - 1;
    while (rest->n && rest->p[0] != '/') {
        if (last >= xmin && !take_char(rest, ','))
            return false;
        if (!take_number(rest, &xip) || xip <= last || xip >= xmax)
            return false;
        last = xip;
    }
    *out = (struct str){from, (size_t)(rest->p - from)};
    return true;
}

enum err event_id_parse(struct str text, struct event_id *out)
{
    struct str rest = text;

    *out = (struct event_id){0};
    if (text.n > EVENT_ID_MAX || !take_snapshot(&rest, &out->prev))
        return ERR_INVALID;
    if (rest.n == 0)
        return ERR_OK;
    if (!take_char(&rest, '/') || !take_snapshot(&rest, &out->cur) || !take_char(&rest, '/') ||
        !take_number(&rest, &out->seq) || rest.n)
        return ERR_INVALID;
    return ERR_OK;
}

void event_id_line(struct buf *out, const struct event_id *id)
{
    if (id->prev.n + id->cur.n + 24 > EVENT_ID_MAX)
        return;
    buf_puts(out, "id: ");
    buf_str(out, id->prev);
    if (id->cur.n) {
        buf_putc(out, '/');
        buf_str(out, id->cur);
        buf_putc(out, '/');
        buf_int(out, id->seq);
    }
    buf_putc(out, '\n');
}

bool event_id_same(const struct event_id *a, const struct event_id *b)
{
    return a->seq == b->seq && str_eq(a->prev, b->prev) && str_eq(a->cur, b->cur);
}
