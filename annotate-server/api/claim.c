/* Owns handing out work. Never gives one slot twice: the guarded UPDATE of claim_take and
 * claim_search does that (I3). */
#include "annotate-server/api/claim.h"

#include "annotate-server/api/gold.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/http/route.h"
#include "annotate-server/project.h"
#include "base/clock.h"

enum { WALK_US = 2000000 }; /* how long a claim that does not wait goes on looking */

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
    c->capped = c->unfinished = false;
    c->standing = STANDING_GOOD;
    c->err = ERR_OK;
    batch_add(c->r->ctx->batches, &key, &c->item);
}

/* ---- answering */

/* A waiting claim's person may be gone by now; what the gate would say. */
static bool turned_away(struct claim *c)
{
    static const struct {
        enum err err;
        const char *why;
    } answers[] = {
        [STANDING_DISABLED] = {ERR_UNAUTHENTICATED, "log in, or send a valid token"},
        [STANDING_STRANGER] = {ERR_NOT_FOUND, "there is no such thing here"},
        [STANDING_ROLE] = {ERR_FORBIDDEN, "your role has changed"},
        [STANDING_ARCHIVED] = {ERR_CONFLICT, "the project is archived"},
    };

    if (c->standing <= STANDING_PAUSED)
        return false;
    req_fail(c->r, answers[c->standing].err, NULL, "%s", answers[c->standing].why);
    return true;
}

static void answer(struct claim *c)
{
    struct buf out;

    if (turned_away(c))
        return;
    if (c->err) {
        query_fail(c->r, c->err);
        return;
    }
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

static bool may_go_on(const struct claim *c)
{
    int64_t until_us = c->deadline_us ? c->deadline_us : c->since_us + WALK_US;

    return !c->capped && !c->standing && clock_mono_us() < until_us && !req_gone(c->r);
}

static void answer_or_park(struct claim *c)
{
    struct thread_ctx *ctx = c->r->ctx;

    /* It goes on in the next batch, together with whoever came meanwhile. */
    if (c->unfinished && !c->granted && !c->err && may_go_on(c)) {
        enqueue(c);
        return;
    }
    c->parked = (struct parked){.tenant = c->r->who.tenant,
        .project = c->r->project->id,
        .stage = c->stage,
        .since_us = c->since_us,
        .deadline_us = c->deadline_us,
        .wake = woken};
    if (c->granted || c->capped || c->standing || c->err || c->deadline_us <= clock_mono_us() ||
        req_gone(c->r) || !park_add(ctx, &c->parked)) {
        if (c->granted && c->waited)
            park_pass_on(ctx, c->parked.tenant, c->parked.project, c->stage);
        answer(c);
        return;
    }
    c->waited = true;
    c->r->on_close = gave_up;
}

void claim_fail_all(struct claim_run *run, enum err e)
{
    struct batch_item *next;

    for (struct batch_item *i = run->b->items; i; i = next) {
        next = i->next;
        query_fail(container_of(i, struct claim, item)->r, e);
    }
    batch_end(run->b);
}

static void answer_all(struct claim_run *run)
{
    struct batch_item *next;

    for (struct batch_item *i = run->b->items; i; i = next) {
        next = i->next; /* answering ends the request that holds the item */
        answer_or_park(container_of(i, struct claim, item));
    }
    batch_end(run->b);
}

/* Work without its label, draft or comments must not be shown as if it had none: the leases stand,
 * and the next claim finds them again. */
static void described(struct claim_run *run)
{
    if (run->err)
        claim_fail_all(run, run->err);
    else
        claim_give_back(run, answer_all);
}

static void dealt(struct claim_run *run)
{
    claim_describe(run, described);
}

/* ---- a batch */

static void release_arrays(void *arg)
{
    struct claim_run *run = arg;

    db_array_release(&run->ord);
    db_array_release(&run->place);
    db_array_release(&run->user);
    db_array_release(&run->lease);
    db_array_release(&run->more);
    db_array_release(&run->waited);
}

static void add_seats(struct claim_run *run, const struct claim *c, int ord)
{
    for (int place = 1; place <= c->asked; place++) {
        db_array_int(&run->ord, ord);
        db_array_int(&run->place, place);
        db_array_int(&run->user, c->r->who.user);
        db_array_int(&run->lease, c->lease_s);
        db_array_bool(&run->more, c->more);
        db_array_bool(&run->waited, c->waited);
    }
}

static void run_batch(struct batch *b)
{
    struct claim_run *run = arena_alloc(b->arena, sizeof(*run));
    int n = 0;

    run->b = b;
    run->ctx = b->ctx;
    run->project = container_of(b->items, const struct claim, item)->r->project;
    run->tail = &run->grants;
    run->by_ord = arena_array(b->arena, (size_t)b->n + 1, sizeof(struct claim *));
    db_array_init(&run->ord, DB_INT4);
    db_array_init(&run->place, DB_INT4);
    db_array_init(&run->user, DB_INT8);
    db_array_init(&run->lease, DB_INT4);
    db_array_init(&run->more, DB_BOOL);
    db_array_init(&run->waited, DB_BOOL);
    arena_defer(b->arena, release_arrays, run);
    for (struct batch_item *i = b->items; i; i = i->next) {
        run->by_ord[++n] = container_of(i, struct claim, item);
        add_seats(run, run->by_ord[n], n);
    }
    claim_find(run, dealt);
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

struct str claim_roles(enum stage stage, struct arena *a)
{
    struct buf roles;

    buf_init(&roles, BUF_MAX_LINE);
    for (int role = ROLE_VIEWER; role < ROLE_COUNT; role++)
        if (claim_may(stage, (enum role)role))
            buf_printf(&roles, "%c%s", roles.n ? ',' : '{', role_name((enum role)role));
    buf_putc(&roles, '}');
    struct str text = arena_str(a, buf_view(&roles));
    buf_release(&roles);
    return text;
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
