/* Owns what 200 people and the network between them and the server do next, by chance alone. Never
 * touches a task: all goes through messages that come late, twice, in another order, or not at all.
 */
#include "sim.h"

#include <stdlib.h>

unsigned sim_roll(struct sim *s, unsigned n)
{
    return (unsigned)(t_random(&s->rng) >> 33) % n;
}

bool sim_chance(struct sim *s, unsigned percent)
{
    return sim_roll(s, 100) < percent;
}

/* ---- who there is ---- */

enum role { ANNOTATOR, REVIEWER, QA, MANAGER, MODEL };

static enum role role_of(int64_t who)
{
    static const enum role roles[10] = {ANNOTATOR, ANNOTATOR, ANNOTATOR, ANNOTATOR, ANNOTATOR,
        ANNOTATOR, REVIEWER, REVIEWER, QA, MANAGER};

    return who > SIM_PEOPLE - 4 ? MODEL : roles[who / 2 % 10];
}

static const bool role_may[][STAGE_COUNT] = {
    [ANNOTATOR] = {[STAGE_ANNOTATE] = true},
    [REVIEWER] = {[STAGE_ANNOTATE] = true, [STAGE_REVIEW] = true},
    [QA] = {[STAGE_REVIEW] = true, [STAGE_QA] = true},
    [MANAGER] = {[STAGE_REVIEW] = true, [STAGE_QA] = true},
    [MODEL] = {[STAGE_PRELABEL] = true},
};

void sim_redraw(struct sim *s)
{
    struct workflow *w = &s->projects[sim_roll(s, SIM_PROJECTS)];

    workflow_default(w);
    w->prelabel = sim_chance(s, 50);
    w->auto_accept = sim_chance(s, 50);
    w->overlap = sim_chance(s, 40) ? 1 : 1 + (int)sim_roll(s, MAX_OVERLAP);
    w->review = (enum review_mode)sim_roll(s, 3);
    w->review_percent = sim_roll(s, 101);
    w->qa_percent = sim_roll(s, 101);
    w->agreement = sim_roll(s, 101) / 100.0;
    w->max_rework = (int)sim_roll(s, 4);
    w->skip_limit = 1 + (int)sim_roll(s, 4);
    w->allow_skip = sim_chance(s, 80);
    w->reserve_s = 10 + (int)sim_roll(s, 100);
}

void sim_init(struct sim *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    s->rng = seed;
    for (int64_t who = 1; who <= SIM_PEOPLE; who++)
        for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
            if (role_may[role_of(who)][stage])
                people_add(&s->may[sim_tenant(who)][stage], who);
    for (int i = 0; i < SIM_PROJECTS; i++)
        workflow_default(&s->projects[i]);
    for (int i = 0; i < 4 * SIM_PROJECTS; i++)
        sim_redraw(s);
    for (int i = 0; i < SIM_TASKS; i++)
        sim_new_task(s, &s->tasks[i]);
}

/* ---- the network ---- */

static void send(struct sim *s, const struct message *m)
{
    if (s->nflight < SIM_FLIGHT && !sim_chance(s, 3))
        s->flight[s->nflight++] = *m;
    else
        s->lost++;
}

static void hold(struct sim *s, const struct message *m, const struct answer *a)
{
    struct held *h = &s->held[m->actor][sim_roll(s, SIM_HELD)]; /* what was there is forgotten */

    *h = (struct held){.task = m->task,
        .task_id = m->task_id,
        .stage = m->stage,
        .slot = a->slot,
        .version = a->version};
}

/* What a message may change, to see that a refused one changes nothing. */
struct trace {
    int64_t version, labels;
    enum task_state state;
};

static struct trace trace_of(const struct task *t)
{
    return (struct trace){t->version, t->labels, t->state};
}

static struct task *deliver(struct sim *s)
{
    int at = (int)sim_roll(s, (unsigned)s->nflight);
    struct message m = s->flight[at];
    struct task *t = &s->tasks[m.task];
    struct trace before = trace_of(t), after;

    if (sim_chance(s, 12))
        s->doubled++; /* it comes once more */
    else
        s->flight[at] = s->flight[--s->nflight];
    struct answer a = sim_handle(s, &m);
    s->told[m.op][a.outcome]++;
    after = trace_of(t);
    CHECK(after.labels >= before.labels && after.labels <= before.labels + 2);
    if (a.outcome != TOLD_OK)
        CHECK(after.version == before.version && after.state == before.state);
    if (a.outcome != TOLD_OK && a.outcome != TOLD_LATE)
        CHECK(after.labels == before.labels);
    if (a.label)
        CHECK(a.label <= after.labels); /* I1: what was acknowledged is there */
    if (m.op == OP_CLAIM && a.outcome == TOLD_OK && !sim_chance(s, 5))
        hold(s, &m, &a);
    return t;
}

/* ---- people ---- */

struct choice {
    unsigned weight;
    enum action action;
};
static const struct choice choices[STAGE_COUNT][3] = {
    [STAGE_PRELABEL] = {{75, ACTION_PRELABELLED}, {25, ACTION_PRELABEL_FAILED}},
    [STAGE_ANNOTATE] = {{84, ACTION_SUBMIT}, {16, ACTION_SKIP}},
    [STAGE_REVIEW] = {{45, ACTION_ACCEPT}, {20, ACTION_FIX}, {35, ACTION_REJECT}},
    [STAGE_QA] = {{55, ACTION_PASS}, {15, ACTION_FIX}, {30, ACTION_FAIL}},
};

static enum action choose(struct sim *s, enum stage stage)
{
    unsigned at = sim_roll(s, 100);
    const struct choice *c = choices[stage];

