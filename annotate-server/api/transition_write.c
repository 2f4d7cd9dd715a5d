/* Owns the guarded writes of a batch of transitions: transition_apply and label_keep_late. Never
 * decides. */
#include "annotate-server/api/transition.h"

#include "annotate-server/api/gold.h"
#include "annotate-server/api/idempotency.h"
#include "base/log.h"

/* The array parameters of transition_apply, in the order of its $n; scalars stand between them
 * (bind()). A_: one element a decision; L_: of its label, or NULL; M_: of a merge; P_: of a
 * pack; C_: of a comment. */
enum column {
    A_ORD,
    A_ASSIGNMENT,
    A_VERSION,
    A_ACTOR,
    A_TASK,
    A_TASK_VERSION,
    A_FROM,
    A_ACTION,
    A_TO,
    A_SLOT_STATE,
    A_EXCLUDE_ACTOR,
    A_STAGE,
    A_OPEN_STAGE,
    A_OPEN_SLOTS,
    A_RESERVED_FOR,
    A_EXCLUDED,
    A_REWORK,
    A_SKIP,
    A_DETAIL,
    A_CANCEL,
    L_KIND,
    L_PARENT,
    L_PACK,
    L_OFF,
    L_BYTES,
    L_SHA,
    L_REGIONS,
    L_LEAD,
    L_SCORE,
    L_MODEL,
    L_CONFIG,
    L_HEAD,
    M_ORD,
    M_PACK,
    M_OFF,
    M_BYTES,
    M_SHA,
    M_REGIONS,
    P_ID,
    P_BYTES,
    P_DOCUMENTS,
    C_ORD,
    C_REGION,
    C_TEXT,
    A_KEY,
    A_REQUEST,
    M_FROM,
    COLUMNS
};

static const enum db_elem elems[COLUMNS] = {
    [A_ORD] = DB_INT4,
    [A_ASSIGNMENT] = DB_INT8,
    [A_VERSION] = DB_INT8,
    [A_ACTOR] = DB_INT8,
    [A_TASK] = DB_INT8,
    [A_TASK_VERSION] = DB_INT8,
    [A_FROM] = DB_TEXT,
    [A_ACTION] = DB_TEXT,
    [A_TO] = DB_TEXT,
    [A_SLOT_STATE] = DB_TEXT,
    [A_EXCLUDE_ACTOR] = DB_BOOL,
    [A_STAGE] = DB_TEXT,
    [A_OPEN_STAGE] = DB_TEXT,
    [A_OPEN_SLOTS] = DB_INT4,
    [A_RESERVED_FOR] = DB_INT8,
    [A_EXCLUDED] = DB_TEXT,
    [A_REWORK] = DB_INT4,
    [A_SKIP] = DB_INT4,
    [A_DETAIL] = DB_TEXT,
    [A_CANCEL] = DB_BOOL,
    [L_KIND] = DB_TEXT,
    [L_PARENT] = DB_INT8,
    [L_PACK] = DB_TEXT,
    [L_OFF] = DB_INT8,
    [L_BYTES] = DB_INT4,
    [L_SHA] = DB_BYTEA,
    [L_REGIONS] = DB_INT4,
    [L_LEAD] = DB_FLOAT8,
    [L_SCORE] = DB_FLOAT8,
    [L_MODEL] = DB_TEXT,
    [L_CONFIG] = DB_INT4,
    [L_HEAD] = DB_BOOL,
    [M_ORD] = DB_INT4,
    [M_PACK] = DB_TEXT,
    [M_OFF] = DB_INT8,
    [M_BYTES] = DB_INT4,
    [M_SHA] = DB_BYTEA,
    [M_REGIONS] = DB_INT4,
    [P_ID] = DB_TEXT,
    [P_BYTES] = DB_INT8,
    [P_DOCUMENTS] = DB_INT4,
    [C_ORD] = DB_INT4,
    [C_REGION] = DB_TEXT,
    [C_TEXT] = DB_TEXT,
    [A_KEY] = DB_TEXT,
    [A_REQUEST] = DB_BYTEA,
    [M_FROM] = DB_TEXT,
};

static const char *const slot_states[] = {
    [SLOT_SUBMITTED] = "submitted", [SLOT_SKIPPED] = "skipped", [SLOT_OPEN] = "open"};

