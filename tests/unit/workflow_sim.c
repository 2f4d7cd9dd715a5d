/* A random walk over the pure workflow: simulated tasks, slots, leases and people take every
 * decision through workflow_decide, and after each step the invariants of docs/design.md §3 are
 * checked on bookkeeping of the simulation's own. T_SEED repeats a walk. */
#include "core/workflow.h"

#include <stdlib.h>

#include "t.h"

enum { PROJECTS = 12, TASKS = 96, PEOPLE = 28, STEPS = 1000000, ROUND = 4096 };
enum slot_state { UNUSED, OPEN, LEASED, SUBMITTED, SKIPPED, CANCELLED };

struct slot {
    enum slot_state state;
    int64_t holder; /* stays when the lease expires */
    int64_t reserved_for;
    bool expired;     /* open again, nobody has claimed it since: late work is still taken */
    uint64_t exclude; /* a bit a person */
};

struct task {
    int64_t id;
    const struct workflow *w;
    uint64_t salt;
    enum task_state state, archived_from;
    int64_t version;
    int overlap, rework, skips;
    bool has_head;
    uint64_t head_authors; /* who wrote the head label: a fix is its fixer's, on top of ... */
    uint64_t annotators;   /* ... the annotators whose label was fixed */
    int64_t head_author, reviewer;
    int64_t hands[MAX_HANDS]; /* whose work was adopted */
    int nhands;
    int64_t submitter[MAX_OVERLAP];
    struct slot slots[STAGE_COUNT][MAX_OVERLAP];
};

struct sim {
    uint64_t rng;
    struct workflow projects[PROJECTS];
    struct task tasks[TASKS];
    int64_t next_id;
    long seen[TASK_STATE_COUNT][ACTION_COUNT][TASK_STATE_COUNT];
};

static uint64_t bit(int64_t who)
{
    return who ? 1ULL << (who - 1) : 0;
}

static unsigned roll(struct sim *s, unsigned n)
{
    return (unsigned)(t_random(&s->rng) >> 33) % n;
}

static bool chance(struct sim *s, unsigned percent)
{
    return roll(s, 100) < percent;
}

static void random_project(struct sim *s, struct workflow *w)
{
    workflow_default(w);
    w->prelabel = chance(s, 50);
    w->auto_accept = chance(s, 50);
    w->overlap = chance(s, 40) ? 1 : 1 + (int)roll(s, MAX_OVERLAP);
    w->review = (enum review_mode)roll(s, 3);
    w->review_percent = roll(s, 101);
    w->qa_percent = roll(s, 101);
    w->agreement = roll(s, 101) / 100.0;
    w->max_rework = (int)roll(s, 4);
    w->skip_limit = 1 + (int)roll(s, 4);
    w->allow_skip = chance(s, 80);
}

static int slots_of(const struct task *t, enum stage stage)
{
    return stage == STAGE_ANNOTATE ? t->overlap : 1;
}

/* ---- facts and their consequences ---- */

static struct task_facts facts_of(const struct task *t, const struct slot *acting, int64_t actor)
{
    struct task_facts f = {.id = t->id,
        .salt = t->salt,
        .state = t->state,
        .archived_from = t->archived_from,
        .overlap = t->overlap,
        .rework_count = t->rework,
        .skip_count = t->skips,
        .has_label = t->has_head,
        .agreement = 1,
        .score = -1,
        .reviewer = t->reviewer,
        .head_author = t->head_author,
        .nhands = t->nhands,
        .actor = actor};

    memcpy(f.hands, t->hands, sizeof(f.hands));
    for (int i = 0; i < t->overlap; i++) {
        const struct slot *slot = &t->slots[STAGE_ANNOTATE][i];
        int64_t who = slot == acting && t->state == TASK_ANNOTATE ? actor : t->submitter[i];
        if (who)
            f.annotators[f.nannotators++] = who;
        if (slot != acting && (slot->state == OPEN || slot->state == LEASED))
            f.slots_left++;
    }
    return f;
}

