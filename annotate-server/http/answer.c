/* Owns how handlers fail, and the two helpers that may answer a problem in place of what was meant:
 * a JSON body that grew too large, a query parameter that is no such number. Never writes bytes:
 * reply.c does. */
#include <stdarg.h>
#include <stdio.h>

#include "annotate-server/http/conn.h"
#include "annotate-server/http/problem.h"

enum { DETAIL_MAX = 1024 };

/* Unless whoever fails has said it more exactly. */
static void set_if_absent(struct req *r, const char *name, const char *value)
{
    const struct buf *extra = &exchange_of(r)->extra;

    if (extra->n == 0 || !strcasestr(extra->p, name))
        req_set_header(r, name, value);
}

static void fail(
    struct req *r, enum err e, const char *pointer, const char *extra, const char *detail)
{
    const struct problem p = {e, r->id, pointer, detail, extra};
    int status = err_status(e);
    struct buf b;

    buf_init(&b, BUF_MAX_LINE);
    problem_print(&b, &p);
    if (status == 503 || status == 429)
        set_if_absent(r, "retry-after", "1");
    if (status == 401)
        set_if_absent(r, "www-authenticate", "Bearer");
    req_reply(r, status, PROBLEM_TYPE, buf_view(&b));
    buf_release(&b);
}

void req_fail_extra(
    struct req *r, enum err e, const char *pointer, const char *extra, const char *fmt, ...)
{
    char detail[DETAIL_MAX];
    va_list ap;

    if (fmt) {
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
    }
    fail(r, e, pointer, extra, fmt ? detail : NULL);
}

void req_fail(struct req *r, enum err e, const char *pointer, const char *fmt, ...)
{
    char detail[DETAIL_MAX];
    va_list ap;

    if (fmt) {
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
    }
    fail(r, e, pointer, NULL, fmt ? detail : NULL);
}

bool req_query_int(
    struct req *r, const char *name, int64_t dflt, int64_t min, int64_t max, int64_t *out)
{
    struct str s = req_query(r, name);

    *out = dflt;
    if (!s.p)
        return true;
    if (str_int(s, out) && *out >= min && *out <= max)
        return true;
    char *pointer = arena_printf(r->arena, "/%s", name);
    req_fail(r, ERR_INVALID, pointer, "The parameter %s must be an integer from %lld to %lld", name,
        (long long)min, (long long)max);
    return false;
}

void req_reply_json(struct req *r, int status, const struct buf *body)
{
    enum err e = buf_err(body);

    if (e)
        req_fail(r, e == ERR_FULL ? ERR_INTERNAL : e, NULL, NULL);
    else
        req_reply(r, status, "application/json", buf_view(body));
}