struct write {
    struct db_call call;
    struct transition_run *run;
    struct transition **items;
    int n;
    struct db_array cols[COLUMNS];
    void (*then)(struct transition_run *run);
};

static void release(void *arg)
{
    struct write *w = arg;

    for (int i = 0; i < COLUMNS; i++)
        db_array_release(&w->cols[i]);
}

static struct write *write_new(struct transition_run *run, struct transition **items, int n,
    void (*then)(struct transition_run *))
{
    struct write *w = arena_alloc(run->b->arena, sizeof(*w));

    w->run = run;
    w->items = items;
    w->n = n;
    w->then = then;
    for (int i = 0; i < COLUMNS; i++)
        db_array_init(&w->cols[i], elems[i]);
    arena_defer(run->b->arena, release, w);
    return w;
}

static void put_int(struct write *w, enum column c, int64_t v)
{
    db_array_int(&w->cols[c], v);
}

static void put_text(struct write *w, enum column c, const char *z)
{
    db_array_text(&w->cols[c], str_of(z));
}

static void put_id(struct write *w, enum column c, int64_t id) /* 0 = NULL */
{
    if (id)
        db_array_int(&w->cols[c], id);
    else
        db_array_null(&w->cols[c]);
}

static void put_real(struct write *w, enum column c, double v) /* below 0 = NULL */
{
    if (v >= 0)
        db_array_float(&w->cols[c], v);
    else
        db_array_null(&w->cols[c]);
}

static void put_bool(struct write *w, enum column c, bool v)
{
    db_array_bool(&w->cols[c], v);
}

/* ---- transition_apply */

static void add_key(struct write *w, const struct idempotency *i)
{
    struct str none = {NULL, 0};

    db_array_text(&w->cols[A_KEY], i ? i->key : none);
    db_array_text(
        &w->cols[A_REQUEST], i ? (struct str){(const char *)i->request.b, SHA256_LEN} : none);
}

static void add_decision(struct write *w, int ord, const struct transition *t)
{
    const struct decision *d = &t->decision;

    put_int(w, A_ORD, ord);
    put_int(w, A_ASSIGNMENT, t->assignment);
    put_int(w, A_VERSION, t->version);
    put_int(w, A_ACTOR, t->actor);
    put_int(w, A_TASK, t->task);
    put_int(w, A_TASK_VERSION, t->task_version);
    put_text(w, A_FROM, task_state_name(t->facts.state));
    put_text(w, A_ACTION, action_name(t->action));
    put_text(w, A_TO, task_state_name(d->to));
    put_text(w, A_SLOT_STATE, slot_states[d->slot]);
    put_bool(w, A_EXCLUDE_ACTOR, d->exclude_actor);
    put_text(w, A_STAGE, stage_name(t->stage));
    put_text(w, A_OPEN_STAGE, d->open ? stage_name(d->open_stage) : NULL);
    put_int(w, A_OPEN_SLOTS, d->open_slots);
    put_id(w, A_RESERVED_FOR, d->reserved_for);
    db_array_text(&w->cols[A_EXCLUDED], t->excluded);
    put_int(w, A_REWORK, d->rework_add);
    put_int(w, A_SKIP, d->skip_add);
    db_array_text(&w->cols[A_DETAIL], t->detail);
    put_bool(w, A_CANCEL, d->cancel_rest);
    /* The answer to gold work is not the one that the statement would keep: see gold_record(). */
    add_key(w, t->gold_score >= 0 ? NULL : t->idempotency);
    for (size_t i = 0; i < t->ncomments; i++) {
        put_int(w, C_ORD, ord);
        db_array_text(&w->cols[C_REGION], t->comments[i].region);
        db_array_text(&w->cols[C_TEXT], t->comments[i].text);
    }
}

static struct label_place own_place(const struct labelled *l)
{
    return (struct label_place){l->pack, l->off, (int64_t)l->doc.n, l->sha256, l->regions};
}

/* Pack, offset, bytes, hash and regions stand side by side from column `c` on. */
static void add_place(struct write *w, enum column c, const struct label_place *p)
{
    char uuid[37];

    pack_id_print(p->pack, uuid);
    put_text(w, c, uuid);
    put_int(w, c + 1, p->off);
    put_int(w, c + 2, p->bytes);
    db_array_text(&w->cols[c + 3], (struct str){(const char *)p->sha256.b, SHA256_LEN});
    put_int(w, c + 4, (int64_t)p->regions);
}

