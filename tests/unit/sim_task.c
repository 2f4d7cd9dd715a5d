/* Owns the simulated database and the server's part: each message is judged by versions and holders
 * (as schema/queries do), decided by workflow_decide, and applied. Never draws what people do. */
#include "sim.h"

#include <stdlib.h>

int sim_tenant(int64_t who)
{
    return (int)(who & 1);
}

int sim_slots_of(const struct task *t, enum stage stage)
{
    if (stage != STAGE_ANNOTATE)
        return 1;
    return t->gold ? SIM_SLOTS : t->overlap;
}

static bool live(const struct slot *slot)
{
    return slot->state == SLOT_FREE || slot->state == SLOT_LEASED;
}

/* The person has another slot of the task's annotation. */
static bool elsewhere(const struct task *t, const struct slot *slot, int64_t who)
{
    for (int i = 0; i < sim_slots_of(t, STAGE_ANNOTATE); i++) {
        const struct slot *other = &t->slots[STAGE_ANNOTATE][i];
        if (other != slot && other->holder == who &&
            (other->state == SLOT_LEASED || other->state == SLOT_DONE ||
                other->state == SLOT_PASSED))
            return true;
    }
    return false;
}

/* ---- facts and their consequences ---- */

struct task_facts sim_facts(const struct task *t, const struct slot *acting, int64_t actor)
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
        .gold = t->gold,
        .erased = t->erased,
        .reviewer = t->reviewer,
        .head_author = t->head_author,
        .nhands = t->nhands,
        .actor = actor};

    memcpy(f.hands, t->hands, sizeof(f.hands));
    for (int i = 0; i < t->overlap; i++) {
        const struct slot *slot = &t->slots[STAGE_ANNOTATE][i];
        if (slot == acting)
            f.annotators[f.nannotators++] = actor;
        else if (slot->state == SLOT_DONE)
            f.annotators[f.nannotators++] = slot->holder;
        else
            f.slots_left += live(slot);
    }
    return f;
}

static void apply_label(struct task *t, enum action a, int64_t actor, const struct decision *d,
    const struct task_facts *f)
{
    if (d->merge) {
        t->annotators = (struct people){0};
        for (int i = 0; i < f->nannotators; i++)
            people_add(&t->annotators, f->annotators[i]);
        t->head_author = 0;
        t->labels++;
    } else if (d->label_is_head) {
        if (a != ACTION_FIX) {
            t->annotators = (struct people){0};
            people_add(&t->annotators, actor);
        }
        t->head_author = actor;
    } else {
        return;
    }
    t->has_head = true;
    t->head_authors = t->annotators;
    people_add(&t->head_authors, t->head_author);
}

static void open_slot(struct sim *s, struct task *t, struct slot *slot, const struct decision *d)
{
    CHECK(!live(slot)); /* nobody's lease is taken away */
    slot->state = SLOT_FREE;
    slot->version++;
    slot->holder = 0;
    slot->lease_until = 0;
    slot->reserved_for = d->reserved_for;
    slot->reserved_until = d->reserved_for ? s->now + t->w->reserve_s * 1000LL : 0;
    slot->excluded = (struct people){0};
    for (int k = 0; k < d->nexclude; k++)
        people_add(&slot->excluded, d->exclude[k]);
    CHECK(!people_has(&slot->excluded, d->reserved_for));
}

static void apply_open(struct sim *s, struct task *t, const struct decision *d)
{
    if (!d->open)
        return;
    CHECK(d->open_slots >= 1 && d->open_slots <= sim_slots_of(t, d->open_stage));
    CHECK(!d->reserved_for || t->rework <= t->w->max_rework); /* rework is bounded */
    for (int i = 0; i < d->open_slots; i++) {
        struct slot *slot = &t->slots[d->open_stage][i];
        if (!d->open_unfinished || slot->state != SLOT_DONE)
            open_slot(s, t, slot, d);
    }
}