static void apply_label(struct task *t, enum action a, int64_t actor, const struct decision *d)
{
    if (d->merge) {
        t->has_head = true;
        t->head_author = 0;
        t->annotators = 0;
        for (int i = 0; i < t->overlap; i++)
            t->annotators |= bit(t->submitter[i]);
        t->head_authors = t->annotators;
    }
    if (a == ACTION_ADOPT) { /* the version of somebody, chosen by the actor */
        t->has_head = true;
        t->head_author = t->hands[t->nhands - 1];
        t->annotators = bit(t->head_author);
        t->head_authors = t->annotators;
    } else if (d->label_is_head) {
        t->has_head = true;
        t->head_author = actor;
        t->annotators = a == ACTION_FIX ? t->annotators : bit(actor);
        t->head_authors = t->annotators | bit(actor);
    }
}

static void apply_open(struct task *t, const struct decision *d)
{
    if (!d->open)
        return;
    CHECK(d->open_slots >= 1 && d->open_slots <= slots_of(t, d->open_stage));
    CHECK(!d->reserved_for || t->rework <= t->w->max_rework); /* rework is bounded */
    for (int i = 0; i < d->open_slots; i++) {
        struct slot *slot = &t->slots[d->open_stage][i];
        if (d->open_unfinished && slot->state == SUBMITTED)
            continue;
        CHECK(slot->state != LEASED && slot->state != OPEN); /* nobody's lease is taken away */
        *slot = (struct slot){.state = OPEN, .reserved_for = d->reserved_for};
        for (int k = 0; k < d->nexclude; k++)
            slot->exclude |= bit(d->exclude[k]);
        CHECK(!(slot->exclude & bit(d->reserved_for)));
    }
}

static void apply_slot(struct task *t, struct slot *slot, int64_t actor, const struct decision *d)
{
    static const enum slot_state ends[] = {
        [SLOT_SUBMITTED] = SUBMITTED, [SLOT_SKIPPED] = SKIPPED, [SLOT_OPEN] = OPEN};

    if (slot) {
        slot->state = ends[d->slot];
        slot->expired = false;
        slot->reserved_for = 0;
        if (d->exclude_actor)
            slot->exclude |= bit(actor);
    }
    if (!d->cancel_rest)
        return;
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        for (int i = 0; i < MAX_OVERLAP; i++)
            if (t->slots[stage][i].state == OPEN || t->slots[stage][i].state == LEASED)
                t->slots[stage][i].state = CANCELLED;
}

/* Decides and applies; true if the action was accepted. */
static bool act(struct sim *s, struct task *t, enum action a, struct slot *slot, int64_t actor,
    const struct task_facts *f)
{
    struct decision d;
    enum task_state from = t->state;
    enum err e = workflow_decide(t->w, f, a, &d);

    if (e) {
        CHECK_INT(e, ERR_CONFLICT);
        return false;
    }
    CHECK(workflow_legal(from, a, d.to)); /* I2 */
    CHECK(workflow_moves(a) || d.to == from);
    s->seen[from][a][d.to]++;
    if (a == ACTION_SUBMIT)
        t->submitter[slot - t->slots[STAGE_ANNOTATE]] = actor;
    if (from == TASK_REVIEW && (a == ACTION_ACCEPT || a == ACTION_FIX || a == ACTION_REJECT))
        t->reviewer = actor;
    apply_slot(t, slot, actor, &d);
    apply_label(t, a, actor, &d);
    t->rework += d.rework_add;
    t->skips += d.skip_add;
    if (a == ACTION_SKIP)
        CHECK((d.to == TASK_SKIPPED) == (t->skips >= t->w->skip_limit));
    if (workflow_moves(a))
        t->archived_from = d.to == TASK_ARCHIVED ? from : TASK_NONE;
    t->state = d.to;
    t->version += workflow_moves(a) ? 1 : 0;
    apply_open(t, &d);
    return true;
}

