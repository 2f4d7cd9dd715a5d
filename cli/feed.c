/* Owns nothing but the way to the backend that was chosen. */
#include "cli/feed.h"

enum err feed_open(struct feed *f)
{
    return f->backend->open(f);
}

enum err feed_next(struct feed *f, struct record *out, bool *got)
{
    return f->backend->next(f, out, got);
}

void feed_close(struct feed *f)
{
    if (f->state)
        f->backend->close(f);
    f->state = NULL;
}
