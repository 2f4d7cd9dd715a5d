/* Owns holding an import against the tenant's quotas, before the database does: so that a body is
 * refused before anything of it is written, and an item when its place is gone. The database has
 * the last word on tasks. For bytes of labels this is the only check: others may write meanwhile,
 * so an import overshoots by a chunk at most. */
#include "annotate-server/api/task_import.h"

static bool limited(const struct import *im)
{
    return im->room.tasks.limit >= 0 || im->room.bytes.limit >= 0;
}

static const struct import_chunk *other(const struct import *im)
{
    return &im->chunks[im->fill == &im->chunks[0]];
}

/* Not written yet, or not known to be. */
static int64_t items_under_way(const struct import *im)
{
    return im->fill->items + (other(im)->busy ? other(im)->items : 0);
}

static int64_t bytes_under_way(const struct import *im)
{
    return (int64_t)(im->fill->docs.n + (other(im)->busy ? other(im)->docs.n : 0));
}

static bool counts_items(const struct import *im)
{
    return limited(im) && im->errors != IMPORT_REFUSE;
}

bool import_fills_room(const struct import *im)
{
    int64_t items = items_under_way(im), bytes = bytes_under_way(im);

    return counts_items(im) && ((items && !quota_allows(&im->room.tasks, items + 1)) ||
                                   (bytes && !quota_allows(&im->room.bytes, bytes + 1)));
}

bool import_has_room(struct import *im, bool labels)
{
    const struct quota *full = NULL;

    if (!counts_items(im))
        return true;
    if (!quota_allows(&im->room.tasks, items_under_way(im) + 1))
        full = &im->room.tasks;
    else if (labels && !quota_allows(&im->room.bytes, bytes_under_way(im) + 1))
        full = &im->room.bytes;
    if (!full)
        return true;
    if (!im->quota)
        im->quota = quota_members(im->r->arena, full);
    import_bad(im, ERR_QUOTA, false, "", err_title(ERR_QUOTA));
    return false;
}

/* ---- after a chunk */

static void on_room(struct db_call *call, enum err e, const PGresult *res)
{
    struct import_chunk *c = container_of(call, struct import_chunk, call);
    struct import *im = c->im;

    c->busy = false;
    if (e)
        import_break(im, e, err_title(e));
    else
        im->room = quota_room(res, 0, 0);
    import_chunk_reset(c);
    import_advance(im);
}

bool import_chunk_measure(struct import_chunk *c)
{
    if (!counts_items(c->im) || c->im->broken)
        return false;
    c->busy = true;
    db_call_init(&c->call, STMT_quota_room, c->im->r->who.tenant, on_room);
    db_submit(c->im->r->ctx->db, &c->call);
    return true;
}

/* ---- a body that is checked first */

static void on_known(struct db_call *call, enum err e, const PGresult *res)
{
    struct import_chunk *c = container_of(call, struct import_chunk, call);
    struct import *im = c->im;

    c->busy = false;
    if (e)
        import_break(im, e, err_title(e));
    else
        im->new_tasks += c->items - db_get_int(res, 0, 0);
    im->label_bytes += (int64_t)c->docs.n;
    import_chunk_reset(c);
    import_advance(im);
}

bool import_chunk_weigh(struct import_chunk *c)
{
    struct import *im = c->im;

    if (!limited(im))
        return false;
    c->busy = true;
    db_call_init(&c->call, STMT_task_known, im->r->who.tenant, on_known);
    db_int(&c->call, c->arena, im->r->project->id);
    db_array_bind(&c->cols[ITEM_EXTERNAL], &c->call);
    db_submit(im->r->ctx->db, &c->call);
    return true;
}

bool import_fits(struct import *im)
{
    struct arena *a = im->r->arena;
    const struct quota *full = NULL;
    int64_t adds = im->new_tasks;

    if (!quota_allows(&im->room.tasks, im->new_tasks))
        full = &im->room.tasks;
    else if (im->label_bytes && !quota_allows(&im->room.bytes, adds = im->label_bytes))
        full = &im->room.bytes;
    if (!full)
        return true;
    im->quota = quota_members(a, full);
    import_break(im, ERR_QUOTA,
        arena_printf(a, "the body adds %lld %s, and the quota is %lld of which %lld are used",
            (long long)adds, full->name, (long long)full->limit, (long long)full->used));
    im->pointer[0] = '\0'; /* of no item */
    return false;
}
