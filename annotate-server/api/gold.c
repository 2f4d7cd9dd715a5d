/* Owns gold tasks: marking them, dealing them, scoring what comes back. Never tells an annotator
 * which work is gold. */
#include "annotate-server/api/gold.h"

#include "annotate-server/api/idempotency.h"
#include "annotate-server/api/label_body.h"
#include "annotate-server/api/listing.h"
#include "annotate-server/api/work.h"
#include "base/json_scan.h"
#include "base/log.h"
#include "core/agreement.h"

enum { RESTORE_MAX = 200 }; /* submissions of a statement */

/* ---- marking and looking */

static void on_marked(struct req *r, const PGresult *res)
{
    const int64_t *task = r->user;
    struct buf out;

    if (!db_get_bool(res, 0, 0)) {
        req_fail(r, ERR_INVALID, "/task", "is no task of this project");
        return;
    }
    if (!db_get_bool(res, 0, 1)) {
        req_fail(r, ERR_CONFLICT, NULL, "only a task that nobody has worked on becomes gold");
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    buf_printf(&out, "{\"task\":%lld}", (long long)*task);
    req_reply_json(r, 201, &out);
    buf_release(&out);
}

void gold_mark_handler(struct req *r)
{
    static const char *const members[] = {"task", "result"};
    int64_t *task = arena_alloc(r->arena, sizeof(*task));
    struct label_problem problem = {.pointer = "/result"};
    struct labelled *label;

    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_int(r, "task", true, 1, JSON_INT_MAX, task))
        return;
    if (!json_object_is_type(body_get(r, "result"), json_type_array)) {
        req_fail(r, ERR_INVALID, "/result", "must be an array of result items");
        return;
    }
    enum err e = label_body(r, body_get(r, "result"), NULL, 0, &label, &problem);
    if (e) {
        req_fail(r, e, problem.pointer, "%s", e == ERR_LABEL_INVALID ? problem.why : err_title(e));
        return;
    }
    r->user = task;
    struct query *q = query_new(r, STMT_gold_mark, on_marked);
    query_int(q, r->id_arg[0]);
    query_int(q, *task);
    query_text(q, buf_view(&label->doc));
    query_int(q, r->who.user);
    query_run(q);
}