static void apply_slot(struct task *t, struct slot *slot, int64_t actor, const struct decision *d)
{
    static const enum slot_state ends[] = {
        [SLOT_SUBMITTED] = SLOT_DONE, [SLOT_SKIPPED] = SLOT_PASSED, [SLOT_OPEN] = SLOT_FREE};

    if (slot) {
        slot->state = ends[d->slot];
        slot->reserved_for = slot->lease_until = 0;
        if (slot->state == SLOT_FREE) { /* whoever had it has not claimed the new version */
            slot->version++;
            slot->holder = 0;
        }
        if (d->exclude_actor)
            people_add(&slot->excluded, actor);
    }
    if (!d->cancel_rest)
        return;
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        for (int i = 0; i < SIM_SLOTS; i++)
            if (live(&t->slots[stage][i]))
                t->slots[stage][i].state = SLOT_CANCELLED;
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
    CHECK(workflow_legal(from, a, d.to) && workflow_moves(a)); /* I2 */
    s->seen[from][a][d.to]++;
    s->in_state[from]--;
    s->in_state[d.to]++;
    if (from == TASK_REVIEW && (a == ACTION_ACCEPT || a == ACTION_FIX || a == ACTION_REJECT))
        t->reviewer = actor;
    if (from == TASK_REVIEW)
        t->head_reviewer = t->reviewer;
    else if (a == ACTION_SUBMIT)
        t->head_reviewer = 0;
    if (a == ACTION_SUBMIT)
        slot->submitter = actor;
    apply_slot(t, slot, actor, &d);
    apply_label(t, a, f->actor, &d, f);
    t->rework += d.rework_add;
    t->skips += d.skip_add;
    if (a == ACTION_SKIP && !t->gold)
        CHECK((d.to == TASK_SKIPPED) == (t->skips >= t->w->skip_limit));
    t->archived_from = d.to == TASK_ARCHIVED ? from : TASK_NONE;
    t->state = d.to;
    t->version++;
    apply_open(s, t, &d);
    return true;
}

bool sim_stay(struct sim *s, const struct task *t, enum action a)
{
    struct task_facts f = sim_facts(t, NULL, 0);
    struct decision d;

    if (workflow_decide(t->w, &f, a, &d)) {
        CHECK(!workflow_leaves(t->state, a));
        return false;
    }
    CHECK(d.to == t->state && !workflow_moves(a) && !d.open && !d.cancel_rest);
    s->seen[t->state][a][d.to]++;
    return true;
}

void sim_new_task(struct sim *s, struct task *t)
{
    if (t->id)
        s->in_state[t->state]--;
    *t = (struct task){.id = ++s->next_id, .salt = t_random(&s->rng), .state = TASK_NONE};
    t->tenant = (int)(t->id & 1);
    t->w = &s->projects[sim_roll(s, SIM_PROJECTS)];
    t->overlap = t->w->overlap;
    s->in_state[TASK_NONE]++;
    struct task_facts f = sim_facts(t, NULL, 0);
    f.has_label = sim_chance(s, 20);
    t->labels = f.has_label;
    CHECK(act(s, t, ACTION_IMPORT, NULL, 0, &f));
    if (t->state != TASK_ANNOTATE || t->has_head || !sim_chance(s, 8))
        return;
    t->gold = true; /* nobody has worked on it: its own slots are closed */
    for (int i = 0; i < t->overlap; i++) {
        t->slots[STAGE_ANNOTATE][i].state = SLOT_CANCELLED;
        t->slots[STAGE_ANNOTATE][i].version++;
    }
}

/* ---- claims ---- */

static struct past *past_of(struct slot *slot, int64_t version)
{
    struct past *p = &slot->past[(unsigned)version % SIM_PAST];

    return version > 0 && p->version == version ? p : NULL;
}

bool sim_may_claim(const struct sim *s, const struct task *t, enum stage stage,
    const struct slot *slot, int64_t who)
{
    return people_has(&s->may[t->tenant][stage], who) && !people_has(&slot->excluded, who) &&
           (!slot->reserved_for || slot->reserved_for == who) &&
           (stage != STAGE_ANNOTATE || !elsewhere(t, slot, who));
}

