/* Owns handing out work. Never gives one slot twice: the guarded UPDATE of claim_take and
 * claim_search does that (I3). */
#include "annotate-server/api/claim.h"

#include "annotate-server/api/gold.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/http/route.h"
#include "annotate-server/project.h"
#include "base/clock.h"

enum { TRIES_MAX = 5 };

static void run_batch(struct batch *b);

static bool another_person(const struct batch *b, const struct batch_item *item)
{
    const struct claim *c = container_of(item, const struct claim, item);

    for (const struct batch_item *i = b->items; i; i = i->next)
        if (container_of(i, const struct claim, item)->r->who.user == c->r->who.user)
            return false;
    return true;
}

static const struct batch_kind claims = {"claim", CLAIM_MAX, another_person, run_batch};

static void enqueue(struct claim *c)
{
    struct batch_key key = {&claims, c->r->who.tenant, c->r->project->id, c->stage};

    c->grants = NULL;
    c->tail = &c->grants;
    c->granted = 0;
    c->want = c->asked;
    c->capped = c->paused = false;
    c->searched_all = false;
    batch_add(c->r->ctx->batches, &key, &c->item);
}

/* ---- answering */

static void answer(struct claim *c)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    claim_print(c, &out);
    req_reply_json(c->r, 200, &out);
    buf_release(&out);
}

static void woken(struct parked *p, bool timed_out)
{
    struct claim *c = container_of(p, struct claim, parked);

    c->r->on_close = NULL;
    if (timed_out)
        answer(c);
    else
        enqueue(c);
}

static void gave_up(struct req *r)
{
    struct claim *c = r->user;

    park_remove(r->ctx, &c->parked);
    req_fail(r, ERR_TIMEOUT, NULL, "the client went away");
}

static void answer_or_park(struct claim *c)
{
    struct thread_ctx *ctx = c->r->ctx;

    c->parked = (struct parked){.tenant = c->r->who.tenant,
        .project = c->r->project->id,
        .stage = c->stage,
        .since_us = c->since_us,
        .deadline_us = c->deadline_us,
        .wake = woken};
    if (c->granted || c->capped || c->paused || c->deadline_us <= clock_mono_us() ||
        req_gone(c->r) || !park_add(ctx, &c->parked)) {
        if (c->granted && c->waited)
            park_pass_on(ctx, c->parked.tenant, c->parked.project, c->stage);
        answer(c);
        return;
    }
    c->waited = true;
    c->r->on_close = gave_up;
}

static void fail_all(struct claim_run *run, enum err e)
{
    struct batch_item *next;

    for (struct batch_item *i = run->b->items; i; i = next) {
        next = i->next;
        query_fail(container_of(i, struct claim, item)->r, e);
    }
    batch_end(run->b);
}

/* Work without its label, draft or comments must not be shown as if it had none: the leases stand,
 * and the next claim finds them again. */
static void described(struct claim_run *run)
{
    struct batch_item *next;

    if (run->err) {
        fail_all(run, run->err);
        return;
    }
    for (struct batch_item *i = run->b->items; i; i = next) {
        next = i->next; /* answering ends the request that holds the item */
        answer_or_park(container_of(i, struct claim, item));
    }
    batch_end(run->b);
}

static void dealt(struct claim_run *run)
{
    claim_describe(run, described);
}

/* ---- the statements */

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
        .again = db_get_bool(res, row, 13)};
    *c->tail = g;
    c->tail = &g->next;
    c->granted++;
    *run->tail = g;
    run->tail = &g->all;
    gate_learn(run->ctx, run->b->key.tenant, OBJECT_ASSIGNMENT, g->id, run->b->key.project);
}

struct search {
    struct db_call call;
    struct claim_run *run;
    struct claim *c;
};

static void search(struct claim_run *run, struct claim *c, bool from_cursor);

static void searched(struct db_call *call, enum err e, const PGresult *res)
{
    struct search *s = container_of(call, struct search, call);
    struct claim_run *run = s->run;
    int n = e ? 0 : PQntuples(res); /* a failed search is an empty one: the claimer asks again */

    for (int i = 0; i < n; i++)
        take_row(run, s->c, res, i);
    if (n == 0 && !e && !s->c->searched_all)
        search(run, s->c, false);
    if (--run->pending == 0)
        gold_deal(run, dealt);
}

static void search(struct claim_run *run, struct claim *c, bool from_cursor)
{
    struct arena *a = run->b->arena;
    struct search *s = arena_alloc(a, sizeof(*s));

    s->run = run;
    s->c = c;
    c->searched_all = !from_cursor;
    db_call_init(&s->call, STMT_claim_search, run->b->key.tenant, searched);
    db_int(&s->call, a, run->b->key.project);
    db_text(&s->call, a, str_of(stage_name(c->stage)));
    db_int(&s->call, a, c->r->who.user);
    db_int(&s->call, a, c->want - c->granted);
    db_int(&s->call, a, c->lease_s);
    db_bool(&s->call, from_cursor);
    run->pending++;
    db_submit(run->ctx->db, &s->call);
}

/* What a person may hold at most: a cap, a pause and missing skills leave them less than they asked
 * for. */
