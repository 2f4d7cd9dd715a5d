/* Owns reading a request: headers and query parameters. Answers are in reply.c and stream.c. */
#include "annotate-server/http/conn.h"

struct str req_header(const struct req *r, const char *name)
{
    return head_get(&exchange_of(r)->head, name);
}

struct str req_query(struct req *r, const char *name)
{
    return uri_query(r->arena, r->query, str_of(name));
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

bool req_gone(const struct req *r)
{
    return exchange_of(r)->conn->state == CONN_CLOSED;
}

bool req_hung_up(const struct req *r)
{
    return req_gone(r) || exchange_of(r)->conn->hangup;
}
