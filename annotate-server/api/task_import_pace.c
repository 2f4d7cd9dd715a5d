/* Owns the pace of an import: as fast as it can while it is alone, in small chunks with rests
 * between them while people wait for the database. Never stops it: every chunk goes after
 * WAIT_MAX_US. */
#include "annotate-server/api/task_import.h"

#include "base/clock.h"

enum { LOOK_MS = 1, WAIT_MAX_US = 100000 };

static void look(void *arg)
{
    import_advance(arg);
}

void import_pace_init(struct import *im)
{
    timer_init(&im->pace.look, im->r->ctx->loop, look, im);
}

void import_pace_release(struct import *im)
{
    timer_release(&im->pace.look);
}

void import_pace_sent(struct import *im)
{
    im->pace.sent_us = clock_mono_us();
    im->pace.ever = context_load(im->r->ctx->server).ever;
}

/* Half of the time at least is theirs: on a small machine a chunk is felt while it is written, even
 * if it began in a quiet moment. */
void import_pace_written(struct import *im)
{
    struct import_pace *p = &im->pace;
    int64_t now = clock_mono_us();

    p->polite = context_load(im->r->ctx->server).ever != p->ever;
    p->rest_until_us = p->polite ? now + (now - p->sent_us) : now;
    p->wait_until_us = p->polite ? now + WAIT_MAX_US : now;
}

bool import_pace_wait(struct import *im)
{
    struct import_pace *p = &im->pace;
    int64_t now = clock_mono_us();

    if (now >= p->wait_until_us ||
        (now >= p->rest_until_us && context_load(im->r->ctx->server).now == 0))
        return false;
    timer_start(&p->look, LOOK_MS);
    return true;
}

int import_pace_items(const struct import *im)
{
    return im->pace.polite ? IMPORT_CHUNK_SMALL : IMPORT_CHUNK_ITEMS;
}
