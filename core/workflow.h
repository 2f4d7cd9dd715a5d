/* The workflow, pure: (settings, task, action) -> next state, next label, work to open. No I/O, no
 * clock, no globals. Names in text (SQL enums, JSON, events) are the lower-case forms: "annotate",
 * "prelabel_failed", ... The whole table is workflow.def:
 *
 *   import --> prelabel --prelabelled/failed--> annotate --submit--> review --accept/fix--> qa
 *                                                 ^ skip             | ^                   |  |
 *                                                 '-----reject-------' '-------fail--------'  |
 *                                                                         done <--pass/fix----'
 */
#ifndef CORE_WORKFLOW_H
#define CORE_WORKFLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "core/tags.h"

enum task_state {
    TASK_NONE,
    TASK_PRELABEL,
    TASK_ANNOTATE,
    TASK_REVIEW,
    TASK_QA,
    TASK_DONE,
    TASK_SKIPPED,
    TASK_ARCHIVED,
    TASK_STATE_COUNT
};
enum stage { STAGE_PRELABEL, STAGE_ANNOTATE, STAGE_REVIEW, STAGE_QA, STAGE_COUNT };
enum action {
    ACTION_IMPORT,
    ACTION_PRELABELLED,
    ACTION_PRELABEL_FAILED,
    ACTION_SUBMIT,
    ACTION_SKIP,
    ACTION_ACCEPT,
    ACTION_FIX,
    ACTION_REJECT,
    ACTION_PASS,
    ACTION_FAIL,
    ACTION_REOPEN,
    ACTION_ARCHIVE,
    ACTION_RESTORE,
    ACTION_CLAIM,
    ACTION_EXPIRE,
    ACTION_RELEASE,
    ACTION_LATE,
    ACTION_ASSIGN,
    ACTION_UNASSIGN,
    ACTION_PRIORITIZE,
    ACTION_ADOPT,       /* an older version, or work that came late, becomes the label */
    ACTION_ERASE,       /* the task's content goes on request, for good */
    ACTION_ERASE_LABEL, /* a version's content alone */
    ACTION_COUNT
};

const char *task_state_name(enum task_state s); /* "none" for TASK_NONE */
const char *stage_name(enum stage s);
const char *action_name(enum action a);
bool task_state_parse(struct str name, enum task_state *out);
bool stage_parse(struct str name, enum stage *out);
bool action_parse(struct str name, enum action *out);

enum review_mode { REVIEW_ALL, REVIEW_SAMPLE, REVIEW_NONE };

struct agreement_metric;

/* A project's workflow settings (project.workflow JSON). All have defaults; unknown keys are
 * errors. */
struct workflow {
    bool prelabel;    /* "prelabel": false */
    bool auto_accept; /* "auto_accept": false; a pre-label whose score >= auto_accept_score skips
                         annotate */
    double auto_accept_score; /* "auto_accept_score": 0.95 */
    int overlap;              /* "overlap": 1..9 */
    enum review_mode review;  /* "review": {"mode":"all"|"sample"|"none","percent":0..100} */
    double review_percent;    /* in sample mode; default 100 */
    double qa_percent;        /* "qa": {"percent":0} */
    double agreement;         /* "agreement": {"threshold":0..1,"metric":"auto"}; default 0.7 */
    const struct agreement_metric *metric; /* of core/agreement.h; never NULL */
    int max_rework;                        /* "max_rework": 3 */
    int skip_limit;                        /* "skip_limit": 3 */
    bool allow_skip;                       /* "allow_skip": true */
    double gold_percent;                   /* "gold_percent": 0 */
    double gold_floor;        /* "gold_floor": 0; whose accuracy on gold is below it is paused */
    int lease_s[STAGE_COUNT]; /* "lease_s":
                                 {"prelabel":120,"annotate":600,"review":600,"qa":600}; 5..86400 */
    int reserve_s; /* "reserve_s": 86400: rework waits that long for its first annotator */
    int max_leases[STAGE_COUNT]; /* "max_leases": {"annotate":0,...}: live leases of one person; 0 =
                                    as many as they ask for */
    char skills[TAGS_TEXT];      /* "skills": []: tags that all work of the project requires */
};

void workflow_default(struct workflow *w);
/* `json` is the JSON text of the settings object (already scanned strict). On error ERR_INVALID,
 * with a JSON pointer such as
 * "/review/percent" in pointer (>= 64 bytes) and a reason in why (>= 128 bytes). */