static void new_task(struct sim *s, struct task *t)
{
    *t = (struct task){.id = ++s->next_id, .salt = t_random(&s->rng), .state = TASK_NONE};
    t->w = &s->projects[roll(s, PROJECTS)];
    t->overlap = t->w->overlap;
    struct task_facts f = facts_of(t, NULL, 0);
    f.has_label = chance(s, 20);
    CHECK(act(s, t, ACTION_IMPORT, NULL, 0, &f));
}

/* ---- people ---- */

static bool holds_other(const struct task *t, const struct slot *slot, int64_t who)
{
    for (int i = 0; i < t->overlap; i++) {
        const struct slot *other = &t->slots[STAGE_ANNOTATE][i];
        if (other != slot && other->holder == who &&
            (other->state == LEASED || other->state == SUBMITTED || other->state == SKIPPED))
            return true;
    }
    return false;
}

static bool may_claim(const struct task *t, enum stage stage, const struct slot *slot, int64_t who,
    bool mind_reservation)
{
    if (slot->exclude & bit(who))
        return false;
    if (mind_reservation && slot->reserved_for && slot->reserved_for != who)
        return false;
    return stage != STAGE_ANNOTATE || !holds_other(t, slot, who);
}

static void claim(struct sim *s, struct task *t, enum stage stage, struct slot *slot, int64_t who)
{
    struct task_facts f = facts_of(t, slot, who);

    if (stage == STAGE_REVIEW || stage == STAGE_QA)
        CHECK(!(t->head_authors & bit(who))); /* I3: never one's own work */
    CHECK(act(s, t, ACTION_CLAIM, NULL, who, &f));
    slot->state = LEASED;
    slot->holder = who;
    slot->expired = false;
}

static void try_claim(struct sim *s, struct task *t, enum stage stage, struct slot *slot)
{
    int64_t who = 1 + roll(s, PEOPLE);

    if (slot->reserved_for && chance(s, 50))
        who = slot->reserved_for;
    if (slot->reserved_for && chance(s, 10))
        slot->reserved_for = 0; /* it lapses */
    if (may_claim(t, stage, slot, who, true))
        claim(s, t, stage, slot, who);
}

struct choice {
    unsigned weight;
    enum action action;
};
static const struct choice choices[STAGE_COUNT][6] = {
    [STAGE_PRELABEL] = {{60, ACTION_PRELABELLED}, {20, ACTION_PRELABEL_FAILED}, {10, ACTION_EXPIRE},
        {10, ACTION_RELEASE}},
    [STAGE_ANNOTATE] = {{70, ACTION_SUBMIT}, {14, ACTION_SKIP}, {8, ACTION_EXPIRE},
        {8, ACTION_RELEASE}},
    [STAGE_REVIEW] = {{40, ACTION_ACCEPT}, {15, ACTION_FIX}, {30, ACTION_REJECT},
        {8, ACTION_EXPIRE}, {7, ACTION_RELEASE}},
    [STAGE_QA] = {{45, ACTION_PASS}, {15, ACTION_FIX}, {25, ACTION_FAIL}, {8, ACTION_EXPIRE},
        {7, ACTION_RELEASE}},
};

static enum action choose(struct sim *s, enum stage stage)
{
    unsigned at = roll(s, 100);
    const struct choice *c = choices[stage];

    while (at >= c->weight) {
        at -= c->weight;
        c++;
    }
    return c->action;
}

static void finish_lease(struct sim *s, struct task *t, struct slot *slot, enum action a)
{
    int64_t actor = t->state == TASK_PRELABEL ? 0 : slot->holder;
    struct task_facts f = facts_of(t, slot, actor);

    f.agreement = roll(s, 101) / 100.0;
    f.score = roll(s, 101) / 100.0;
    bool done = act(s, t, a, slot, actor, &f);
    CHECK(done || (a == ACTION_SKIP && !t->w->allow_skip));
    slot->expired = done && a == ACTION_EXPIRE;
}

