/* A random walk over the pure workflow: 200 simulated people take every decision through
 * workflow_decide (sim.h), and after each step the invariants of docs/design.md §3 are checked on
 * bookkeeping of the simulation's own. T_SEED and SIM_STEPS repeat a walk. */
#include "sim.h"

#include <stdlib.h>

enum { STEPS = 10000000, ROUND = 4096 };

/* ---- what must hold after every step ---- */

static void check_people(const struct task *t)
{
    struct people seen = {0};

    for (int i = 0; i < sim_slots_of(t, STAGE_ANNOTATE); i++) { /* I3: one person, one slot */
        const struct slot *slot = &t->slots[STAGE_ANNOTATE][i];
        if (slot->state != SLOT_LEASED && slot->state != SLOT_DONE)
            continue;
        CHECK(!people_has(&seen, slot->holder));
        people_add(&seen, slot->holder);
    }
}

/* No dead end: somebody may have it, sooner or later. */
static bool somebody(
    const struct sim *s, const struct task *t, enum stage stage, const struct slot *slot)
{
    struct people no = slot->excluded;
    uint64_t left = 0;

    if (slot->state == SLOT_LEASED)
        return true;
    if (stage == STAGE_ANNOTATE)
        for (int i = 0; i < sim_slots_of(t, stage); i++) {
            const struct slot *other = &t->slots[stage][i];
            if (other != slot && (other->state == SLOT_LEASED || other->state == SLOT_DONE ||
                                     other->state == SLOT_PASSED))
                people_add(&no, other->holder);
        }
    for (size_t i = 0; i < ARRAY_LEN(no.w); i++)
        left |= s->may[t->tenant][stage].w[i] & ~no.w[i];
    return left;
}

static void check_slot(
    const struct sim *s, const struct task *t, enum stage stage, const struct slot *slot, bool now)
{
    CHECK(slot->accepted <= slot->version);
    if (slot->state == SLOT_LEASED)
        CHECK(slot->holder && sim_tenant(slot->holder) == t->tenant && /* I8 */
              !people_has(&slot->excluded, slot->holder) && slot->accepted < slot->version);
    if (slot->state != SLOT_FREE && slot->state != SLOT_LEASED)
        return;
    CHECK(now); /* no work left behind at another stage */
    CHECK(somebody(s, t, stage, slot));
}

static void check_task(const struct sim *s, const struct task *t)
{
    enum stage current = STAGE_COUNT;
    bool staged = workflow_stage(t->state, &current);
    int live = 0;

    for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
        for (int i = 0; i < sim_slots_of(t, stage); i++) {
            const struct slot *slot = &t->slots[stage][i];
            check_slot(s, t, stage, slot, staged && stage == current);
            live += slot->state == SLOT_FREE || slot->state == SLOT_LEASED;
        }
        if (!t->gold)
            CHECK(t->slots[stage][sim_slots_of(t, stage)].state == SLOT_UNUSED); /* the overlap */
    }
    CHECK(!staged || live > 0 || t->gold);
    CHECK(t->has_head || (t->state != TASK_REVIEW && t->state != TASK_QA && t->state != TASK_DONE));
    CHECK(!t->gold || t->erased || t->state == TASK_ANNOTATE);
    check_people(t);
}

/* ---- liveness ---- */

static struct message to(const struct sim *s, const struct task *t, enum op op, int64_t actor)
{
    return (struct message){.op = op,
        .task = (int)(t - s->tasks),
        .task_id = t->id,
        .version = t->version,
        .actor = actor};
}

