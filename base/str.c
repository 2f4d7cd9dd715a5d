/* Owns the string helpers of str.h. Never allocates. */
#include "base/str.h"

#include <strings.h>

bool str_ieq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool str_starts(struct str a, struct str prefix)
{
    return a.n >= prefix.n && memcmp(a.p, prefix.p, prefix.n) == 0;
}

struct str str_trim(struct str a)
{
    while (a.n && (a.p[0] == ' ' || a.p[0] == '\t' || a.p[0] == '\r' || a.p[0] == '\n')) {
        a.p++;
        a.n--;
    }
    while (a.n && (a.p[a.n - 1] == ' ' || a.p[a.n - 1] == '\t' || a.p[a.n - 1] == '\r' ||
                      a.p[a.n - 1] == '\n'))
        a.n--;
    return a;
}

bool str_split(struct str *rest, char sep, struct str *part)
{
    if (!rest->p)
        return false;
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!at) {
        *part = *rest;
        *rest = (struct str){NULL, 0};
        return true;
    }
    *part = (struct str){rest->p, (size_t)(at - rest->p)};
    *rest = (struct str){at + 1, rest->n - part->n - 1};
    return true;
}

bool str_int(struct str a, int64_t *out)
{
    bool minus = a.n && a.p[0] == '-';
    int64_t v = 0;

    if (minus) {
        a.p++;
        a.n--;
    }
    if (a.n == 0)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] < '0' || a.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, a.p[i] - '0', &v))
            return false; /* counted downwards, so that INT64_MIN fits */
    }
    if (!minus && __builtin_sub_overflow((int64_t)0, v, &v))
        return false;
    *out = v;
    return true;
}