static void grant(struct sim *s, struct task *t, enum stage stage, struct slot *slot, int64_t who)
{
    CHECK(slot->state == SLOT_FREE); /* I3: one live lease a slot */
    if (stage == STAGE_REVIEW || stage == STAGE_QA)
        CHECK(!people_has(&t->head_authors, who)); /* I3: never one's own work */
    if (stage == STAGE_QA)
        CHECK(who != t->head_reviewer);
    CHECK(sim_stay(s, t, ACTION_CLAIM));
    slot->state = SLOT_LEASED;
    slot->version++;
    slot->holder = who;
    slot->reserved_for = 0;
    slot->lease_until = s->now + 5000 + sim_roll(s, 15000);
    slot->past[(unsigned)slot->version % SIM_PAST] =
        (struct past){.version = slot->version, .actor = who, .did = ACTION_CLAIM};
}

/* Which task falls to a claim is the queue's business: here it is the message's. */
static struct answer on_claim(struct sim *s, struct task *t, const struct message *m)
{
    enum stage stage;

    if (workflow_stage(t->state, &stage))
        for (int i = 0; i < sim_slots_of(t, stage); i++) {
            struct slot *slot = &t->slots[stage][i];
            if (slot->state != SLOT_FREE || !sim_may_claim(s, t, stage, slot, m->actor))
                continue;
            grant(s, t, stage, slot, m->actor);
            return (struct answer){TOLD_OK, i, slot->version, 0};
        }
    return (struct answer){.outcome = TOLD_REFUSED};
}

/* Under its version, leased, or run out with nobody else there. */
static bool still_his(const struct task *t, const struct slot *slot, const struct message *m)
{
    if (slot->version != m->version || slot->holder != m->actor)
        return false;
    return slot->state == SLOT_LEASED ||
           (slot->state == SLOT_FREE &&
               !(m->stage == STAGE_ANNOTATE && elsewhere(t, slot, m->actor)));
}

/* ---- handing in ---- */

static bool brings_label(enum action a)
{
    return a == ACTION_SUBMIT || a == ACTION_FIX || a == ACTION_PRELABELLED;
}

/* I1: what came too late is kept, the same once. */
static struct answer keep_late(struct sim *s, struct task *t, struct past *p, uint64_t body)
{
    if (!p || p->late_body != body || !p->late_label) {
        CHECK(sim_stay(s, t, ACTION_LATE));
        t->labels++;
        if (p) {
            p->late_body = body;
            p->late_label = t->labels;
        }
    }
    return (struct answer){TOLD_LATE, 0, t->version, p ? p->late_label : t->labels};
}

static struct answer accept(
    struct sim *s, struct task *t, struct slot *slot, const struct message *m, struct past *p)
{
    int64_t actor = m->stage == STAGE_PRELABEL ? 0 : m->actor;
    struct task_facts f = sim_facts(t, m->stage == STAGE_ANNOTATE ? slot : NULL, actor);
    bool lapsed = slot->state == SLOT_FREE;

    f.agreement = sim_roll(s, 101) / 100.0;
    f.score = sim_roll(s, 101) / 100.0;
    if (!act(s, t, m->action, slot, actor, &f)) {
        CHECK(m->action == ACTION_SKIP && !t->w->allow_skip);
        return (struct answer){.outcome = TOLD_REFUSED};
    }
    CHECK(m->version > slot->accepted); /* the fencing token: once a version */
    slot->accepted = m->version;
    s->lapsed_accepted += lapsed;
    t->labels += brings_label(m->action);
    struct answer a = {TOLD_OK, m->slot, t->version, brings_label(m->action) ? t->labels : 0};
    if (p) {
        p->did = m->action;
        p->body = m->body;
        p->label = a.label;
        p->task_version = a.version;
    }
    return a;
}

static struct answer on_hand_in(struct sim *s, struct task *t, const struct message *m)
{
    struct slot *slot = &t->slots[m->stage][m->slot];
    struct past *p = past_of(slot, m->version);
    bool had = p && p->actor == m->actor;

    if (still_his(t, slot, m))
        return accept(s, t, slot, m, had ? p : NULL);
    if (had && p->did == m->action && (p->body == m->body || !brings_label(m->action))) {
        s->replays++;
        return (struct answer){TOLD_OK, m->slot, p->task_version, p->label};
    }
    if (had && brings_label(m->action) && m->stage != STAGE_PRELABEL)
        return keep_late(s, t, p, m->body);
    return (struct answer){.outcome = TOLD_REFUSED};
}

