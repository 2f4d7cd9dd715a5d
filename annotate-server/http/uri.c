/* Owns reading request targets. Never decodes anything twice. */
#include "annotate-server/http/uri.h"

#include "base/utf8.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_control(int c)
{
    return c < 0x20 || c == 0x7f;
}

/* Decodes into `out`, which has room for in.n bytes; false on a bad escape or a control character.
 */
static bool unescape(struct str in, bool form, char *out, size_t *n)
{
    size_t at = 0;

    for (size_t i = 0; i < in.n; i++) {
        int c = (unsigned char)in.p[i];
        if (c == '%') {
            if (in.n - i < 3)
                return false;
            int hi = hex_value(in.p[i + 1]), lo = hex_value(in.p[i + 2]);
            if (hi < 0 || lo < 0)
                return false;
            c = hi * 16 + lo;
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        /* a line feed or tab in a text parameter is harmless; in a path it never is */
        if (is_control(c) && !(form && (c == '\n' || c == '\t' || c == '\r')))
            return false;
        out[at++] = (char)c;
    }
    *n = at;
    return utf8_valid((struct str){out, at}) == at;
}

static bool has(struct str s, char c)
{
    return s.n && memchr(s.p, c, s.n);
}

enum err uri_decode(struct arena *a, struct str in, struct str *out)
{
    *out = in;
    if (!has(in, '%'))
        return ERR_OK;
    char *p = arena_alloc(a, in.n + 1);
    out->p = p;
    return unescape(in, false, p, &out->n) ? ERR_OK : ERR_BAD_REQUEST;
}

/* Segments are cut before decoding, so an escaped slash would be one inside a segment: refused. */
static enum err check_segments(struct arena *a, struct str path)
{
    struct str rest = path, raw, seg;

    while (str_split(&rest, '/', &raw)) {
        if (uri_decode(a, raw, &seg))
            return ERR_BAD_REQUEST;
        if (str_is(seg, ".") || str_is(seg, "..") || has(seg, '/'))
            return ERR_BAD_REQUEST;
    }
    return ERR_OK;
}

static enum err check_query(struct arena *a, struct str query)
{
    struct str rest = query, pair;
    int pairs = 0;

    if (query.n == 0)
        return ERR_OK;
    if (query.n > URI_MAX_QUERY)
        return ERR_URI_TOO_LONG;
    while (str_split(&rest, '&', &pair))
        if (++pairs > URI_MAX_PAIRS)
            return ERR_BAD_REQUEST;
    if (!has(query, '%'))
        return ERR_OK;
    char *room = arena_alloc(a, query.n);
    rest = query;
    while (str_split(&rest, '&', &pair)) {
        struct str name;
        size_t n;
        str_split(&pair, '=', &name);
        if (!unescape(name, true, room, &n) || (pair.p && !unescape(pair, true, room, &n)))
            return ERR_BAD_REQUEST;
    }
    return ERR_OK;
}

enum err uri_parse(struct arena *a, struct str target, struct uri *out)
{
    if (target.n > URI_MAX)
        return ERR_URI_TOO_LONG;
    if (target.n == 0 || target.p[0] != '/')
        return ERR_BAD_REQUEST;
    for (size_t i = 0; i < target.n; i++) {
        unsigned char c = (unsigned char)target.p[i];
        if (c < 0x21 || c > 0x7e || c == '#')
            return ERR_BAD_REQUEST;
    }
    struct str rest = target;
    str_split(&rest, '?', &out->raw_path);
    out->query = rest.p ? rest : (struct str){"", 0};
    if (uri_decode(a, out->raw_path, &out->path))
        return ERR_BAD_REQUEST;
    if (check_segments(a, out->raw_path))
        return ERR_BAD_REQUEST;
    return check_query(a, out->query);
}

static struct str decoded(struct arena *a, struct str in)
{
    char *p = arena_alloc(a, in.n + 1);
    size_t n;

    return unescape(in, true, p, &n) ? (struct str){p, n} : (struct str){"", 0};
}

bool uri_next(struct arena *a, struct str *rest, struct str *name, struct str *value)
{
    struct str pair, key;

    do {
        if (rest->n == 0 || !str_split(rest, '&', &pair))
            return false;
    } while (pair.n == 0);
    str_split(&pair, '=', &key);
    *name = decoded(a, key);
    *value = pair.p ? decoded(a, pair) : (struct str){NULL, 0};
    return true;
}

struct str uri_query(struct arena *a, struct str query, struct str name)
{
    struct str key, value;

    while (uri_next(a, &query, &key, &value))
        if (str_eq(key, name))
            return value.p ? value : (struct str){"", 0};
    return (struct str){NULL, 0};
}