/* The parent is what was looked at: also for a verdict without a label of its own. */
static void add_label(struct write *w, const struct transition *t)
{
    put_text(w, L_KIND, t->label ? transition_label_kind(t) : NULL);
    put_id(w, L_PARENT, t->head_label);
    put_bool(w, L_HEAD, t->label && t->decision.label_is_head);
    put_int(w, L_CONFIG, t->project->config_version);
    put_real(w, L_LEAD, t->lead_time);
    put_real(w, L_SCORE, t->score);
    db_array_text(&w->cols[L_MODEL], t->model);
    if (t->label) {
        struct label_place p = own_place(t->label);
        add_place(w, L_PACK, &p);
        return;
    }
    for (enum column c = L_PACK; c <= L_REGIONS; c++)
        db_array_null(&w->cols[c]);
}

/* The merge becomes the head; beside this submission it comes from those of the other slots. */
static void add_merge(struct write *w, int ord, const struct transition *t)
{
    struct arena *a = w->run->b->arena;
    const char *from = "";

    if (!t->label || !t->decision.merge)
        return;
    for (size_t i = 0; i < t->nsiblings; i++)
        from = arena_printf(a, "%s%s%lld", from, i ? "," : "", (long long)t->siblings[i].id);
    put_int(w, M_ORD, ord);
    add_place(w, M_PACK, &t->merge);
    put_text(w, M_FROM, arena_printf(a, "{%s}", from));
}

static void bind_pack(struct write *w, size_t documents)
{
    struct transition_run *run = w->run;
    char uuid[37];

    if (documents == 0) {
        db_null(&w->call);
        db_null(&w->call);
        db_null(&w->call);
        return;
    }
    pack_id_print(run->pack, uuid);
    db_text(&w->call, run->b->arena, str_of(uuid));
    db_int(&w->call, run->b->arena, run->pack_bytes);
    db_int(&w->call, run->b->arena, (int64_t)documents);
}

static void add_pack(struct write *w, struct pack_id id, int64_t bytes, size_t documents)
{
    char uuid[37];

    if (documents == 0)
        return;
    pack_id_print(id, uuid);
    put_text(w, P_ID, uuid);
    put_int(w, P_BYTES, bytes);
    put_int(w, P_DOCUMENTS, (int64_t)documents);
}

static void bind(struct write *w)
{
    add_pack(w, w->run->pack, w->run->pack_bytes, w->run->npacked);
    add_pack(w, w->run->merge_pack, w->run->merge_bytes, w->run->nmerges);
    for (enum column c = A_ORD; c <= P_DOCUMENTS; c++)
        db_array_bind(&w->cols[c], &w->call);
    db_int(&w->call, w->run->b->arena, w->items[0]->project->workflow.reserve_s);
    for (enum column c = C_ORD; c < COLUMNS; c++)
        db_array_bind(&w->cols[c], &w->call);
}

static void apply(struct transition_run *run, struct transition **items, int n,
    void (*then)(struct transition_run *));

/* One bad row must not fail its neighbours: halve until it stands alone. */
static void bisect(struct write *w, enum err e)
{
    struct transition_run *run = w->run;

    if (w->n == 1 || e == ERR_UNAVAILABLE || e == ERR_BUSY) {
        for (int i = 0; i < w->n; i++) {
            w->items[i]->fate = TRANSITION_DONE;
            w->items[i]->err = e;
            w->items[i]->why = err_title(e);
        }
    } else {
        log_warn("transition_bisect", "a batch of %d: %s", w->n, err_slug(e));
        run->pending += 2;
        apply(run, w->items, w->n / 2, w->then);
        apply(run, w->items + w->n / 2, w->n - w->n / 2, w->then);
    }
}

static void applied(struct db_call *call, enum err e, const PGresult *res)
{
    struct write *w = container_of(call, struct write, call);
    struct transition_run *run = w->run;

    if (e) {
        bisect(w, e);
    } else {
        run->recorded = true;
        for (int i = 0; i < w->n; i++)
            w->items[i]->fate = TRANSITION_AGAIN; /* who is not in the answer lost a race */
        for (int row = 0; row < PQntuples(res); row++) {
            struct transition *t = w->items[db_get_int(res, row, 0)];
            t->fate = TRANSITION_DONE;
            t->err = ERR_OK;
            t->task_version = db_get_int(res, row, 2);
            t->label_id = db_get_int(res, row, 4);
            t->label_seq = (int)db_get_int(res, row, 5);
        }
    }
    if (--run->pending == 0)
        w->then(run);
}

