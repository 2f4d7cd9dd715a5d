/* Moving tasks on: submit, verdict, skip, pre-label. Many requests of one project go through the
 * same steps together:
 *
 *   write the documents of the batch as one pack  |  read the assignments and tasks      (both at
 * once) decide each one in core/workflow.c            (the last of several slots: compare the
 * submissions first) apply the decisions, guarded by versions      (a row that lost its race is
 * read and decided again) keep what came too late                       (I1)
 *
 * A transition is embedded in or allocated from its request's arena and lives until `done`. */
#ifndef API_TRANSITION_H
#define API_TRANSITION_H

#include "annotate-server/api/content.h"
#include "annotate-server/project.h"
#include "core/workflow.h"

struct req;

enum verb {
    VERB_SUBMIT,
    VERB_ACCEPT,
    VERB_FIX,
    VERB_REJECT,
    VERB_SKIP,
    VERB_PRELABELLED,
    VERB_PRELABEL_FAILED,
    VERB_COUNT
};

struct comment {
    struct str region, text; /* region.p NULL: on the whole task */
};

struct labelled {   /* a label document on its way into storage */
    struct buf doc; /* canonical bytes */
    struct sha256 sha256;
    size_t regions;
    struct pack_id pack;
    int64_t off;
    bool packed;
};

struct label_place { /* where a label version's bytes lie */
    struct pack_id pack;
    int64_t off, bytes;
    struct sha256 sha256;
    size_t regions;
};

struct transition {
    struct batch_item item;
    /* the request */
    struct thread_ctx *ctx;
    struct project *project;
    int64_t tenant, assignment, version, actor;
    enum verb verb;
    struct labelled *label;                /* NULL: none came along */
    double lead_time, score;               /* below 0: not given */
    struct str model, detail;              /* p NULL: none; detail is JSON text for the event */
    const struct idempotency *idempotency; /* NULL: the request carries no key */
    const struct comment *comments;
    size_t ncomments;
    void (*done)(struct transition *t); /* may free it */
    void *user;
    /* what was found and decided */
    struct task_facts facts;
    struct decision decision;
    enum action action;
    enum stage stage;
    int64_t task, task_version, head_label;
    struct str excluded;
    struct sibling *siblings; /* the submissions of the other slots, to compare */
    size_t nsiblings;
    struct label_place merge; /* decision.merge: what they say together */
    struct buf *merge_doc;    /* NULL: one of them says just that */
    struct str merge_refused; /* p NULL, or why it is only the one that speaks for the most */
    double gold_score;        /* of gold work; else below 0 */
    int tries;
    bool late; /* its actor held it; what they typed is not lost (I1) */
    enum { TRANSITION_APPLY, TRANSITION_LATE, TRANSITION_AGAIN, TRANSITION_DONE } fate;
    /* the answer */
    enum err err;
    const char *why;
    enum task_state to;
    int64_t label_id, late_label;
    int label_seq;
};

struct sibling {
    int64_t id, assignment;
    size_t regions;
    struct content *content;
};

struct transition_run { /* a batch at work */
    struct batch *b;
    struct thread_ctx *ctx;
    struct transition **items;
    int n;
    struct pack_item *pack_items;
    struct labelled **packed;
    size_t npacked;
    struct pack_id pack;
    int64_t pack_bytes;
    enum err pack_err;
    struct pack_id merge_pack; /* of the merges that nobody handed in as they are */
    int64_t merge_bytes;
    size_t nmerges;
    bool recorded; /* the packs have their rows */
    int pending;
};

/* Sends it on its way. */
void transition_start(struct transition *t);

/* transition_decide.c: from a row of transition_read; sets fate, and err and why where that is the
 * end of it. */
void transition_judge(struct transition *t, const PGresult *res, int row);
/* After agreement is known, or at once: the workflow's decision. */
void transition_decide(struct transition *t, struct arena *a);
/* The last of several slots, so the submissions must be compared first. */
bool transition_needs_siblings(const struct transition *t);
const char *transition_label_kind(const struct transition *t);

/* transition_agree.c: compares the submissions of those that need it and stores what they say
 * together, then then(run); run->pack_err tells when that failed. */
void transition_compare(struct transition_run *run, void (*then)(struct transition_run *run));

/* transition_write.c: the guarded write of all items whose fate is APPLY, then of those LATE; then
 * then(run). */
void transition_write(struct transition_run *run, void (*then)(struct transition_run *run));

#endif
