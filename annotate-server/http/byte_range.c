/* Owns the grammar of byte ranges. Never reads the content. */
#include "annotate-server/http/byte_range.h"

#include <string.h>

enum err byte_range_parse(struct str header, int64_t size, struct byte_range *out)
{
    struct str unit, from, to;
    int64_t a = 0, b = 0;

    *out = (struct byte_range){0, size, false};
    if (!header.p || !str_split(&header, '=', &unit) || !str_is(unit, "bytes") || !header.p ||
        memchr(header.p, ',', header.n))
        return ERR_OK;
    if (!str_split(&header, '-', &from) || !header.p)
        return ERR_OK;
    to = header;
    if ((from.n && (!str_int(from, &a) || a < 0)) || (to.n && (!str_int(to, &b) || b < 0)) ||
        (!from.n && !to.n) || (from.n && to.n && b < a))
        return ERR_OK;
    if (!from.n) { /* the last b bytes */
        a = b < size ? size - b : 0;
        b = size - 1;
    } else if (!to.n || b >= size) {
        b = size - 1;
    }
    if (a >= size || b < a)
        return ERR_RANGE;
    *out = (struct byte_range){a, b - a + 1, true};
    return ERR_OK;
}

bool byte_range_read(struct req *r, int64_t size, struct byte_range *out)
{
    if (!byte_range_parse(req_header(r, "range"), size, out))
        return true;
    req_set_header(r, "Content-Range", arena_printf(r->arena, "bytes */%lld", (long long)size));
    req_fail(r, ERR_RANGE, NULL, "the content has %lld bytes", (long long)size);
    return false;
}

void byte_range_headers(struct req *r, int64_t size, const struct byte_range *range)
{
    req_set_header(r, "Accept-Ranges", "bytes");
    if (range->partial)
        req_set_header(r, "Content-Range",
            arena_printf(r->arena, "bytes %lld-%lld/%lld", (long long)range->from,
                (long long)(range->from + range->length - 1), (long long)size));
}
