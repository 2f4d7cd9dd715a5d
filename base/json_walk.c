/* Owns stepping through JSON text by its brackets and quotes. Never judges it: json_scan.c does. */
#include "base/json_walk.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && blank(*p))
        p++;
    return p;
}

/* p at the opening quote; past the closing one. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : end;
}

static const char *skip_value(const char *p, const char *end)
{
    int depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            if (depth == 0)
                return p;
            depth--;
            p++;
        } else if (depth == 0 && (*p == ',' || blank(*p))) {
            return p;
        } else {
            p++;
            continue;
        }
        if (depth == 0) /* a string or a closed bracket ends a value */
            return p;
    }
    return end;
}

bool json_walk(struct str *rest, struct json_member *m)
{
    const char *end = rest->p + rest->n, *p = skip_blanks(rest->p, end);

    if (p < end && (*p == '{' || *p == ','))
        p = skip_blanks(p + 1, end);
    if (p == end || *p != '"')
        return false;
    m->key.p = p + 1;
    p = skip_string(p, end);
    if (p == m->key.p || p[-1] != '"')
        return false;
    m->key.n = (size_t)(p - m->key.p) - 1;
    p = skip_blanks(p, end);
    if (p < end && *p == ':')
        p = skip_blanks(p + 1, end);
    m->value.p = p;
    p = skip_value(p, end);
    m->value.n = (size_t)(p - m->value.p);
    p = skip_blanks(p, end);
    *rest = (struct str){p, (size_t)(end - p)};
    return true;
}

void json_compact(struct str text, struct buf *out)
{
    const char *p = text.p, *end = text.p + text.n, *from;

    while (p < end) {
        for (from = p; p < end && !blank(*p);)
            p = *p == '"' ? skip_string(p, end) : p + 1;
        buf_add(out, from, (size_t)(p - from));
        p = skip_blanks(p, end);
    }
}
