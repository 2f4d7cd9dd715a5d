/* Owns the steps of a batch of transitions. Never compares (transition_agree.c), decides
 * (transition_decide.c) or writes rows (transition_write.c). */
#include "annotate-server/api/transition.h"

#include "annotate-server/api/gold.h"
#include "annotate-server/api/park.h"
#include "base/fault.h"
#include "base/log.h"

/* A batch is bounded in number and in bytes: large labels must not fill a pack that fails them all.
 */
enum { BATCH_MAX = 128, BYTES_A_PLACE = 256 << 10, TRIES_MAX = 5 };

static void run_batch(struct batch *b);

static const struct batch_kind transitions = {"transition", BATCH_MAX, NULL, run_batch};

/* Places that it takes in a batch. */
static int weight(const struct transition *t)
{
    size_t bytes = t->label ? t->label->doc.n : 0;

    for (size_t i = 0; i < t->ncomments; i++)
        bytes += t->comments[i].text.n;
    return 1 + (int)(bytes / BYTES_A_PLACE);
}

void transition_start(struct transition *t)
{
    struct batch_key key = {&transitions, t->tenant, t->project->id, 0};

    t->item.weight = weight(t);
    t->fate = TRANSITION_AGAIN;
    batch_add(t->ctx->batches, &key, &t->item);
}

/* ---- the end of a batch */

static void finish(struct transition_run *run)
{
    struct batch *b = run->b;
    struct transition *again[BATCH_MAX];
    int nagain = 0;

    if (FAULT("submit.applied")) /* committed, and nobody has been told */
        log_error("transition", "a fault point that can only end the process");
    gold_restore(run);
    for (int i = 0; i < run->n; i++) {
        struct transition *t = run->items[i];
        if (t->fate == TRANSITION_AGAIN && ++t->tries < TRIES_MAX) {
            if (t->label && !run->recorded) /* no row knows that pack: it goes into another */
                t->label->packed = false;
            again[nagain++] = t;
            continue;
        }
        if (t->fate == TRANSITION_AGAIN) {
            t->err = ERR_BUSY;
            t->why = "the task is being changed by others; try again";
        } else if (!t->err && t->decision.open) {
            park_wake(t->ctx->server, t->tenant, t->project->id, t->decision.open_stage);
        }
        t->done(t);
    }
    for (int i = 0; i < nagain; i++)
        transition_start(again[i]);
    batch_end(b);
}

static void fail_all(struct transition_run *run, enum err e)
{
    for (int i = 0; i < run->n; i++) {
        run->items[i]->fate = TRANSITION_DONE;
        run->items[i]->err = e;
        run->items[i]->why = err_title(e);
    }
    finish(run);
}

static void decide_all(struct transition_run *run)
{
    if (run->pack_err) { /* that of the merges */
        fail_all(run, run->pack_err);
        return;
    }
    for (int i = 0; i < run->n; i++)
        if (run->items[i]->fate == TRANSITION_APPLY)
            transition_decide(run->items[i], run->b->arena);
    transition_write(run, finish);
}

static void compare(struct transition_run *run)
{
    transition_compare(run, decide_all);
}

/* ---- reading and packing, side by side */

/* Both are in: no row is written before its document is durable (I6). */
static void ready(struct transition_run *run)
{
    if (--run->pending)
        return;
    if (run->pack_err) {
        fail_all(run, run->pack_err);
        return;
    }
    for (size_t i = 0; i < run->npacked; i++) {
        run->packed[i]->pack = run->pack;
        run->packed[i]->off = run->pack_items[i].off;
        run->packed[i]->packed = true;
    }
    gold_score(run, compare);
}

static void pack(void *arg)
{
    struct transition_run *run = arg;

    run->pack_err = pack_put(
        &run->ctx->server->blobs, run->b->key.tenant, run->pack_items, run->npacked, &run->pack);
}

static void packed(void *arg)
{
    struct transition_run *run = arg;

    if (!run->pack_err)
        run->pack_err = FAULT("submit.packed");
    if (run->pack_err)
        log_error("pack", "%zu label documents: %s", run->npacked, err_title(run->pack_err));
    ready(run);
}

