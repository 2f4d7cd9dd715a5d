/* A borrowed run of bytes: not NUL-terminated, never owned. Who made the bytes keeps them alive. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(lit)   ((struct str){("" lit), sizeof(lit) - 1})
#define STR_FMT(s) (int)(s).n, (s).p /* for "%.*s" */

static inline struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

/* <0, 0, >0: by bytes, a prefix before what it begins. */
static inline int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Case-insensitive in ASCII only. */
bool str_ieq(struct str a, struct str b);
bool str_starts(struct str a, struct str prefix);
struct str str_trim(struct str a);

/* Cuts the part before `sep` off `*rest`; false when `*rest` is used up. An absent separator yields
 * all of it. */
bool str_split(struct str *rest, char sep, struct str *part);

/* Decimal to integer: the whole string, no sign but one '-', no blanks; false on anything else or
 * overflow. */
bool str_int(struct str a, int64_t *out);

#endif
