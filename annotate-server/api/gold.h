/* Gold tasks: work whose label is known, dealt among the rest and scored when it is handed in.
 * Nothing that a person gets tells it from other work. */
#ifndef API_GOLD_H
#define API_GOLD_H

#include "annotate-server/api/claim.h"
#include "annotate-server/api/transition.h"

void gold_mark_handler(struct req *r);
void gold_list_handler(struct req *r);

/* After a batch of claims was granted: counts their turns and deals gold for the next claims, then
 * calls then(run). A failure costs a deal, never a claim. */
void gold_deal(struct claim_run *run, void (*then)(struct claim_run *run));

/* Before a batch of transitions is decided: scores what is gold, then calls then(run). */
void gold_score(struct transition_run *run, void (*then)(struct transition_run *run));
/* What the answer to gold work says: what it would say of the first work on an ordinary task. */
void gold_disguise(
    const struct transition *t, enum task_state *state, int64_t *version, int *label_seq);
/* The statement that keeps the scores in the transaction of transition_apply, whose rows are `res`
 * (struct db_call.follow); NULL: none of them is gold. */
const struct db_call *gold_record(
    struct transition_run *run, struct transition **items, const PGresult *res);
/* After it was written: opens the work of whoever was paused for it, in the background. */
void gold_restore(const struct transition_run *run);

#endif
