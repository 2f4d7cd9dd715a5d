/* Owns the pace of an import: as fast as it can while it is alone, in small chunks with rests
 * between them while people wait for the database. Never stops it: every chunk goes after
 * WAIT_MAX_US. */
#include "annotate-server/api/task_import.h"

#include "base/clock.h"

enum { LOOK_MS = 1, WAIT_MAX_US = 100000, CHECK_REST = 3 };

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

void import_pace_begin(struct import *im)
{
    struct import_pace *p = &im->pace;

    p->begun = true;
    p->begun_us = clock_mono_us();
    p->ever = context_load(im->r->ctx->server).ever;
    p->cut_us = 0;
}

static void end(struct import *im, int64_t now, int64_t rest_us)
{
    struct import_pace *p = &im->pace;

    p->begun = false;
    p->polite = context_load(im->r->ctx->server).ever != p->ever;
    p->rest_until_us = p->polite ? now + rest_us : now;
    p->wait_until_us = p->polite ? now + WAIT_MAX_US : now;
}

/* Half of the time at least is theirs: on a small machine a chunk is felt while it is written, even
 * if it began in a quiet moment. */
void import_pace_written(struct import *im)
{
    int64_t now = clock_mono_us();

    end(im, now, now - im->pace.begun_us);
}

/* A check waits for nothing, so it would take all of a core. */
void import_pace_checked(struct import *im)
{
    if (im->pace.begun)
        end(im, clock_mono_us(), CHECK_REST * im->pace.cut_us);
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
