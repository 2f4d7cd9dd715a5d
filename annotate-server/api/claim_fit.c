/* Owns what a claim does not show: more than one answer holds, and labels that cannot be read.
 * Never shows work without its label as if it had none (an annotator would write over it): such
 * work is put aside. */
#include "annotate-server/api/claim.h"

#include "annotate-server/api/media.h"
#include "base/log.h"

enum {
    FIT = BUF_MAX_REPLY - (1 << 20), /* of labels, drafts, comments and tasks in one answer */
    AROUND = 1024,                   /* a grant's own members, and those of each label */
    ASIDE_S = 3600,
};

struct give_back {
    struct db_call call;
    struct claim_run *run;
    struct db_array id, version, holder, aside;
    void (*then)(struct claim_run *run);
};

static int64_t size_of(const struct grant *g)
{
    size_t n = AROUND + media_count(g->data) * MEDIA_LINK_MAX + g->data.n + g->meta.n + g->draft.n +
               g->comments.n;

    /* A label may be shown as a prediction, as the head and as a side. */
    for (const struct view *v = g->views; v; v = v->next)
        n += ((size_t)v->content->bytes + AROUND) * (size_t)(1 + v->is_head + v->is_side);
    return (int64_t)n;
}

static void forget_labels(const struct grant *g)
{
    for (const struct view *v = g->views; v; v = v->next)
        v->content->err = ERR_FULL; /* so that they are not read */
}

void claim_fit(struct claim_run *run)
{
    for (struct batch_item *i = run->b->items; i; i = i->next) {
        const struct claim *c = container_of(i, const struct claim, item);
        int64_t total = 0;
        for (struct grant *g = c->grants; g; g = g->next) {
            int64_t size = size_of(g);
            if (size > FIT)
                g->unreadable = true; /* nor will it ever fit */
            g->dropped = g->dropped || total + size > FIT;
            total += g->dropped ? 0 : size;
            if (g->dropped)
                forget_labels(g);
        }
    }
}

/* ---- what cannot be read */

/* A machine's suggestion is shown with its error; what a person made is not worked on without. */
static bool needed(const struct view *v)
{
    return v->is_side || (v->is_head && !str_is(v->kind, "prelabel"));
}

static void look_at_labels(struct grant *g)
{
    for (const struct view *v = g->views; v && !g->dropped; v = v->next) {
        enum err e = v->content->err;
        if (!e || !needed(v))
            continue;
        if (e == ERR_CORRUPT || e == ERR_NOT_FOUND)
            g->dropped = g->unreadable = true;
        else
            g->claim->err = e; /* storage may be back soon: the leases stand until then */
    }
}

static void drop(struct give_back *b, const struct grant *g)
{
    if (g->unreadable)
        log_error("claim", "task %lld is put aside: its label cannot be shown", (long long)g->task);
    else if (g->again)
        return; /* it stays theirs, for the next claim */
    db_array_int(&b->id, g->id);
    db_array_int(&b->version, g->version);
    db_array_int(&b->holder, g->claim->r->who.user);
    db_array_bool(&b->aside, g->unreadable);
}

/* Takes the dropped ones off what their claims show. */
static void sort_out(struct give_back *b)
{
    for (struct batch_item *i = b->run->b->items; i; i = i->next) {
        struct claim *c = container_of(i, struct claim, item);
        struct grant **at = &c->grants;
        while (*at) {
            look_at_labels(*at);
            if (!(*at)->dropped) {
                at = &(*at)->next;
                continue;
            }
            drop(b, *at);
            c->granted--;
            c->unfinished = true; /* if that was all: there may be other work */
            *at = (*at)->next;
        }
        c->tail = at;
    }
}

static void release(void *arg)
{
    struct give_back *b = arg;

    db_array_release(&b->id);
    db_array_release(&b->version);
    db_array_release(&b->holder);
    db_array_release(&b->aside);
}

/* A failure leaves the leases to run out, or to be found by the next claim. */
static void given_back(struct db_call *call, enum err e, const PGresult *res)
{
    struct give_back *b = container_of(call, struct give_back, call);
    const struct batch_key *k = &b->run->b->key;

    if (e)
        log_warn("claim_give_back", "%s", err_title(e));
    else if (db_get_int(res, 0, 0))
        park_wake(b->run->ctx->server, k->tenant, k->project, (enum stage)k->extra);
    b->then(b->run);
}

void claim_give_back(struct claim_run *run, void (*then)(struct claim_run *run))
{
    struct give_back *b = arena_alloc(run->b->arena, sizeof(*b));

    b->run = run;
    b->then = then;
    db_call_init(&b->call, STMT_claim_give_back, run->b->key.tenant, given_back);
    db_array_init(&b->id, DB_INT8);
    db_array_init(&b->version, DB_INT8);
    db_array_init(&b->holder, DB_INT8);
    db_array_init(&b->aside, DB_BOOL);
    arena_defer(run->b->arena, release, b);
    sort_out(b);
    if (b->id.n == 0) {
        then(run);
        return;
    }
    db_array_bind(&b->id, &b->call);
    db_array_bind(&b->version, &b->call);
    db_array_bind(&b->holder, &b->call);
    db_array_bind(&b->aside, &b->call);
    db_int(&b->call, run->b->arena, ASIDE_S);
    db_submit(run->ctx->db, &b->call);
}
