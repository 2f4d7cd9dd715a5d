/* Owns the decision: what an action makes of a task (docs/design.md §5). Pure: it reads its
 * arguments, fills a struct decision and touches nothing else. */
#include "core/workflow.h"

#include <math.h>

#include "base/hash.h"

bool sample_hit(uint64_t salt, int64_t task, const char *what, double percent)
{
    unsigned char key[16];
    struct str parts[] = {{(const char *)key, sizeof(key)}, str_of(what)};

    if (percent >= 100)
        return true;
    if (!(percent > 0))
        return false;
    for (int i = 0; i < 8; i++) {
        key[i] = (unsigned char)(salt >> (56 - 8 * i));
        key[8 + i] = (unsigned char)((uint64_t)task >> (56 - 8 * i));
    }
    return sha256_u64(sha256_parts(parts, 2)) < (uint64_t)ldexp(percent / 100, 64);
}

/* Opens slots 1..n of the stage that bears the name of state `to`. */
static void open_stage(struct decision *d, enum task_state to, int slots)
{
    d->to = to;
    d->open = workflow_stage(to, &d->open_stage);
    d->open_slots = slots;
}

static void open_annotate(const struct task_facts *t, struct decision *d)
{
    open_stage(d, TASK_ANNOTATE, t->overlap);
}

/* I3: nobody reviews a label he had a hand in. */
static void open_review(struct decision *d)
{
    open_stage(d, TASK_REVIEW, 1);
    d->exclude_annotators = true;
}

static void open_qa(struct decision *d, bool was_reviewed)
{
    open_stage(d, TASK_QA, 1);
    d->exclude_annotators = true;
    d->exclude_reviewer = was_reviewed;
}

static void qa_or_done(
    const struct workflow *w, const struct task_facts *t, struct decision *d, bool was_reviewed)
{
    if (sample_hit(t->salt, t->id, "qa", w->qa_percent))
        open_qa(d, was_reviewed);
    else
        d->to = TASK_DONE;
}

/* Back to the person who made the label; once that was tried max_rework times, to another one. */
static void open_rework(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    if (t->nannotators == 0) { /* the label was a model's: nobody has done his work badly */
        open_annotate(t, d);
        return;
    }
    open_stage(d, TASK_ANNOTATE, 1);
    d->rework_add = 1;
    if (t->rework_count + 1 > w->max_rework)
        d->exclude_annotators = true;
    else
        d->reserved_for = t->annotators[0];
}

static bool in_review_sample(const struct workflow *w, const struct task_facts *t)
{
    switch (w->review) {
    case REVIEW_ALL:
        return true;
    case REVIEW_SAMPLE:
        return sample_hit(t->salt, t->id, "review", w->review_percent);
    case REVIEW_NONE:
        break;
    }
    return false;
}

static enum err on_import(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    d->label_is_head = t->has_label;
    if (w->prelabel)
        open_stage(d, TASK_PRELABEL, 1);
    else
        open_annotate(t, d);
    return ERR_OK;
}

static enum err on_prelabelled(
    const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    if (w->auto_accept && t->score >= w->auto_accept_score) {
        d->label_is_head = true;
        open_review(d);
    } else {
        open_annotate(t, d); /* the pre-label is a hint there, not yet the task's label */
    }
    return ERR_OK;
}

/* A pre-label failure never blocks a person. */
static enum err on_prelabel_failed(
    const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    (void)w;
    d->slot = SLOT_SKIPPED;
    open_annotate(t, d);
    return ERR_OK;
}

static enum err on_submit(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    bool reworked = t->rework_count > 0;
    bool compared = t->overlap > 1 && !reworked;

    if (t->slots_left > 0 || t->gold) {
        d->to = TASK_ANNOTATE;
        return ERR_OK;
    }
    d->merge = compared && t->agreement >= w->agreement;
    d->label_is_head = !d->merge;
    if (reworked || (compared && !d->merge) || in_review_sample(w, t))
        open_review(d);
    else
        qa_or_done(w, t, d, false);
    return ERR_OK;
}

static enum err on_skip(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    if (!w->allow_skip)
        return ERR_CONFLICT;
    if (t->gold) { /* its next person has a slot of their own */
        d->to = TASK_ANNOTATE;
        d->slot = SLOT_SKIPPED;
        return ERR_OK;
    }
    d->skip_add = 1;
    if (t->skip_count + 1 >= w->skip_limit) {
        d->to = TASK_SKIPPED;
        d->slot = SLOT_SKIPPED;
        d->cancel_rest = true;
    } else {
        d->to = TASK_ANNOTATE;
        d->slot = SLOT_OPEN;
        d->exclude_actor = true;
    }
    return ERR_OK;
}

/* A verdict is on a label: without one there is nothing to accept. */
static enum err on_accept(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    if (!t->has_label)
        return ERR_CONFLICT;
    qa_or_done(w, t, d, true);
    return ERR_OK;
}

static enum err on_fix(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    d->label_is_head = true;
    if (t->state == TASK_REVIEW)
        qa_or_done(w, t, d, true);
    else
        d->to = TASK_DONE;
    return ERR_OK;
}

static enum err on_reject(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    open_rework(w, t, d);
    return ERR_OK;
}

static enum err on_pass(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    (void)w;
    d->to = TASK_DONE;
    return t->has_label ? ERR_OK : ERR_CONFLICT;
}

static enum err on_fail(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    (void)w;
    (void)t;
    open_review(d);
    d->exclude_reviewer = true;
    return ERR_OK;
}

