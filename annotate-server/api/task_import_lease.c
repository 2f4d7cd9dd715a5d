/* Owns telling the database that an import's server lives. Never touches an import that has ended:
 * a beat on its way has memory of its own. */
#include "annotate-server/api/task_import.h"

enum { BEAT_MS = 20000 }; /* a third of the lease (queries/import_keep.sql) */

struct beat {
    struct db_call call;
    struct arena *arena;
};

/* A beat that fails is followed by two more before the lease is over. */
static void on_beat(struct db_call *call, enum err e, const PGresult *res)
{
    struct beat *b = container_of(call, struct beat, call);

    (void)e;
    (void)res;
    arena_free(b->arena);
}

static void beat(void *arg)
{
    struct import *im = arg;
    struct arena *a = arena_new();
    struct beat *b = arena_alloc(a, sizeof(*b));

    b->arena = a;
    db_call_init(&b->call, STMT_import_keep, im->r->who.tenant, on_beat);
    db_int(&b->call, a, im->id);
    db_submit(im->r->ctx->db, &b->call);
    timer_start(&im->beat, BEAT_MS);
}

void import_lease_start(struct import *im)
{
    timer_init(&im->beat, im->r->ctx->loop, beat, im);
    timer_start(&im->beat, BEAT_MS);
    im->beating = true;
}

void import_lease_stop(struct import *im)
{
    if (im->beating)
        timer_release(&im->beat);
    im->beating = false;
}