static struct answer on_heartbeat(struct sim *s, struct task *t, const struct message *m)
{
    struct slot *slot = &t->slots[m->stage][m->slot];

    if (!still_his(t, slot, m))
        return (struct answer){.outcome = TOLD_REFUSED};
    slot->state = SLOT_LEASED;
    slot->lease_until = s->now + 5000 + sim_roll(s, 15000);
    return (struct answer){TOLD_OK, m->slot, m->version, 0};
}

static struct answer on_release(struct sim *s, struct task *t, const struct message *m)
{
    struct slot *slot = &t->slots[m->stage][m->slot];

    if (!still_his(t, slot, m) || slot->state != SLOT_LEASED)
        return (struct answer){.outcome = TOLD_REFUSED};
    CHECK(sim_stay(s, t, ACTION_RELEASE));
    slot->state = SLOT_FREE;
    return (struct answer){TOLD_OK, m->slot, m->version, 0};
}

/* ---- managers ---- */

static bool lend_hand(struct task *t, int64_t whose)
{
    for (int i = 0; i < t->nhands; i++)
        if (t->hands[i] == whose)
            return true;
    if (t->nhands == MAX_HANDS)
        return false;
    t->hands[t->nhands++] = whose;
    return true;
}

/* Whose slot is open again, or was given up: they made the label that is reviewed nevertheless. */
static void lend_submitters(struct task *t)
{
    for (int i = 0; i < t->overlap; i++) {
        const struct slot *slot = &t->slots[STAGE_ANNOTATE][i];
        if (slot->submitter && slot->state != SLOT_DONE)
            (void)lend_hand(t, slot->submitter);
    }
}

static struct answer on_move(struct sim *s, struct task *t, const struct message *m)
{
    struct task_facts f;
    int hands = t->nhands;

    if (t->version != m->version || (m->action == ACTION_ADOPT && !lend_hand(t, m->whom)))
        return (struct answer){.outcome = TOLD_REFUSED};
    if (m->action == ACTION_ADOPT || (m->action == ACTION_REOPEN && m->to_review))
        lend_submitters(t);
    f = sim_facts(t, NULL, m->actor);
    f.reopen_to_review = m->to_review;
    if (!act(s, t, m->action, NULL, m->actor, &f)) {
        CHECK(t->gold || t->erased || !workflow_leaves(t->state, m->action) ||
              (m->to_review && !t->has_head));
        t->nhands = hands;
        return (struct answer){.outcome = TOLD_REFUSED};
    }
    CHECK(!t->erased);
    if (m->action == ACTION_ERASE) {
        t->erased = true;
        t->has_head = false;
        t->head_author = 0;
    }
    if (m->action == ACTION_ADOPT) {
        t->labels++;
        t->head_author = m->whom; /* it is the version of somebody, chosen by the actor */
        t->head_authors = t->annotators = (struct people){0};
        people_add(&t->annotators, m->whom);
        people_add(&t->head_authors, m->whom);
        CHECK(people_has(&t->slots[STAGE_REVIEW][0].excluded, m->whom));
        CHECK(people_has(&t->slots[STAGE_REVIEW][0].excluded, m->actor));
    }
    return (struct answer){TOLD_OK, 0, t->version, 0};
}

static struct answer on_assign(struct sim *s, struct task *t, const struct message *m)
{
    struct slot *slot = &t->slots[m->stage][m->slot];
    bool leased = slot->state == SLOT_LEASED;

    if (!live(slot) || (leased && !m->revoke) || slot->holder == m->whom ||
        !people_has(&s->may[t->tenant][m->stage], m->whom) ||
        people_has(&slot->excluded, m->whom) || elsewhere(t, slot, m->whom))
        return (struct answer){.outcome = TOLD_REFUSED};
    CHECK(sim_stay(s, t, ACTION_ASSIGN) && (!leased || sim_stay(s, t, ACTION_UNASSIGN)));
    slot->state = SLOT_FREE;
    slot->version++; /* what its holder hands in now is late */
    slot->holder = 0;
    slot->reserved_for = m->whom;
    slot->reserved_until = s->now + t->w->reserve_s * 1000LL;
    return (struct answer){TOLD_OK, m->slot, slot->version, 0};
}