static void work(struct sim *s, struct task *t, enum stage stage)
{
    struct slot *slot = &t->slots[stage][roll(s, (unsigned)slots_of(t, stage))];

    if (slot->state == LEASED)
        finish_lease(s, t, slot, choose(s, stage));
    else if (slot->state == OPEN && slot->expired && stage == STAGE_ANNOTATE && chance(s, 50) &&
             !holds_other(t, slot, slot->holder))
        finish_lease(s, t, slot, ACTION_SUBMIT);
    else if (slot->state == OPEN)
        try_claim(s, t, stage, slot);
}

/* A manager reserves open work for somebody, or takes leased work away. */
static void manage(struct sim *s, struct task *t, enum stage stage)
{
    struct slot *slot = &t->slots[stage][roll(s, (unsigned)slots_of(t, stage))];
    bool leased = slot->state == LEASED;
    struct task_facts f = facts_of(t, slot, 0);
    int64_t who = 1 + roll(s, PEOPLE);

    if (!leased && (slot->state != OPEN || !may_claim(t, stage, slot, who, false)))
        return;
    CHECK(act(s, t, leased ? ACTION_UNASSIGN : ACTION_ASSIGN, slot, 0, &f));
    CHECK(slot->state == OPEN);
    slot->reserved_for = leased ? 0 : who;
    slot->expired = false; /* what its holder hands in now is late */
}

/* Somebody's late work becomes the label. */
static void adopt(struct sim *s, struct task *t, int64_t actor)
{
    int64_t writer = 1 + roll(s, PEOPLE);
    struct task_facts f;
    int n = t->nhands;

    if (n == MAX_HANDS)
        return;
    t->hands[t->nhands++] = writer;
    f = facts_of(t, NULL, actor);
    if (!act(s, t, ACTION_ADOPT, NULL, actor, &f)) {
        CHECK(!workflow_leaves(t->state, ACTION_ADOPT));
        t->nhands = n;
    } else {
        CHECK(t->slots[STAGE_REVIEW][0].exclude & bit(writer));
        CHECK(t->slots[STAGE_REVIEW][0].exclude & bit(actor));
    }
}

/* An action the table does not have for this state changes nothing. */
static void try_illegal(struct sim *s, struct task *t)
{
    enum action a = (enum action)roll(s, ACTION_COUNT);
    struct task_facts f = facts_of(t, NULL, 1);
    struct decision d;

    if (!workflow_leaves(t->state, a))
        CHECK_INT(workflow_decide(t->w, &f, a, &d), ERR_CONFLICT);
}

static void step(struct sim *s, struct task *t)
{
    enum stage stage;
    struct task_facts f = facts_of(t, NULL, 1 + roll(s, PEOPLE));
    bool archived = t->state == TASK_ARCHIVED;
    unsigned at = roll(s, 100);

    if (at < 2)
        try_illegal(s, t);
    else if (at < 4)
        CHECK(act(s, t, ACTION_LATE, NULL, f.actor, &f));
    else if (at < 6)
        CHECK(act(s, t, ACTION_ARCHIVE, NULL, f.actor, &f) != archived);
    else if (at < 7)
        adopt(s, t, f.actor);
    else if (at < 8)
        CHECK(act(s, t, ACTION_PRIORITIZE, NULL, f.actor, &f));
    else if (workflow_stage(t->state, &stage) && at < 11)
        manage(s, t, stage);
    else if (workflow_stage(t->state, &stage))
        work(s, t, stage);
    else if (archived)
        CHECK(act(s, t, ACTION_RESTORE, NULL, f.actor, &f));
    else if (at < 40) {
        f.reopen_to_review = chance(s, 50);
        CHECK(act(s, t, ACTION_REOPEN, NULL, f.actor, &f) || (f.reopen_to_review && !t->has_head));
    } else if (at < 60) {
        new_task(s, t);
    }
}

/* ---- what must hold after every step ---- */

static void check_people(const struct task *t)
{
    uint64_t live = 0;

    for (int i = 0; i < t->overlap; i++) { /* I3: one person, one slot */
        const struct slot *slot = &t->slots[STAGE_ANNOTATE][i];
        if (slot->state != LEASED && slot->state != SUBMITTED)
            continue;
        CHECK(!(live & bit(slot->holder)));
        live |= bit(slot->holder);
    }
}