/* Somebody takes an open slot of the stage, and hands in as a willing person does. */
static void one_good_deed(struct sim *s, struct task *t, enum stage stage)
{
    static const enum action willing[STAGE_COUNT] = {
        ACTION_PRELABELLED, ACTION_SUBMIT, ACTION_ACCEPT, ACTION_PASS};
    int slots = sim_slots_of(t, stage), i = 0;

    while (i < slots && t->slots[stage][i].state != SLOT_LEASED &&
           t->slots[stage][i].state != SLOT_FREE)
        i++;
    REQUIRE(i < slots);
    struct slot *slot = &t->slots[stage][i];
    slot->reserved_for = 0; /* it lapses */
    for (int64_t who = 1; who <= SIM_PEOPLE && slot->state == SLOT_FREE; who++) {
        struct message claim = to(s, t, OP_CLAIM, who);
        claim.stage = stage;
        if (sim_may_claim(s, t, stage, slot, who))
            CHECK_INT(sim_handle(s, &claim).outcome, TOLD_OK);
    }
    REQUIRE(slot->state == SLOT_LEASED);
    struct message done = to(s, t, OP_HAND_IN, slot->holder);
    done.action = willing[stage];
    done.stage = stage;
    done.slot = i;
    done.version = slot->version;
    done.body = ++s->next_body;
    CHECK_INT(sim_handle(s, &done).outcome, TOLD_OK);
}

/* From wherever it is, willing people bring the task to `done`. */
static void bring_to_done(struct sim *s, struct task *t)
{
    for (int n = 0; n < 64 && t->state != TASK_DONE && !t->gold && !t->erased; n++) {
        enum stage stage;
        if (workflow_stage(t->state, &stage)) {
            one_good_deed(s, t, stage);
        } else {
            struct message m = to(s, t, OP_MOVE, 18 + t->tenant);
            m.action = t->state == TASK_ARCHIVED ? ACTION_RESTORE : ACTION_REOPEN;
            CHECK_INT(sim_handle(s, &m).outcome, TOLD_OK);
        }
        check_task(s, t);
    }
    CHECK(t->state == TASK_DONE || t->gold || t->erased);
}

static void check_coverage(const struct sim *s)
{
    for (int from = 0; from < TASK_STATE_COUNT; from++)
        for (int a = 0; a < ACTION_COUNT; a++)
            for (int to_state = 0; to_state < TASK_STATE_COUNT; to_state++) {
                bool legal = workflow_legal(
                    (enum task_state)from, (enum action)a, (enum task_state)to_state);
                if (legal != (s->seen[from][a][to_state] > 0))
                    t_fail(__FILE__, __LINE__, "%s --%s--> %s was%s taken",
                        task_state_name((enum task_state)from), action_name((enum action)a),
                        task_state_name((enum task_state)to_state), legal ? " never" : "");
            }
}

/* Enough of what makes it hard, or the walk has tried nothing. */
static void check_weather(const struct sim *s, long steps)
{
    const long *handed = s->told[OP_HAND_IN];
    long least = steps / 10000;

    CHECK(handed[TOLD_OK] > steps / 50 && handed[TOLD_LATE] > least);
    CHECK(handed[TOLD_REFUSED] > least && handed[TOLD_NOT_FOUND] > least);
    CHECK(s->replays > least && s->doubled > least && s->lost > least);
    CHECK(s->expired > least && s->lapsed_accepted > least / 10);
    for (int op = 0; op < OP_COUNT; op++)
        CHECK(s->told[op][TOLD_OK] > least / 10);
}

static void check_counts(const struct sim *s)
{
    long n[TASK_STATE_COUNT] = {0};

    for (int i = 0; i < SIM_TASKS; i++)
        n[s->tasks[i].state]++;
    for (int state = 0; state < TASK_STATE_COUNT; state++)
        CHECK_INT(s->in_state[state], n[state]);
}

TEST(a_random_walk_of_200_people_keeps_the_invariants)
{
    struct sim *s = calloc(1, sizeof(*s));
    const char *given = getenv("SIM_STEPS");
    long steps = given ? strtol(given, NULL, 10) : STEPS;

    uint64_t seed = t_seed();

    REQUIRE(s);
    sim_init(s, seed);
    printf("    workflow_sim: T_SEED=%llu SIM_STEPS=%ld\n", (unsigned long long)seed, steps);
    for (long i = 1; i <= steps; i++) {
        struct task *t = sim_step(s);
        check_task(s, t);
        if (i % ROUND)
            continue;
        check_counts(s);
        bring_to_done(s, t);
        sim_redraw(s); /* settings change under way */
    }
    for (int i = 0; i < SIM_TASKS; i++)
        bring_to_done(s, &s->tasks[i]);
    if (steps >= STEPS) {
        check_coverage(s);
        check_weather(s, steps);
    }
    free(s);
}
