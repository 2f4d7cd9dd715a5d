/* A simulated installation around core/workflow: tasks, slots under fencing tokens, leases on a
 * clock of its own, keys, and a network that delays, reorders, doubles and loses what people send.
 * Never asks for the time or for chance: all comes from one seed. */
#ifndef TESTS_UNIT_SIM_H
#define TESTS_UNIT_SIM_H

#include "core/workflow.h"
#include "t.h"

enum {
    SIM_PROJECTS = 12,
    SIM_TASKS = 96,
    SIM_PEOPLE = 200,
    SIM_GOLD_SLOTS = 6,
    SIM_SLOTS = MAX_OVERLAP + SIM_GOLD_SLOTS,
    SIM_FLIGHT = 256,
    SIM_KEYS = 1 << 14,
    SIM_HELD = 4,
    SIM_PAST = 8
};

struct people {
    uint64_t w[(SIM_PEOPLE + 64) / 64];
};

static inline bool people_has(const struct people *p, int64_t who)
{
    return p->w[who / 64] >> (who % 64) & 1;
}

static inline void people_add(struct people *p, int64_t who) /* 0 is nobody */
{
    p->w[who / 64] |= (uint64_t)(who > 0) << (who % 64);
}

enum slot_state { SLOT_UNUSED, SLOT_FREE, SLOT_LEASED, SLOT_DONE, SLOT_PASSED, SLOT_CANCELLED };

/* What a person did with a slot under one version of it. */
struct past {
    int64_t version, actor;
    enum action did; /* ACTION_CLAIM: nothing yet */
    uint64_t body, late_body;
    int64_t label, late_label, task_version;
};

struct slot {
    enum slot_state state;
    int64_t version, holder; /* the holder stays when the lease ends without a hand-in */
    int64_t lease_until, reserved_for, reserved_until;
    int64_t accepted;  /* the newest version under which something was accepted */
    int64_t submitter; /* whose annotation of it came last, also when it is open again */
    struct people excluded;
    struct past past[SIM_PAST];
    unsigned npast;
};

struct task {
    int64_t id;
    int tenant;
    const struct workflow *w;
    uint64_t salt;
    enum task_state state, archived_from;
    int64_t version;
    int overlap, rework, skips;
    bool gold, has_head, erased;
    struct people head_authors; /* who wrote the head label: a fix is its fixer's, on top of ... */
    struct people annotators;   /* ... those whose label was fixed */
    int64_t head_author, reviewer;
    int64_t head_reviewer; /* who accepted or fixed the head label, if it was reviewed */
    int64_t hands[MAX_HANDS];
    int nhands;
    int64_t labels; /* versions of its label, late ones included */
    struct slot slots[STAGE_COUNT][SIM_SLOTS];
};

enum op {
    OP_CLAIM,
    OP_HAND_IN,
    OP_HEARTBEAT,
    OP_RELEASE,
    OP_MOVE,
    OP_ASSIGN,
    OP_UNASSIGN,
    OP_ACCEPT_BULK,
    OP_COUNT
};

struct message {
    enum op op;
    enum action action; /* of OP_HAND_IN and OP_MOVE */
    int task;           /* its place; the id tells whether it is still that one */
    int64_t task_id;
    enum stage stage;
    int slot;
    int64_t version, actor, whom; /* the slot's version, or for OP_MOVE the task's */
    uint64_t key, body;           /* key 0: none */
    bool to_review, revoke;
};

enum outcome { TOLD_OK, TOLD_REFUSED, TOLD_LATE, TOLD_NOT_FOUND, TOLD_OTHER_REQUEST };

struct answer {
    enum outcome outcome;
    int slot; /* of a claim */
    int64_t version, label;
};

struct kept_answer {
    uint64_t key, body;
    struct answer answer;
};

struct held { /* what a person believes to have */
    int task;
    int64_t task_id;
    enum stage stage;
    int slot;
    int64_t version;
};

struct sim {
    uint64_t rng;
    int64_t now; /* ms */
    long step;
    struct workflow projects[SIM_PROJECTS];
    struct task tasks[SIM_TASKS];
    int64_t next_id;
    struct people may[2][STAGE_COUNT]; /* by tenant */
    struct message flight[SIM_FLIGHT];
    int nflight;
    struct held held[SIM_PEOPLE + 1][SIM_HELD];
    struct kept_answer keys[SIM_KEYS];
    uint64_t next_key, next_body;
    long seen[TASK_STATE_COUNT][ACTION_COUNT][TASK_STATE_COUNT];
    long in_state[TASK_STATE_COUNT];             /* counted by deltas */
    long told[OP_COUNT][TOLD_OTHER_REQUEST + 1]; /* how often; for the report */
    long replays, doubled, lost, expired, lapsed_accepted;
};

/* sim_task.c: the database, and what the server does with one message */
int sim_tenant(int64_t who);
int sim_slots_of(const struct task *t, enum stage stage);
void sim_new_task(struct sim *s, struct task *t);
bool sim_may_claim(const struct sim *s, const struct task *t, enum stage stage,
    const struct slot *slot, int64_t who);
/* An action that leaves the task as it is; false when the workflow has it not for this state. */
bool sim_stay(struct sim *s, const struct task *t, enum action a);
struct answer sim_handle(struct sim *s, const struct message *m);
void sim_sweep(struct sim *s, struct task *t); /* upkeep: leases and reservations that are over */
void sim_deal_gold(struct sim *s, struct task *t, int64_t who);
struct task_facts sim_facts(const struct task *t, const struct slot *acting, int64_t actor);

/* sim_people.c: what people and the network do next; NULL, or the task that may have changed */
void sim_init(struct sim *s, uint64_t seed);
void sim_redraw(struct sim *s); /* the settings of one project change under way */
struct task *sim_step(struct sim *s);
unsigned sim_roll(struct sim *s, unsigned n);
bool sim_chance(struct sim *s, unsigned percent);

#endif
