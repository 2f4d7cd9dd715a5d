/* Where the head of each queue is, as far as a loop thread knows: claims begin there, not at the
 * entries that earlier claims left dead in the index. A hint: what came in before it is found by
 * the looks from the very beginning, of which there are as many as cost little. */
#ifndef API_QUEUE_HEAD_H
#define API_QUEUE_HEAD_H

#include "annotate-server/context.h"
#include "core/workflow.h"

struct queue_head {
    int64_t tenant, project;
    enum stage stage;
    int rank; /* nothing is open before (rank, id) */
    int64_t id;
    bool known, empty; /* empty: nor was there enough behind it */
    bool opened;       /* something came since the last look began */
    bool wanted;       /* somebody needs a look now */
    int64_t looked_us, cost_us;
};

struct queue_place {
    int rank;
    int64_t id;
};
#define QUEUE_BEGINNING ((struct queue_place){INT32_MIN, 0})

void queue_heads_init(struct thread_ctx *c);
/* Never NULL; one that takes another's place starts as unknown. Good until the next call. */
struct queue_head *queue_head_of(
    struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage);
/* Where a claim begins: at the head, or (*look) at the very beginning. */
struct queue_place queue_head_start(struct queue_head *h, int64_t now_us, bool *look);
/* What a claim found. look, began_us: of its start. place: NULL when it saw no open work. */
void queue_head_learn(struct queue_head *h, const struct queue_place *place, bool short_of,
    bool look, int64_t began_us, int64_t now_us);
/* For a claim that found too little behind the head: true when the next start will be a look, so it
 * should try again. Who waits does so only when a look is cheap or due; who does not is never told
 * "nothing" without one. */
bool queue_head_again(struct queue_head *h, bool waits);
/* Something was opened, perhaps before the head. */
void queue_head_opened(struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage);
/* Something that was handed out is open again, surely before the heads of this process: it comes
 * first again, in its old place. */
void queue_head_given_back(struct server *s, int64_t tenant, int64_t project, enum stage stage);

#endif