static const struct db_call *keep_scores(struct db_call *call, const PGresult *res)
{
    struct write *w = container_of(call, struct write, call);

    return gold_record(w->run, w->items, res);
}

static bool any_gold(struct transition *const *items, int n)
{
    for (int i = 0; i < n; i++)
        if (items[i]->gold_score >= 0)
            return true;
    return false;
}

static void apply(struct transition_run *run, struct transition **items, int n,
    void (*then)(struct transition_run *))
{
    struct write *w = write_new(run, items, n, then);

    db_call_init(&w->call, STMT_transition_apply, run->b->key.tenant, applied);
    for (int i = 0; i < n; i++) {
        add_decision(w, i, items[i]);
        add_label(w, items[i]);
        add_merge(w, i, items[i]);
    }
    bind(w);
    if (any_gold(items, n))
        w->call.follow = keep_scores;
    db_submit(run->ctx->db, &w->call);
}

/* ---- label_keep_late */

static void kept(struct db_call *call, enum err e, const PGresult *res)
{
    struct write *w = container_of(call, struct write, call);

    w->run->recorded = w->run->recorded || !e;
    for (int i = 0; i < w->n; i++) {
        w->items[i]->fate = TRANSITION_DONE;
        if (e) { /* not kept, so the client must not believe that it was */
            w->items[i]->err = e;
            w->items[i]->why = err_title(e);
        }
    }
    for (int row = 0; !e && row < PQntuples(res); row++)
        w->items[db_get_int(res, row, 0)]->late_label = db_get_int(res, row, 1);
    if (--w->run->pending == 0)
        w->then(w->run);
}

static void add_late(struct write *w, int ord, const struct transition *t)
{
    char uuid[37];

    pack_id_print(t->label->pack, uuid);
    put_int(w, A_ORD, ord);
    put_int(w, A_ASSIGNMENT, t->assignment);
    put_int(w, A_VERSION, t->version);
    put_int(w, A_ACTOR, t->actor);
    put_int(w, A_TASK, t->task);
    put_text(w, A_STAGE, stage_name(t->stage));
    put_int(w, L_OFF, t->label->off);
    put_int(w, L_BYTES, (int64_t)t->label->doc.n);
    db_array_text(&w->cols[L_SHA], (struct str){(const char *)t->label->sha256.b, SHA256_LEN});
    put_int(w, L_REGIONS, (int64_t)t->label->regions);
    put_real(w, L_LEAD, t->lead_time);
    put_int(w, L_CONFIG, t->project->config_version);
    put_text(w, L_PACK, uuid);
}

static void keep_late(struct transition_run *run, struct transition **items, int n,
    void (*then)(struct transition_run *))
{
    static const enum column order[] = {A_ORD, A_ASSIGNMENT, A_VERSION, A_ACTOR, A_TASK, A_STAGE,
        L_OFF, L_BYTES, L_SHA, L_REGIONS, L_LEAD, L_CONFIG};
    struct write *w = write_new(run, items, n, then);

    db_call_init(&w->call, STMT_label_keep_late, run->b->key.tenant, kept);
    for (int i = 0; i < n; i++)
        add_late(w, i, items[i]);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        db_array_bind(&w->cols[order[i]], &w->call);
    bind_pack(w, run->npacked);
    db_array_bind(&w->cols[L_PACK], &w->call);
    db_submit(run->ctx->db, &w->call);
}

void transition_write(struct transition_run *run, void (*then)(struct transition_run *run))
{
    size_t n = (size_t)run->n;
    struct transition **go = arena_array(run->b->arena, n, sizeof(struct transition *));
    struct transition **late = arena_array(run->b->arena, n, sizeof(struct transition *));
    int ngo = 0, nlate = 0;

    for (int i = 0; i < run->n; i++) {
        if (run->items[i]->fate == TRANSITION_APPLY)
            go[ngo++] = run->items[i];
        else if (run->items[i]->fate == TRANSITION_LATE)
            late[nlate++] = run->items[i];
    }
    run->pending = (ngo > 0) + (nlate > 0);
    if (ngo)
        apply(run, go, ngo, then);
    if (nlate)
        keep_late(run, late, nlate, then);
    if (!ngo && !nlate)
        then(run);
}
