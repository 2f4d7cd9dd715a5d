/* Owns the table behind err.h. Never prints anything but a bug. */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

struct row {
    int status;
    const char *slug, *title;
};

static const struct row rows[ERR_COUNT] = {
#define ERR(name, status, slug, title) [ERR_##name] = {status, slug, title},
#include "base/err.def"
#undef ERR
};

int err_status(enum err e)
{
    return rows[e].status;
}

const char *err_slug(enum err e)
{
    return rows[e].slug;
}

const char *err_title(enum err e)
{
    return rows[e].title;
}

void err_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "BUG %s:%d: %s\n", file, line, what);
    abort();
}