void gold_list_handler(struct req *r)
{
    static const struct column columns[] = {{"user", put_int}, {"n", put_int},
        {"accuracy", put_int}, {"paused", put_bool}, {"restoring", put_bool}};
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q = listing_new(r, STMT_gold_list, "people", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

/* ---- dealing */

struct deal {
    struct db_call call;
    struct claim_run *run;
    struct db_array user, turns;
    void (*then)(struct claim_run *run);
};

static void release_deal(void *arg)
{
    struct deal *d = arg;

    db_array_release(&d->user);
    db_array_release(&d->turns);
}

static void on_dealt(struct db_call *call, enum err e, const PGresult *res)
{
    struct deal *d = container_of(call, struct deal, call);

    (void)res;
    if (e)
        log_warn("gold_deal", "%s", err_title(e));
    d->then(d->run);
}

static int64_t new_grants(const struct claim *c)
{
    int64_t n = 0;

    for (const struct grant *g = c->grants; g; g = g->next)
        n += !g->again;
    return n;
}

void gold_deal(struct claim_run *run, void (*then)(struct claim_run *run))
{
    struct arena *a = run->b->arena;
    const struct claim *first = container_of(run->b->items, const struct claim, item);
    const struct project *p = first->r->project;
    struct deal *d;

    if (first->stage != STAGE_ANNOTATE || !(p->workflow.gold_percent > 0) || !run->grants) {
        then(run);
        return;
    }
    d = arena_alloc(a, sizeof(*d));
    d->run = run;
    d->then = then;
    db_call_init(&d->call, STMT_gold_deal, run->b->key.tenant, on_dealt);
    db_array_init(&d->user, DB_INT8);
    db_array_init(&d->turns, DB_INT8);
    arena_defer(a, release_deal, d);
    for (struct batch_item *i = run->b->items; i; i = i->next) {
        const struct claim *c = container_of(i, const struct claim, item);
        if (new_grants(c) == 0)
            continue;
        db_array_int(&d->user, c->r->who.user);
        db_array_int(&d->turns, new_grants(c));
    }
    if (d->user.n == 0) {
        then(run);
        return;
    }
    db_int(&d->call, a, p->id);
    db_array_bind(&d->user, &d->call);
    db_array_bind(&d->turns, &d->call);
    db_text(&d->call, a, str_of(arena_printf(a, "%.6f", p->workflow.gold_percent)));
    db_int(&d->call, a, (int64_t)p->salt);
    db_submit(run->ctx->db, &d->call);
}

/* ---- scoring */

struct scoring {
    struct db_call call;
    struct transition_run *run;
    struct db_array ord, task;
    struct str *expected; /* by ord */
    void (*then)(struct transition_run *run);
};

static void release_scoring(void *arg)
{
    struct scoring *s = arg;

    db_array_release(&s->ord);
    db_array_release(&s->task);
}

static bool is_gold(const struct transition *t)
{
    return t->facts.gold && t->action == ACTION_SUBMIT;
}

/* On a work thread. What cannot be compared does not agree. */
static void measure(void *arg)
{
    struct scoring *s = arg;

    for (int i = 0; i < s->run->n; i++) {
        struct transition *t = s->run->items[i];
        struct agreement found;
        if (t->fate != TRANSITION_APPLY || !is_gold(t))
            continue;
        struct str docs[] = {s->expected[i], buf_view(&t->label->doc)};
        bool measured =
            docs[0].p && t->project->workflow.metric->measure(docs, 2, &found) == ERR_OK;
        t->gold_score = measured ? found.score : 0;
    }
}

static void measured(void *arg)
{
    struct scoring *s = arg;

    s->then(s->run);
}

static void on_expected(struct db_call *call, enum err e, const PGresult *res)
{
    struct scoring *s = container_of(call, struct scoring, call);
    struct transition_run *run = s->run;

    for (int i = 0; e && i < run->n; i++) { /* unscored it is not taken in */
        struct transition *t = run->items[i];
        if (t->fate != TRANSITION_APPLY || !is_gold(t))
            continue;
        t->fate = TRANSITION_DONE;
        t->err = e;
        t->why = err_title(e);
    }
    for (int row = 0; !e && row < PQntuples(res); row++)
        s->expected[db_get_int(res, row, 0)] = arena_str(run->b->arena, db_get_str(res, row, 1));
    work_submit(run->ctx->server->work, run->ctx->loop, measure, measured, s);
}

void gold_score(struct transition_run *run, void (*then)(struct transition_run *run))
{
    struct arena *a = run->b->arena;
    struct scoring *s = NULL;

    for (int i = 0; i < run->n; i++) {
        struct transition *t = run->items[i];
        t->gold_score = -1;
        if (t->fate != TRANSITION_APPLY || !is_gold(t))
            continue;
        if (!s) {
            s = arena_alloc(a, sizeof(*s));
            db_call_init(&s->call, STMT_gold_expected, run->b->key.tenant, on_expected);
            db_array_init(&s->ord, DB_INT4);
            db_array_init(&s->task, DB_INT8);
            arena_defer(a, release_scoring, s);
        }
        db_array_int(&s->ord, i);
        db_array_int(&s->task, t->task);
    }
    if (!s) {
        then(run);
        return;
    }
    s->run = run;
    s->then = then;
    s->expected = arena_array(a, (size_t)run->n, sizeof(*s->expected));
    db_int(&s->call, a, run->b->key.project);
    db_array_bind(&s->ord, &s->call);
    db_array_bind(&s->task, &s->call);
    db_submit(run->ctx->db, &s->call);
}

void gold_disguise(
    const struct transition *t, enum task_state *state, int64_t *version, int *label_seq)
{
    struct task_facts plain = t->facts;
    struct decision d;

    plain.gold = false;
    plain.state = TASK_ANNOTATE;
    plain.slots_left = plain.overlap - 1;
    plain.agreement = 1;
    *version = 2;
    *label_seq = 1;
    *state = workflow_decide(&t->project->workflow, &plain, t->action, &d) ? t->to : d.to;
}

/* ---- keeping the scores */

struct record {
    struct db_call call;
    struct db_array user, task, label, score, key, request, answer;
};

static void release_record(void *arg)
{
    struct record *k = arg;

    db_array_release(&k->user);
    db_array_release(&k->task);
    db_array_release(&k->label);
    db_array_release(&k->score);
    db_array_release(&k->key);
    db_array_release(&k->request);
    db_array_release(&k->answer);
}

static struct record *record_new(struct arena *a)
{
    struct record *k = arena_alloc(a, sizeof(*k));

    db_array_init(&k->user, DB_INT8);
    db_array_init(&k->task, DB_INT8);
    db_array_init(&k->label, DB_INT8);
    db_array_init(&k->score, DB_FLOAT8);
    db_array_init(&k->key, DB_TEXT);
    db_array_init(&k->request, DB_BYTEA);
    db_array_init(&k->answer, DB_TEXT);
    arena_defer(a, release_record, k);
    return k;
}

/* What the person is told, kept for a request that carries a key (I4). */
static void add_answer(struct record *k, const struct transition *t, const PGresult *res, int row)
{
    struct transition told = *t;
    struct buf out;

    if (!t->idempotency) {
        db_array_null(&k->key);
        db_array_null(&k->request);
        db_array_null(&k->answer);
        return;
    }
    told.label_id = db_get_int(res, row, 4);
    buf_init(&out, BUF_MAX_JSON);
    work_answer(&told, &out);
    db_array_text(&k->key, t->idempotency->key);
    db_array_text(&k->request, (struct str){(const char *)t->idempotency->request.b, SHA256_LEN});
    db_array_text(&k->answer, buf_view(&out));
    buf_release(&out);
}

const struct db_call *gold_record(
    struct transition_run *run, struct transition **items, const PGresult *res)
{
    struct arena *a = run->b->arena;
    struct record *k = record_new(a);

    for (int row = 0; row < PQntuples(res); row++) {
        const struct transition *t = items[db_get_int(res, row, 0)];
        if (t->gold_score < 0)
            continue;
        db_array_int(&k->user, t->actor);
        db_array_int(&k->task, t->task);
        db_array_int(&k->label, db_get_int(res, row, 4));
        db_array_float(&k->score, t->gold_score);
        add_answer(k, t, res, row);
    }
    if (k->user.n == 0)
        return NULL;
    db_call_init(&k->call, STMT_gold_record, run->b->key.tenant, NULL);
    db_int(&k->call, a, run->b->key.project);
    db_array_bind(&k->user, &k->call);
    db_array_bind(&k->task, &k->call);
    db_array_bind(&k->label, &k->call);
    db_array_bind(&k->score, &k->call);
    db_text(&k->call, a, str_of(arena_printf(a, "%.6f", items[0]->project->workflow.gold_floor)));
    db_array_bind(&k->key, &k->call);
    db_array_bind(&k->request, &k->call);
    db_array_bind(&k->answer, &k->call);
    return &k->call;
}

/* ---- opening the work of who was paused */

struct restore {
    struct db_call call;
    struct arena *arena;
    struct thread_ctx *ctx;
    int64_t tenant, project;
};

static void restore_some(struct restore *s);

static void on_restored(struct db_call *call, enum err e, const PGresult *res)
{
    struct restore *s = container_of(call, struct restore, call);

    if (!e && PQntuples(res) > 0) {
        park_wake(s->ctx->server, s->tenant, s->project, STAGE_ANNOTATE);
        restore_some(s);
        return;
    }
    if (e) /* the next gold work of the project goes on with it */
        log_warn("gold_restore", "%s", err_title(e));
    arena_free(s->arena);
}

static void restore_some(struct restore *s)
{
    db_call_init(&s->call, STMT_gold_restore, s->tenant, on_restored);
    db_int(&s->call, s->arena, s->project);
    db_int(&s->call, s->arena, RESTORE_MAX);
    db_submit(s->ctx->db, &s->call);
}

void gold_restore(const struct transition_run *run)
{
    for (int i = 0; i < run->n; i++) {
        const struct transition *t = run->items[i];
        if (t->fate != TRANSITION_DONE || t->err || t->gold_score < 0 ||
            !(t->project->workflow.gold_floor > 0))
            continue;
        struct arena *a = arena_new();
        struct restore *s = arena_alloc(a, sizeof(*s));
        s->arena = a;
        s->ctx = run->ctx;
        s->tenant = run->b->key.tenant;
        s->project = run->b->key.project;
        restore_some(s);
        return;
    }
}
