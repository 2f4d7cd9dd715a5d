/* Handing out work: POST /v1/projects/{id}/claims. */
#ifndef API_CLAIM_H
#define API_CLAIM_H

#include "annotate-server/api/content.h"
#include "annotate-server/api/park.h"
#include "annotate-server/http/request.h"

enum { CLAIM_MAX = 256, CLAIM_WAIT_MAX_S = 60, LEASE_MIN_S = 5, LEASE_MAX_S = 86400 };

/* Whether a person gets work, as claim_take has it. The last four: of who has waited, as the gate
 * has looked at the others just now. */
enum standing {
    STANDING_GOOD,
    STANDING_PAUSED,
    STANDING_DISABLED,
    STANDING_STRANGER,
    STANDING_ROLE,
    STANDING_ARCHIVED,
};

struct claim {
    struct batch_item item;
    struct parked parked;
    struct req *r;
    enum stage stage;
    int asked, want; /* want: of what is asked, as much as the person may have */
    int lease_s;
    bool capped; /* why there is less than asked */
    enum standing standing;
    enum err err;        /* of its labels: it is answered with that alone */
    bool more;           /* beyond what the person holds already */
    int64_t since_us;    /* it came: its place among those who wait */
    int64_t deadline_us; /* of waiting; 0 = do not wait */
    struct grant *grants, **tail;
    int granted;
    bool waited;     /* it has been parked */
    bool unfinished; /* nothing yet, and the queue has not been gone through */
};

struct grant {                /* one assignment handed to a claim; in the batch's arena */
    struct grant *next, *all; /* of the claim; of the batch */
    struct claim *claim;
    int ord;
    int64_t id, version, slot, task, task_version, head;
    int rework, label_seq;
    bool again;   /* held already: its holder may have a draft */
    bool dropped; /* not shown: too much for one answer, or unreadable */
    bool unreadable;
    struct str expires, data, meta, state;
    struct view *views; /* labels and predictions to show */
    struct str draft, comments;
};

struct view { /* a label version to show with a grant */
    struct view *next;
    int64_t id;
    struct str kind, author, model, score;
    bool is_head, is_side; /* a side: one of the submissions that did not agree */
    struct content *content;
};

struct claim_run { /* a batch at work */
    struct batch *b;
    struct thread_ctx *ctx;
    const struct project *project; /* of the first request */
    struct db_call call;
    struct db_array ord, place, user, lease, more, waited;
    struct claim **by_ord; /* from 1 */
    int64_t began_us;
    bool look; /* from the very beginning of the queue */
    struct grant *grants, **tail;
    int ngrants, pending, tries;
    enum err err; /* of what is shown beside the tasks */
    struct content *contents;
    size_t ncontents;
    void (*then)(struct claim_run *run);  /* after pending reaches 0 */
    void (*found)(struct claim_run *run); /* what claim_find() calls */
};

void claim_handler(struct req *r);
/* Whether a role may do the work of a stage. */
bool claim_may(enum stage stage, enum role role);
/* The roles that may, as a PostgreSQL array. */
struct str claim_roles(enum stage stage, struct arena *a);

/* claim_find.c: leases work for the claims of a batch, then calls then(run), or fails them all. The
 * rule of the walks: nothing before a person's cursor is for them but what was opened since
 * (docs/design.md §6). */
void claim_find(struct claim_run *run, void (*then)(struct claim_run *run));
/* Answers every claim with an error and ends the batch. */
void claim_fail_all(struct claim_run *run, enum err e);

/* claim_describe.c: fetches labels, predictions, drafts and comments of run->grants, then calls
 * then(run). */
void claim_describe(struct claim_run *run, void (*then)(struct claim_run *run));
/* claim_fit.c: drops what is more than one answer holds, before its labels are read. */
void claim_fit(struct claim_run *run);
/* Drops what cannot be read, and gives back what was dropped; then calls then(run). */
void claim_give_back(struct claim_run *run, void (*then)(struct claim_run *run));
/* {"assignments":[...],"capped":true,"paused":true,"unfinished":true}, the latter when they are so
 */
void claim_print(const struct claim *c, struct buf *out);

#endif