enum err workflow_parse(struct workflow *w, struct str json, char *pointer, char *why) MUSTCHECK;
/* All settings, defaults included, as one canonical JSON object. */
void workflow_print(const struct workflow *w, struct buf *out);

enum { MAX_OVERLAP = 9, MAX_HANDS = 8 };

/* What the decision needs to know of the task, read in one statement. */
struct task_facts {
    int64_t id;
    uint64_t salt; /* the project's sampling salt */
    enum task_state state;
    enum task_state archived_from; /* for restore */
    int overlap;
    int slots_left; /* annotate slots open or leased, the acting one not counted */
    int rework_count, skip_count;
    bool has_label;   /* head_label is not null; ACTION_IMPORT: a label comes with it */
    double agreement; /* ACTION_SUBMIT, last slot, overlap > 1: 0..1; else 1 */
    double score;     /* ACTION_PRELABELLED: the model's confidence, or -1 */
    int64_t annotators[MAX_OVERLAP]; /* who submitted each annotate slot last, by slot, the acting
                                        submitter included; slots without one are left out */
    int nannotators;
    int64_t hands[MAX_HANDS]; /* who else had a hand in what is or was its label: by adoption */
    int nhands;
    bool gold;             /* it is scored, and stays in annotate for good */
    bool erased;           /* nothing moves it any more */
    int64_t reviewer;      /* who decided the last review; 0 = nobody */
    int64_t head_author;   /* who wrote the head label; 0 = a model, a merge or nobody */
    int64_t actor;         /* who acts now; 0 = a model or the system */
    bool reopen_to_review; /* ACTION_REOPEN: where to */
};

enum slot_end { SLOT_SUBMITTED, SLOT_SKIPPED, SLOT_OPEN };
enum { MAX_EXCLUDED = MAX_OVERLAP + MAX_HANDS + 4 };

/* What to do, if the guard (versions) holds. */
struct decision {
    enum task_state to;
    bool label_is_head; /* the label that came with the action becomes task.head_label */
    bool merge; /* the last slot agreed: what all said becomes a `merge` version and the head */
    enum slot_end slot; /* what becomes of the acting assignment, if the action has one */
    bool exclude_actor; /* SLOT_OPEN: its actor may not take it again */
    bool cancel_rest;   /* the task's other open and leased assignments are cancelled */
    bool open;          /* work to open: */
    enum stage open_stage;
    int open_slots;       /* slots 1..open_slots */
    bool open_unfinished; /* of these only the ones that nobody has submitted (reopen, restore) */
    int64_t reserved_for; /* 0 = anyone */
    bool exclude_annotators, exclude_reviewer; /* why people stand in `exclude` */
    int64_t exclude[MAX_EXCLUDED]; /* who may not take what is opened (I3); it replaces the slot's
                                      old list. Needs head_author, reviewer and actor above. */
    int nexclude;
    int rework_add, skip_add;
};

/* ERR_CONFLICT when the action is not legal in the task's state, or the settings forbid it (skip),
 * or it would judge a task without a label (nothing is decided then). Beyond design.md §5 it holds
 * that: work that was sent back (rework_count > 0) is reviewed again whatever the sampling says,
 * and is never merged with the slots that were rejected together with it; rejecting a label that no
 * person made (an accepted pre-label) opens the ordinary slots and is no rework. */
enum err workflow_decide(const struct workflow *w, const struct task_facts *t, enum action a,
    struct decision *out) MUSTCHECK;

/* True when (from, action, to) is a row of workflow.def. */
bool workflow_legal(enum task_state from, enum action a, enum task_state to);
/* True when some row of workflow.def leaves `from` by `a`. */
bool workflow_leaves(enum task_state from, enum action a);
/* True for MOVE rows: the task's version grows (I2). */
bool workflow_moves(enum action a);
/* The stage whose assignments belong to a state; false for done, skipped, archived. */
bool workflow_stage(enum task_state s, enum stage *out);

/* Graphviz of the table. */
void workflow_dot(struct buf *out);
/* The rows of the CHECK on event, in the order of workflow.def, one a line, with a comma and a
 * newline between two: 'annotate submit review' */
void workflow_check_sql(struct buf *out);

/* Sampling by hash: the same (salt, task, what) always answers the same. `percent` 0..100. A task
 * that is in the sample stays in it when the percentage grows. */
bool sample_hit(uint64_t salt, int64_t task, const char *what, double percent);

#endif