static enum err on_reopen(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    if (t->reopen_to_review) {
        open_review(d);
        d->exclude_reviewer = true;
        return t->has_label ? ERR_OK : ERR_CONFLICT;
    }
    if (t->state == TASK_SKIPPED) { /* nobody finished it, so this is no rework */
        open_annotate(t, d);
        d->open_unfinished = true;
    } else {
        open_rework(w, t, d);
    }
    return ERR_OK;
}

static enum err on_archive(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    (void)w;
    (void)t;
    d->to = TASK_ARCHIVED;
    d->cancel_rest = true;
    return ERR_OK;
}

/* Back to where it was; what was cancelled then is open again for anyone who may take it. */
static enum err on_restore(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    d->to = t->archived_from;
    d->open_unfinished = true;
    switch (t->archived_from) {
    case TASK_PRELABEL:
        open_stage(d, TASK_PRELABEL, 1);
        break;
    case TASK_ANNOTATE:
        open_annotate(t, d);
        d->exclude_annotators = t->rework_count > w->max_rework;
        break;
    case TASK_REVIEW:
        open_review(d);
        d->exclude_reviewer = true;
        break;
    case TASK_QA:
        open_qa(d, true);
        break;
    case TASK_DONE:
    case TASK_SKIPPED:
        d->open_unfinished = false;
        break;
    default:
        return ERR_CONFLICT;
    }
    return ERR_OK;
}

/* Another version becomes the label: it is reviewed, by nobody who wrote or chose it. */
static enum err on_adopt(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    (void)w;
    (void)t;
    open_review(d);
    d->label_is_head = true;
    d->cancel_rest = true;
    return ERR_OK;
}

/* Gold, too: the one way out for it. Nothing ever leads back. */
static enum err on_erase(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    return on_archive(w, t, d);
}

/* The task stays as it is: only an assignment's lease ends, or begins. */
static enum err on_stay(const struct workflow *w, const struct task_facts *t, struct decision *d)
{
    (void)w;
    d->to = t->state;
    d->slot = SLOT_OPEN;
    return ERR_OK;
}

static enum err (*const on_action[ACTION_COUNT])(
    const struct workflow *w, const struct task_facts *t, struct decision *d) = {
    [ACTION_IMPORT] = on_import,
    [ACTION_PRELABELLED] = on_prelabelled,
    [ACTION_PRELABEL_FAILED] = on_prelabel_failed,
    [ACTION_SUBMIT] = on_submit,
    [ACTION_SKIP] = on_skip,
    [ACTION_ACCEPT] = on_accept,
    [ACTION_FIX] = on_fix,
    [ACTION_REJECT] = on_reject,
    [ACTION_PASS] = on_pass,
    [ACTION_FAIL] = on_fail,
    [ACTION_REOPEN] = on_reopen,
    [ACTION_ARCHIVE] = on_archive,
    [ACTION_RESTORE] = on_restore,
    [ACTION_CLAIM] = on_stay,
    [ACTION_EXPIRE] = on_stay,
    [ACTION_RELEASE] = on_stay,
    [ACTION_LATE] = on_stay,
    [ACTION_ASSIGN] = on_stay,
    [ACTION_UNASSIGN] = on_stay,
    [ACTION_PRIORITIZE] = on_stay,
    [ACTION_ADOPT] = on_adopt,
    [ACTION_ERASE] = on_erase,
    [ACTION_ERASE_LABEL] = on_stay,
};

static void exclude(struct decision *d, int64_t who)
{
    if (who == 0)
        return;
    for (int i = 0; i < d->nexclude; i++)
        if (d->exclude[i] == who)
            return;
    BUG_ON(d->nexclude == MAX_EXCLUDED);
    d->exclude[d->nexclude++] = who;
}

/* I3 in names. The reviewer of a label is its last one, and in a review the one who acts now; the
 * author of a fix counts as an annotator of it, however many reviews come after. */
static void list_excluded(const struct task_facts *t, struct decision *d)
{
    if (d->exclude_annotators) {
        for (int i = 0; i < t->nannotators; i++)
            exclude(d, t->annotators[i]);
        for (int i = 0; i < t->nhands; i++)
            exclude(d, t->hands[i]);
        exclude(d, t->head_author);
        if (d->label_is_head)
            exclude(d, t->actor);
    }
    if (d->exclude_reviewer)
        exclude(d, t->state == TASK_REVIEW ? t->actor : t->reviewer);
}

enum err workflow_decide(
    const struct workflow *w, const struct task_facts *t, enum action a, struct decision *out)
{
    struct task_facts facts = *t;
    struct decision d = {0};

    BUG_ON(t->nannotators < 0 || t->nannotators > MAX_OVERLAP);
    BUG_ON(t->nhands < 0 || t->nhands > MAX_HANDS);
    if (facts.overlap < 1) /* a task to be imported has none yet */
        facts.overlap = w->overlap;
    if (!workflow_leaves(t->state, a))
        return ERR_CONFLICT;
    if (t->erased && workflow_moves(a))
        return ERR_CONFLICT;
    if (t->gold && workflow_moves(a) && a != ACTION_SUBMIT && a != ACTION_SKIP && a != ACTION_ERASE)
        return ERR_CONFLICT; /* no progress is made of it */
    enum err e = on_action[a](w, &facts, &d);
    if (e)
        return e;
    BUG_ON(!workflow_legal(t->state, a, d.to)); /* I2: the CHECK on event would refuse it */
    if (d.open)
        list_excluded(&facts, &d);
    *out = d;
    return ERR_OK;
}
