/* Owns what becomes of one transition, given what the database says. Pure but for the arena: no
 * statement starts here. */
#include "annotate-server/api/transition.h"

/* What a verb means at a stage; ACTION_COUNT: nothing. */
static const enum action actions[VERB_COUNT][STAGE_COUNT] = {
    [VERB_SUBMIT] = {ACTION_COUNT, ACTION_SUBMIT, ACTION_COUNT, ACTION_COUNT},
    [VERB_ACCEPT] = {ACTION_COUNT, ACTION_COUNT, ACTION_ACCEPT, ACTION_PASS},
    [VERB_FIX] = {ACTION_COUNT, ACTION_COUNT, ACTION_FIX, ACTION_FIX},
    [VERB_REJECT] = {ACTION_COUNT, ACTION_COUNT, ACTION_REJECT, ACTION_FAIL},
    [VERB_SKIP] = {ACTION_COUNT, ACTION_SKIP, ACTION_COUNT, ACTION_COUNT},
    [VERB_PRELABELLED] = {ACTION_PRELABELLED, ACTION_COUNT, ACTION_COUNT, ACTION_COUNT},
    [VERB_PRELABEL_FAILED] = {ACTION_PRELABEL_FAILED, ACTION_COUNT, ACTION_COUNT, ACTION_COUNT},
};

/* Columns of transition_read. */
enum {
    COL_ORD,
    COL_ASSIGNMENT,
    COL_STAGE,
    COL_SLOT_STATE,
    COL_VERSION,
    COL_HOLDER,
    COL_SLOT,
    COL_TASK,
    COL_STATE,
    COL_TASK_VERSION,
    COL_OVERLAP,
    COL_REWORK,
    COL_SKIPS,
    COL_LABEL_SEQ,
    COL_HEAD,
    COL_SLOTS_LEFT,
    COL_ANNOTATORS,
    COL_REVIEWER,
    COL_HEAD_AUTHOR,
    COL_DID,
    COL_DID_TO,
    COL_DID_VERSION,
    COL_DID_LABEL,
    COL_DID_SEQ,
    COL_DID_SHA,
    COL_CLAIMED,
    COL_HANDS,
    COL_ELSEWHERE,
    COL_GOLD,
};

const char *transition_label_kind(const struct transition *t)
{
    switch (t->action) {
    case ACTION_PRELABELLED:
        return "prelabel";
    case ACTION_FIX:
        return t->stage == STAGE_QA ? "qa_fix" : "review_fix";
    default:
        return "submission";
    }
}

static void end(struct transition *t, enum err e, const char *why)
{
    t->fate = TRANSITION_DONE;
    t->err = e;
    t->why = why;
}

static void read_facts(struct transition *t, const PGresult *res, int row)
{
    struct task_facts *f = &t->facts;
    struct arena *a = arena_new();
    int64_t *people;
    size_t n = db_get_ints(res, row, COL_ANNOTATORS, a, &people);

    *f = (struct task_facts){.id = t->task,
        .salt = t->project->salt,
        .overlap = (int)db_get_int(res, row, COL_OVERLAP),
        .slots_left = (int)db_get_int(res, row, COL_SLOTS_LEFT),
        .rework_count = (int)db_get_int(res, row, COL_REWORK),
        .skip_count = (int)db_get_int(res, row, COL_SKIPS),
        .has_label = t->head_label != 0,
        .agreement = 1,
        .score = t->score,
        .gold = db_get_bool(res, row, COL_GOLD),
        .reviewer = db_get_int(res, row, COL_REVIEWER),
        .head_author = db_get_int(res, row, COL_HEAD_AUTHOR),
        .actor = t->stage == STAGE_PRELABEL ? 0 : t->actor};
    BUG_ON(!task_state_parse(db_get_str(res, row, COL_STATE), &f->state));
    for (size_t i = 0; i < n && i < MAX_OVERLAP; i++)
        f->annotators[f->nannotators++] = people[i];
    n = db_get_ints(res, row, COL_HANDS, a, &people);
    for (size_t i = 0; i < n && i < MAX_HANDS; i++)
        f->hands[f->nhands++] = people[i];
    if (t->stage == STAGE_ANNOTATE && f->nannotators < MAX_OVERLAP)
        f->annotators[f->nannotators++] = t->actor;
    arena_free(a);
}

/* Not under this version, or not any more. What was typed by somebody who did hold it is kept (I1).
 */
static void too_late(struct transition *t, const PGresult *res, int row)
{
    bool his = db_get_int(res, row, COL_HOLDER) == t->actor || db_get_bool(res, row, COL_CLAIMED);
    bool same_version = db_get_int(res, row, COL_VERSION) == t->version;

    if (!his) {
        end(t, ERR_LEASE_LOST, "this assignment is not yours");
        return;
    }
    t->late = true;
    end(t, same_version ? ERR_CONFLICT : ERR_VERSION,
        same_version ? "this work has been handed in or withdrawn already"
                     : "the assignment has moved on to another version");
    if (t->label && t->stage != STAGE_PRELABEL)
        t->fate = TRANSITION_LATE;
}

