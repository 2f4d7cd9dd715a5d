/* Owns zlib. Never compresses what a client did not ask for. */
#include "annotate-server/http/gzip.h"

#include <stdlib.h>
#include <zlib.h>

struct gzip {
    z_stream z;
};

enum { WINDOW_GZIP = 15 + 16, MEMORY_DEFAULT = 8 };

struct gzip *gzip_new(int level)
{
    struct gzip *g = calloc(1, sizeof(*g));

    BUG_ON(!g);
    BUG_ON(deflateInit2(
               &g->z, level, Z_DEFLATED, WINDOW_GZIP, MEMORY_DEFAULT, Z_DEFAULT_STRATEGY) != Z_OK);
    return g;
}

void gzip_free(struct gzip *g)
{
    if (!g)
        return;
    deflateEnd(&g->z);
    free(g);
}

struct str gzip_body(struct gzip *g, struct arena *a, struct str body)
{
    if (body.n > UINT32_MAX)
        return (struct str){NULL, 0};
    char *out = arena_alloc(a, body.n);
    BUG_ON(deflateReset(&g->z) != Z_OK);
    g->z.next_in = (Bytef *)(uintptr_t)body.p; /* zlib only reads it */
    g->z.avail_in = (uInt)body.n;
    g->z.next_out = (Bytef *)out;
    g->z.avail_out = (uInt)body.n;
    if (deflate(&g->z, Z_FINISH) != Z_STREAM_END)
        return (struct str){NULL, 0}; /* would be longer than the body */
    return (struct str){out, body.n - g->z.avail_out};
}

/* "0", "0.0", "0.000": the weight that forbids. */
static bool is_zero(struct str weight)
{
    for (size_t i = 0; i < weight.n; i++)
        if (weight.p[i] != '0' && weight.p[i] != '.')
            return false;
    return true;
}

static bool forbids(struct str params)
{
    struct str p;

    while (str_split(&params, ';', &p)) {
        p = str_trim(p);
        if (p.n >= 2 && (p.p[0] == 'q' || p.p[0] == 'Q') && p.p[1] == '=')
            return is_zero((struct str){p.p + 2, p.n - 2});
    }
    return false;
}

bool gzip_accepted(struct str rest)
{
    struct str item, coding;
    bool any = false;

    while (str_split(&rest, ',', &item)) {
        str_split(&item, ';', &coding);
        coding = str_trim(coding);
        if (str_ieq(coding, STR("gzip")) || str_ieq(coding, STR("x-gzip")))
            return !forbids(item);
        if (str_is(coding, "*"))
            any = !forbids(item);
    }
    return any;
}

bool gzip_type(struct str type)
{
    static const char *const types[] = {"application/json", "application/problem+json",
        "application/x-ndjson", "application/javascript", "application/manifest+json",
        "image/svg+xml"};
    struct str name;

    str_split(&type, ';', &name);
    name = str_trim(name);
    if (str_starts(name, STR("text/")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(name, types[i]))
            return true;
    return false;
}