struct reading {
    struct db_call call;
    struct transition_run *run;
    struct db_array ord, id, version, actor, sha;
};

static void release_reading(void *arg)
{
    struct reading *r = arg;

    db_array_release(&r->ord);
    db_array_release(&r->id);
    db_array_release(&r->version);
    db_array_release(&r->actor);
    db_array_release(&r->sha);
}

/* Two decisions on one task cannot share a batch: the second would be decided on what the first
 * changes. */
static bool task_taken(const struct transition_run *run, int i)
{
    for (int k = 0; k < i; k++)
        if (run->items[k]->fate == TRANSITION_APPLY && run->items[k]->task == run->items[i]->task)
            return true;
    return false;
}

static void on_read(struct db_call *call, enum err e, const PGresult *res)
{
    struct reading *r = container_of(call, struct reading, call);
    struct transition_run *run = r->run;
    int row = 0, rows = e ? 0 : PQntuples(res);

    for (int i = 0; i < run->n; i++) {
        struct transition *t = run->items[i];
        if (row < rows && db_get_int(res, row, 0) == i) {
            transition_judge(t, res, row++);
        } else {
            t->fate = TRANSITION_DONE;
            t->err = e ? e : ERR_NOT_FOUND;
            t->why = e ? err_title(e) : "there is no such assignment";
        }
    }
    /* Backwards, so that the first of a task's transitions is the one that goes now. */
    for (int i = run->n - 1; i > 0; i--)
        if (run->items[i]->fate == TRANSITION_APPLY && task_taken(run, i)) {
            run->items[i]->fate = TRANSITION_AGAIN;
            run->items[i]->tries--; /* not its fault */
        }
    ready(run);
}

static void read_all(struct transition_run *run)
{
    struct reading *r = arena_alloc(run->b->arena, sizeof(*r));

    r->run = run;
    db_call_init(&r->call, STMT_transition_read, run->b->key.tenant, on_read);
    db_array_init(&r->ord, DB_INT4);
    db_array_init(&r->id, DB_INT8);
    db_array_init(&r->version, DB_INT8);
    db_array_init(&r->actor, DB_INT8);
    db_array_init(&r->sha, DB_BYTEA);
    arena_defer(run->b->arena, release_reading, r);
    for (int i = 0; i < run->n; i++) {
        db_array_int(&r->ord, i);
        db_array_int(&r->id, run->items[i]->assignment);
        db_array_int(&r->version, run->items[i]->version);
        db_array_int(&r->actor, run->items[i]->actor);
        if (run->items[i]->label)
            db_array_text(
                &r->sha, (struct str){(char *)run->items[i]->label->sha256.b, SHA256_LEN});
        else
            db_array_null(&r->sha);
    }
    db_array_bind(&r->ord, &r->call);
    db_array_bind(&r->id, &r->call);
    db_array_bind(&r->version, &r->call);
    db_array_bind(&r->actor, &r->call);
    db_int(&r->call, run->b->arena, run->b->key.project);
    db_array_bind(&r->sha, &r->call);
    db_submit(run->ctx->db, &r->call);
}

static void run_batch(struct batch *b)
{
    struct transition_run *run = arena_alloc(b->arena, sizeof(*run));
    size_t max = (size_t)b->n;

    run->b = b;
    run->ctx = b->ctx;
    run->items = arena_array(b->arena, max, sizeof(*run->items));
    run->pack_items = arena_array(b->arena, max, sizeof(*run->pack_items));
    run->packed = arena_array(b->arena, max, sizeof(*run->packed));
    for (struct batch_item *i = b->items; i; i = i->next) {
        struct transition *t = container_of(i, struct transition, item);
        run->items[run->n++] = t;
        if (!t->label || t->label->packed)
            continue;
        run->packed[run->npacked] = t->label;
        run->pack_items[run->npacked++].doc = buf_view(&t->label->doc);
        run->pack_bytes += (int64_t)t->label->doc.n;
    }
    run->pending = run->npacked ? 2 : 1;
    read_all(run);
    if (run->npacked)
        work_submit(run->ctx->server->work, run->ctx->loop, pack, packed, run);
}
