/* Owns finding work: what the head of the queue gives (claim_take), and each claimer's own walk
 * past what is not for them (claim_search). Never gives one slot twice: the guarded UPDATEs do that
 * (I3). */
#include "annotate-server/api/claim.h"
#include "annotate-server/api/gold.h"
#include "annotate-server/api/queue_head.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/project.h"
#include "base/clock.h"
#include "base/config.h"

enum { TRIES_MAX = 5 };

/* Columns of both statements' rows after what take_row() reads; of claim_search only the first. */
enum { COL_MORE = 14, COL_BLOCKED = 14, COL_SEATS, COL_STANDING, COL_SHORT, COL_RANK, COL_ID };

static void take_row(struct claim_run *run, struct claim *c, const PGresult *res, int row)
{
    struct arena *a = run->b->arena;
    struct grant *g = arena_alloc(a, sizeof(*g));

    *g = (struct grant){.claim = c,
        .ord = ++run->ngrants,
        .id = db_get_int(res, row, 1),
        .version = db_get_int(res, row, 2),
        .slot = db_get_int(res, row, 3),
        .expires = arena_str(a, db_get_str(res, row, 4)),
        .task = db_get_int(res, row, 5),
        .data = arena_str(a, db_get_str(res, row, 6)),
        .meta = db_is_null(res, row, 7) ? STR("null") : arena_str(a, db_get_str(res, row, 7)),
        .state = arena_str(a, db_get_str(res, row, 8)),
        .task_version = db_get_int(res, row, 9),
        .head = db_get_int(res, row, 10),
        .rework = (int)db_get_int(res, row, 11),
        .label_seq = (int)db_get_int(res, row, 12),
        .again = db_get_bool(res, row, 13),
        .dropped = db_is_null(res, row, 6)};
    *c->tail = g;
    c->tail = &g->next;
    c->granted++;
    *run->tail = g;
    run->tail = &g->all;
    gate_learn(run->ctx, run->b->key.tenant, OBJECT_ASSIGNMENT, g->id, run->b->key.project);
}

static void take_rows(struct claim_run *run, const PGresult *res)
{
    for (int row = 0; row < PQntuples(res); row++)
        if (!db_is_null(res, row, 1))
            take_row(run, run->by_ord[db_get_int(res, row, 0)], res, row);
}

/* ---- one claimer's walk */

struct search {
    struct db_call call;
    struct claim_run *run;
    struct claim *c;
};

static void searched(struct db_call *call, enum err e, const PGresult *res)
{
    struct search *s = container_of(call, struct search, call);
    struct claim_run *run = s->run;
    int n = e ? 0 : PQntuples(res); /* a failed search is an empty one: the claimer asks again */

    for (int row = 0; row < n; row++)
        if (!db_is_null(res, row, 1))
            take_row(run, s->c, res, row);
    if (n && db_get_bool(res, 0, COL_MORE))
        s->c->unfinished = true;
    if (--run->pending == 0)
        gold_deal(run, run->found);
}

static void search(struct claim_run *run, struct claim *c)
{
    struct arena *a = run->b->arena;
    struct search *s = arena_alloc(a, sizeof(*s));

    s->run = run;
    s->c = c;
    db_call_init(&s->call, STMT_claim_search, run->b->key.tenant, searched);
    db_int(&s->call, a, run->b->key.project);
    db_text(&s->call, a, str_of(stage_name(c->stage)));
    db_int(&s->call, a, c->r->who.user);
    db_int(&s->call, a, c->want - c->granted);
    db_int(&s->call, a, c->lease_s);
    db_int(&s->call, a, config_int(CONFIG_claim_walk));
    db_int(&s->call, a, config_int(CONFIG_claim_lap_s));
    db_int(&s->call, a, run->project->workflow.max_leases[c->stage]);
    run->pending++;
    db_submit(run->ctx->db, &s->call);
}

/* ---- the head of the queue */

/* What a person may hold at most: a cap, a pause and missing skills leave them less than they asked
 * for. */
static void limit(struct claim_run *run, const PGresult *res)
{
    int64_t *seats, *standing;
    size_t n = (size_t)run->b->n;

    BUG_ON(db_get_ints(res, 0, COL_SEATS, run->b->arena, &seats) != n ||
           db_get_ints(res, 0, COL_STANDING, run->b->arena, &standing) != n);
    for (size_t i = 0; i < n; i++) {
        struct claim *c = run->by_ord[i + 1];
        c->standing = (enum standing)standing[i];
        c->capped = !c->standing && seats[i] < c->asked;
        c->want = (int)seats[i];
    }
}

static struct queue_head *head_of(const struct claim_run *run)
{
    const struct batch_key *k = &run->b->key;

    return queue_head_of(run->ctx, k->tenant, k->project, (enum stage)k->extra);
}

/* Keeps where the head of the queue is. */
static void learn(struct claim_run *run, const PGresult *res)
{
    struct queue_place p = {(int)db_get_int(res, 0, COL_RANK), db_get_int(res, 0, COL_ID)};

    queue_head_learn(head_of(run), db_is_null(res, 0, COL_ID) ? NULL : &p,
        db_get_bool(res, 0, COL_SHORT), run->look, run->began_us, clock_mono_us());
}

static void take(struct claim_run *run);

static void taken(struct db_call *call, enum err e, const PGresult *res)
{
    struct claim_run *run = container_of(call, struct claim_run, call);
    bool short_of, blocked;

    if (e == ERR_EXISTS && ++run->tries < TRIES_MAX) { /* one of them claimed elsewhere just now */
        take(run);
        return;
    }
    if (e) {
        claim_fail_all(run, e);
        return;
    }
    limit(run, res);
    take_rows(run, res);
    learn(run, res);
    short_of = !run->look && db_get_bool(res, 0, COL_SHORT);
    blocked = db_get_int(res, 0, COL_BLOCKED) > 0; /* the head held work not for those it fell to */
    for (int i = 1; i <= run->b->n; i++) {
        struct claim *c = run->by_ord[i];
        if (c->granted >= c->want)
            continue;
        c->unfinished = short_of && queue_head_again(head_of(run), c->deadline_us != 0);
        if (blocked)
            search(run, c);
    }
    if (run->pending == 0)
        gold_deal(run, run->found);
}

static void bind_place(struct db_call *call, struct arena *a, struct queue_place p)
{
    db_int(call, a, p.rank);
    db_int(call, a, p.id);
}

static void take(struct claim_run *run)
{
    const struct batch *b = run->b;
    struct queue_place start;

    run->began_us = clock_mono_us();
    start = queue_head_start(head_of(run), run->began_us, &run->look);
    db_call_init(&run->call, STMT_claim_take, b->key.tenant, taken);
    db_int(&run->call, b->arena, b->key.project);
    db_text(&run->call, b->arena, str_of(stage_name((enum stage)b->key.extra)));
    db_array_bind(&run->ord, &run->call);
    db_array_bind(&run->place, &run->call);
    db_array_bind(&run->user, &run->call);
    db_array_bind(&run->lease, &run->call);
    db_array_bind(&run->more, &run->call);
    db_int(&run->call, b->arena, run->project->workflow.max_leases[b->key.extra]);
    db_text(&run->call, b->arena, str_of(run->project->workflow.skills));
    bind_place(&run->call, b->arena, start);
    db_text(&run->call, b->arena, claim_roles((enum stage)b->key.extra, b->arena));
    db_array_bind(&run->waited, &run->call);
    db_submit(run->ctx->db, &run->call);
}

void claim_find(struct claim_run *run, void (*then)(struct claim_run *run))
{
    run->found = then;
    take(run);
}