static void check_task(const struct task *t)
{
    enum stage current = STAGE_COUNT;
    bool staged = workflow_stage(t->state, &current);
    int live = 0;

    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        for (int i = 0; i < MAX_OVERLAP; i++) {
            const struct slot *slot = &t->slots[stage][i];
            if (slot->state != UNUSED)
                CHECK(i < slots_of(t, stage)); /* the overlap is never exceeded */
            if (slot->state != OPEN && slot->state != LEASED)
                continue;
            CHECK(staged && stage == current); /* no work left behind at another stage */
            live++;
            bool somebody = slot->state == LEASED;
            for (int64_t who = 1; who <= PEOPLE && !somebody; who++)
                somebody = may_claim(t, stage, slot, who, false);
            CHECK(somebody); /* no dead end */
        }
    CHECK(!staged || live > 0);
    CHECK(t->has_head || (t->state != TASK_REVIEW && t->state != TASK_QA && t->state != TASK_DONE));
    check_people(t);
}

/* From wherever it is, willing people bring the task to `done`. */
static void bring_to_done(struct sim *s, struct task *t)
{
    static const enum action willing[STAGE_COUNT] = {
        ACTION_PRELABELLED, ACTION_SUBMIT, ACTION_ACCEPT, ACTION_PASS};

    for (int n = 0; n < 64 && t->state != TASK_DONE; n++) {
        struct task_facts f = facts_of(t, NULL, 1);
        enum stage stage;
        if (!workflow_stage(t->state, &stage)) {
            CHECK(
                act(s, t, t->state == TASK_ARCHIVED ? ACTION_RESTORE : ACTION_REOPEN, NULL, 1, &f));
            continue;
        }
        for (int i = 0; i < slots_of(t, stage); i++) {
            struct slot *slot = &t->slots[stage][i];
            for (int64_t who = 1; who <= PEOPLE && slot->state == OPEN; who++)
                if (may_claim(t, stage, slot, who, false))
                    claim(s, t, stage, slot, who);
            if (slot->state == LEASED) {
                finish_lease(s, t, slot, willing[stage]);
                break;
            }
        }
        check_task(t);
    }
    CHECK_INT(t->state, TASK_DONE);
}

static void check_coverage(const struct sim *s)
{
    for (int from = 0; from < TASK_STATE_COUNT; from++)
        for (int a = 0; a < ACTION_COUNT; a++)
            for (int to = 0; to < TASK_STATE_COUNT; to++) {
                bool legal =
                    workflow_legal((enum task_state)from, (enum action)a, (enum task_state)to);
                if (legal != (s->seen[from][a][to] > 0))
                    t_fail(__FILE__, __LINE__, "%s --%s--> %s was%s taken",
                        task_state_name((enum task_state)from), action_name((enum action)a),
                        task_state_name((enum task_state)to), legal ? " never" : "");
            }
}

TEST(a_million_random_steps_keep_the_invariants)
{
    struct sim *s = calloc(1, sizeof(*s));

    REQUIRE(s);
    s->rng = t_seed();
    printf("    workflow_sim: T_SEED=%llu\n", (unsigned long long)s->rng);
    for (int i = 0; i < PROJECTS; i++)
        random_project(s, &s->projects[i]);
    for (int i = 0; i < TASKS; i++)
        new_task(s, &s->tasks[i]);
    for (int i = 1; i <= STEPS; i++) {
        struct task *t = &s->tasks[roll(s, TASKS)];
        struct task before = *t;
        step(s, t);
        CHECK(t->id != before.id || t->version - before.version <= 1); /* I2 */
        CHECK(t->id != before.id || t->state == before.state || t->version > before.version);
        check_task(t);
        if (i % ROUND == 0) {
            bring_to_done(s, t);
            random_project(s, &s->projects[roll(s, PROJECTS)]); /* settings change under way */
        }
    }
    for (int i = 0; i < TASKS; i++)
        bring_to_done(s, &s->tasks[i]);
    check_coverage(s);
    free(s);
}