/* The very same request came before: its answer again. True when it was so. */
static bool replay(struct transition *t, const PGresult *res, int row)
{
    enum action did;
    struct sha256 sha;

    if (!action_parse(db_get_str(res, row, COL_DID), &did) || did == ACTION_CLAIM)
        return false;
    bool same = !t->label || (db_get_bytes(res, row, COL_DID_SHA, sha.b, SHA256_LEN) &&
                                 sha256_eq(sha, t->label->sha256));
    if (!same || (did != t->action && did != ACTION_LATE))
        return false;
    if (did == ACTION_LATE) {
        if (!t->label)
            return false;
        too_late(t, res, row);
        t->fate = TRANSITION_DONE; /* it is kept already */
        t->late_label = db_get_int(res, row, COL_DID_LABEL);
        return true;
    }
    end(t, ERR_OK, NULL);
    t->decision = (struct decision){0}; /* nothing opens again */
    BUG_ON(!task_state_parse(db_get_str(res, row, COL_DID_TO), &t->to));
    t->task_version = db_get_int(res, row, COL_DID_VERSION);
    t->label_id = db_get_int(res, row, COL_DID_LABEL);
    t->label_seq = (int)db_get_int(res, row, COL_DID_SEQ);
    return true;
}

void transition_judge(struct transition *t, const PGresult *res, int row)
{
    struct str slot = db_get_str(res, row, COL_SLOT_STATE);

    BUG_ON(!stage_parse(db_get_str(res, row, COL_STAGE), &t->stage));
    t->action = actions[t->verb][t->stage];
    t->task = db_get_int(res, row, COL_TASK);
    t->task_version = db_get_int(res, row, COL_TASK_VERSION);
    t->head_label = db_get_int(res, row, COL_HEAD);
    if (t->action == ACTION_COUNT) {
        end(t, ERR_CONFLICT, "this is not how work of its stage is handed in");
        return;
    }
    read_facts(t, res, row);
    /* The lease has run out, but nobody else has claimed; nor its holder another slot (I3). */
    bool lapsed = str_is(slot, "open") &&
                  !(t->stage == STAGE_ANNOTATE && db_get_bool(res, row, COL_ELSEWHERE));
    if (db_get_int(res, row, COL_VERSION) == t->version &&
        db_get_int(res, row, COL_HOLDER) == t->actor && (str_is(slot, "leased") || lapsed)) {
        t->fate = TRANSITION_APPLY;
        return;
    }
    if (!replay(t, res, row))
        too_late(t, res, row);
}

bool transition_needs_siblings(const struct transition *t)
{
    return t->action == ACTION_SUBMIT && !t->facts.gold && t->facts.overlap > 1 &&
           t->facts.slots_left == 0 && t->facts.rework_count == 0;
}

static struct str list_excluded(const struct decision *d, struct arena *a)
{
    struct str s = STR("{");

    for (int i = 0; i < d->nexclude; i++) {
        s.p = arena_printf(a, "%.*s%s%lld", STR_FMT(s), i ? "," : "", (long long)d->exclude[i]);
        s.n = strlen(s.p);
    }
    s.p = arena_printf(a, "%.*s}", STR_FMT(s));
    s.n++;
    return s;
}

static struct str agreement_detail(const struct transition *t, struct arena *a)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_printf(&out, "{\"agreement\":%.6g", t->facts.agreement);
    if (t->decision.merge && t->merge_refused.p) {
        buf_puts(&out, ",\"merge_refused\":");
        buf_json(&out, t->merge_refused);
    }
    buf_putc(&out, '}');
    struct str detail = arena_str(a, buf_view(&out));
    buf_release(&out);
    return detail;
}

void transition_decide(struct transition *t, struct arena *a)
{
    enum err e = workflow_decide(&t->project->workflow, &t->facts, t->action, &t->decision);

    if (e) {
        end(t, e,
            t->action == ACTION_SKIP ? "this project does not allow skipping"
                                     : "the task's state does not allow this");
        if (t->label && t->stage != STAGE_PRELABEL)
            t->fate = TRANSITION_LATE;
        return;
    }
    t->to = t->decision.to;
    t->excluded = list_excluded(&t->decision, a);
    if (t->decision.rework_add && !t->decision.reserved_for) /* sent back once too often */
        t->detail = STR("{\"escalated\":true}");
    if (transition_needs_siblings(t)) /* on record: tasks are found by it */
        t->detail = agreement_detail(t, a);
}