static struct answer on_unassign(struct sim *s, struct task *t, const struct message *m)
{
    struct slot *slot = &t->slots[m->stage][m->slot];

    if (slot->state != SLOT_LEASED && !(slot->state == SLOT_FREE && slot->reserved_for))
        return (struct answer){.outcome = TOLD_REFUSED};
    CHECK(sim_stay(s, t, ACTION_UNASSIGN));
    if (slot->state == SLOT_LEASED) {
        slot->version++;
        slot->holder = 0;
    }
    slot->state = SLOT_FREE;
    slot->reserved_for = 0;
    return (struct answer){TOLD_OK, m->slot, slot->version, 0};
}

/* A claim and a verdict in one. */
static struct answer on_accept_bulk(struct sim *s, struct task *t, const struct message *m)
{
    enum stage stage = t->state == TASK_QA ? STAGE_QA : STAGE_REVIEW;
    struct slot *slot = &t->slots[stage][0];
    struct task_facts f = sim_facts(t, NULL, m->actor);

    if ((t->state != TASK_REVIEW && t->state != TASK_QA) || !live(slot) ||
        people_has(&slot->excluded, m->actor))
        return (struct answer){.outcome = TOLD_REFUSED};
    CHECK(!people_has(&t->head_authors, m->actor)); /* I3 */
    slot->version++;
    slot->holder = m->actor;
    slot->accepted = slot->version;
    CHECK(act(s, t, stage == STAGE_QA ? ACTION_PASS : ACTION_ACCEPT, slot, m->actor, &f));
    return (struct answer){TOLD_OK, 0, t->version, 0};
}

/* ---- one message ---- */

struct answer sim_handle(struct sim *s, const struct message *m)
{
    static struct answer (*const on[OP_COUNT])(
        struct sim *, struct task *, const struct message *) = {
        [OP_CLAIM] = on_claim,
        [OP_HAND_IN] = on_hand_in,
        [OP_HEARTBEAT] = on_heartbeat,
        [OP_RELEASE] = on_release,
        [OP_MOVE] = on_move,
        [OP_ASSIGN] = on_assign,
        [OP_UNASSIGN] = on_unassign,
        [OP_ACCEPT_BULK] = on_accept_bulk,
    };
    struct task *t = &s->tasks[m->task];
    struct kept_answer *kept = &s->keys[m->key % SIM_KEYS];

    if (t->id != m->task_id || sim_tenant(m->actor) != t->tenant) /* I8 */
        return (struct answer){.outcome = TOLD_NOT_FOUND};
    if (m->key && kept->key == m->key) { /* I4 */
        s->replays++;
        return kept->body == m->body ? kept->answer
                                     : (struct answer){.outcome = TOLD_OTHER_REQUEST};
    }
    struct answer a = on[m->op](s, t, m);
    if (m->key && a.outcome == TOLD_OK)
        *kept = (struct kept_answer){m->key, m->body, a};
    return a;
}

/* ---- upkeep ---- */

void sim_sweep(struct sim *s, struct task *t)
{
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        for (int i = 0; i < sim_slots_of(t, stage); i++) {
            struct slot *slot = &t->slots[stage][i];
            if (slot->state == SLOT_LEASED && slot->lease_until < s->now) {
                CHECK(sim_stay(s, t, ACTION_EXPIRE));
                slot->state = SLOT_FREE; /* version and holder stay */
                s->expired++;
            }
            if (slot->state == SLOT_FREE && slot->reserved_for && slot->reserved_until < s->now)
                slot->reserved_for = 0;
        }
}

void sim_deal_gold(struct sim *s, struct task *t, int64_t who)
{
    if (!t->gold || t->erased || sim_tenant(who) != t->tenant || elsewhere(t, NULL, who) ||
        !people_has(&s->may[t->tenant][STAGE_ANNOTATE], who))
        return;
    for (int i = MAX_OVERLAP; i < SIM_SLOTS; i++) {
        struct slot *slot = &t->slots[STAGE_ANNOTATE][i];
        if (slot->state == SLOT_FREE && slot->reserved_for == who)
            return;
        if (slot->state != SLOT_UNUSED)
            continue;
        *slot = (struct slot){.state = SLOT_FREE, .reserved_for = who, .reserved_until = INT64_MAX};
        return;
    }
}