static void limit(struct claim_run *run, struct claim **by_ord, int n, const PGresult *res)
{
    int64_t *seats, *paused;
    size_t k = db_get_ints(res, 0, 15, run->b->arena, &seats);

    BUG_ON(k != (size_t)n || db_get_ints(res, 0, 16, run->b->arena, &paused) != k);
    for (int i = 0; i < n; i++) {
        struct claim *c = by_ord[i + 1];
        c->paused = paused[i];
        c->capped = !c->paused && seats[i] < c->asked;
        c->want = (int)seats[i];
    }
}

static void take(struct claim_run *run);

static void taken(struct db_call *call, enum err e, const PGresult *res)
{
    struct claim_run *run = container_of(call, struct claim_run, call);
    struct claim **by_ord;
    int n = 0;

    if (e == ERR_EXISTS && ++run->tries < TRIES_MAX) { /* one of them claimed elsewhere just now */
        take(run);
        return;
    }
    if (e) {
        fail_all(run, e);
        return;
    }
    by_ord = arena_array(run->b->arena, (size_t)run->b->n + 1, sizeof(struct claim *));
    for (struct batch_item *i = run->b->items; i; i = i->next)
        by_ord[++n] = container_of(i, struct claim, item);
    limit(run, by_ord, n, res);
    for (int row = 0; row < PQntuples(res); row++)
        if (!db_is_null(res, row, 1))
            take_row(run, by_ord[db_get_int(res, row, 0)], res, row);
    if (db_get_int(res, 0, 14) > 0) /* the head held work that was not for those it fell to */
        for (int i = 1; i <= n; i++)
            if (by_ord[i]->granted < by_ord[i]->want)
                search(run, by_ord[i], true);
    if (run->pending == 0)
        gold_deal(run, dealt);
}

static void take(struct claim_run *run)
{
    const struct batch *b = run->b;

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
    db_submit(run->ctx->db, &run->call);
}

static void release_arrays(void *arg)
{
    struct claim_run *run = arg;

    db_array_release(&run->ord);
    db_array_release(&run->place);
    db_array_release(&run->user);
    db_array_release(&run->lease);
    db_array_release(&run->more);
}

static void run_batch(struct batch *b)
{
    struct claim_run *run = arena_alloc(b->arena, sizeof(*run));
    int ord = 0;

    run->b = b;
    run->ctx = b->ctx;
    run->project = container_of(b->items, const struct claim, item)->r->project;
    run->tail = &run->grants;
    db_array_init(&run->ord, DB_INT4);
    db_array_init(&run->place, DB_INT4);
    db_array_init(&run->user, DB_INT8);
    db_array_init(&run->lease, DB_INT4);
    db_array_init(&run->more, DB_BOOL);
    arena_defer(b->arena, release_arrays, run);
    for (struct batch_item *i = b->items; i; i = i->next) {
        const struct claim *c = container_of(i, const struct claim, item);
        ord++;
        for (int place = 1; place <= c->asked; place++) {
            db_array_int(&run->ord, ord);
            db_array_int(&run->place, place);
            db_array_int(&run->user, c->r->who.user);
            db_array_int(&run->lease, c->lease_s);
            db_array_bool(&run->more, c->more);
        }
    }
    take(run);
}

/* ---- the request */

static const unsigned may_claim[STAGE_COUNT] = {
    [STAGE_PRELABEL] = MAY_MODEL,
    [STAGE_ANNOTATE] = MAY_ANNOTATOR | MAY_REVIEWER | MAY_QA | MAY_MANAGER,
    [STAGE_REVIEW] = MAY_REVIEWER | MAY_QA | MAY_MANAGER,
    [STAGE_QA] = MAY_QA | MAY_MANAGER,
};

bool claim_may(enum stage stage, enum role role)
{
    return may_claim[stage] & role_may(role);
}

void claim_handler(struct req *r)
{
    static const char *const members[] = {"stage", "count", "wait_s", "lease_s", "more"};
    struct claim *c = arena_alloc(r->arena, sizeof(*c));
    struct str stage = {NULL, 0};
    int64_t count = 1, wait_s = 0, lease_s;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "stage", true, 16, &stage))
        return;
    if (!stage_parse(stage, &c->stage)) {
        req_fail(r, ERR_INVALID, "/stage", "must be prelabel, annotate, review or qa");
        return;
    }
    lease_s = r->project->workflow.lease_s[c->stage];
    if (!body_int(r, "count", false, 1, CLAIM_MAX, &count) ||
        !body_int(r, "wait_s", false, 0, CLAIM_WAIT_MAX_S, &wait_s) ||
        !body_int(r, "lease_s", false, LEASE_MIN_S, LEASE_MAX_S, &lease_s) ||
        !body_bool(r, "more", &c->more))
        return;
    if (!claim_may(c->stage, r->who.role)) {
        req_fail(r, ERR_FORBIDDEN, "/stage", "a %s may not take %s work", role_name(r->who.role),
            stage_name(c->stage));
        return;
    }
    c->r = r;
    c->asked = (int)count;
    c->lease_s = (int)lease_s;
    c->since_us = clock_mono_us();
    c->deadline_us = wait_s ? c->since_us + wait_s * 1000000 : 0;
    c->item.weight = c->asked;
    r->user = c;
    enqueue(c);
}