    while (at >= c->weight) {
        at -= c->weight;
        c++;
    }
    return c->action;
}

static void sign(struct sim *s, struct message *m)
{
    m->body = ++s->next_body;
    if (!sim_chance(s, 70))
        return;
    m->key = ++s->next_key;
    if (sim_chance(s, 2) && m->key > 8)
        m->key -= 1 + sim_roll(s, 7); /* somebody's mistake: a key of another request */
}

static void work(struct sim *s, int64_t who, struct held *h)
{
    struct message m = {.op = OP_HAND_IN,
        .task = h->task,
        .task_id = h->task_id,
        .stage = h->stage,
        .slot = h->slot,
        .version = h->version,
        .actor = who};
    unsigned at = sim_roll(s, 100);

    sign(s, &m);
    if (at < 10) {
        m.op = OP_HEARTBEAT;
        m.key = 0;
    } else if (at < 16) {
        m.op = OP_RELEASE;
    } else {
        m.action = choose(s, h->stage);
        if (sim_chance(s, 3))
            m.version++; /* a version that nobody gave them */
    }
    send(s, &m);
    if (m.op == OP_HAND_IN && !sim_chance(s, 15))
        h->task_id = 0;
}

/* The queue shows what is open for them, mostly. */
static bool looks_open(const struct sim *s, const struct task *t, int64_t who, enum stage *stage)
{
    if (!workflow_stage(t->state, stage) || !people_has(&s->may[t->tenant][*stage], who))
        return false;
    for (int i = 0; i < sim_slots_of(t, *stage); i++)
        if (t->slots[*stage][i].state == SLOT_FREE &&
            (!t->slots[*stage][i].reserved_for || t->slots[*stage][i].reserved_for == who))
            return true;
    return false;
}

static void claim(struct sim *s, int64_t who)
{
    struct message m = {.op = OP_CLAIM, .task = (int)sim_roll(s, SIM_TASKS), .actor = who};

    for (int tries = 0; tries < 16; tries++) {
        if (looks_open(s, &s->tasks[m.task], who, &m.stage))
            break;
        m.task = (m.task + 1) % SIM_TASKS;
    }
    m.task_id = s->tasks[m.task].id;
    if (sim_tenant(who) == s->tasks[m.task].tenant || sim_chance(s, 5))
        send(s, &m);
}

static void person(struct sim *s)
{
    int64_t who = 1 + sim_roll(s, SIM_PEOPLE);
    struct held *h = s->held[who];

    while (h < s->held[who] + SIM_HELD - 1 && !h->task_id)
        h++;
    if (h->task_id && sim_chance(s, 70))
        work(s, who, h);
    else
        claim(s, who);
}

static void manager(struct sim *s)
{
    static const enum action moves[] = {
        ACTION_ARCHIVE, ACTION_RESTORE, ACTION_REOPEN, ACTION_ADOPT, ACTION_RESTORE, ACTION_REOPEN};
    int task = (int)sim_roll(s, SIM_TASKS);
    const struct task *t = &s->tasks[task];
    struct message m = {.op = OP_MOVE + sim_roll(s, OP_COUNT - OP_MOVE),
        .task = task,
        .task_id = t->id,
        .version = t->version - (sim_roll(s, 20) == 0),
        .actor = 18 + t->tenant + 20 * (int64_t)sim_roll(s, 9), /* role_of() says MANAGER */
        .whom = t->tenant + 2 * (1 + (int64_t)sim_roll(s, SIM_PEOPLE / 2 - 1)),
        .to_review = sim_chance(s, 50),
        .revoke = sim_chance(s, 30)};

    m.action = sim_chance(s, 4) ? ACTION_ERASE : moves[sim_roll(s, ARRAY_LEN(moves))];
    if (m.op == OP_ASSIGN || m.op == OP_UNASSIGN) {
        if (!workflow_stage(t->state, &m.stage))
            return;
        m.slot = (int)sim_roll(s, (unsigned)sim_slots_of(t, m.stage));
    }
    sign(s, &m);
    send(s, &m);
}

/* An action the table does not have for this state changes nothing. */
static void try_illegal(struct sim *s, const struct task *t)
{
    enum action a = (enum action)sim_roll(s, ACTION_COUNT);
    struct task_facts f = sim_facts(t, NULL, 1);
    struct decision d;

    if (!workflow_leaves(t->state, a))
        CHECK_INT(workflow_decide(t->w, &f, a, &d), ERR_CONFLICT);
}

static void idle(struct sim *s, struct task *t)
{
    static const enum action stays[] = {ACTION_PRIORITIZE, ACTION_LATE, ACTION_ERASE_LABEL};
    enum stage stage;
    unsigned at = sim_roll(s, 100);

    if (at < 30)
        try_illegal(s, t);
    else if (at < 50)
        CHECK(sim_stay(s, t, stays[sim_roll(s, ARRAY_LEN(stays))]));
    else if (at < 60)
        sim_deal_gold(s, t, 1 + sim_roll(s, SIM_PEOPLE));
    else if (t->gold ? at < 64 : !workflow_stage(t->state, &stage))
        sim_new_task(s, t);
}

struct task *sim_step(struct sim *s)
{
    unsigned at = sim_roll(s, 100);
    struct task *t = &s->tasks[sim_roll(s, SIM_TASKS)];

    s->step++;
    s->now += sim_roll(s, 5);
    if (at < 46 && s->nflight > SIM_FLIGHT / 8)
        return deliver(s);
    if (at < 88)
        person(s);
    else if (at < 92)
        sim_sweep(s, t);
    else if (at < 96)
        manager(s);
    else
        idle(s, t);
    return t;
}
