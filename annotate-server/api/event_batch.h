/* What one read of the events brought, as text that is ready to be sent: once for all who listen.
 * Never decides who sees what. */
#ifndef API_EVENT_BATCH_H
#define API_EVENT_BATCH_H

#include "annotate-server/api/event_id.h"
#include "core/workflow.h"
#include "io/db.h"

enum {
    BATCH_PUBLISH = ACTION_COUNT, /* of a release, the one action that is none of a task */
    BATCH_ACTIONS,
    BATCH_PROJECTS = 32,
};

struct event_row {
    int64_t project;
    int64_t about; /* who did it; of a change of the queue whose work it is; 0: nobody */
    size_t off;    /* in text */
    uint32_t part; /* so far it tells only what the person it is about has done themselves */
    uint32_t all;
    int action; /* enum action or BATCH_PUBLISH */
};

struct event_batch {
    struct buf text;
    struct event_row *rows;
    size_t n;
    int64_t projects[BATCH_PROJECTS]; /* that it is about; nprojects -1: more than fit here */
    int nprojects;
};

/* From a result of events_after read from `prev` to `cur`. ERR_FULL: too large to be sent. */
enum err event_batch_make(
    struct event_batch *b, struct str prev, struct str cur, const PGresult *res) MUSTCHECK;
void event_batch_release(struct event_batch *b);

/* Can there be events of a project in it? */
bool event_batch_has(const struct event_batch *b, int64_t project);
/* Where a piece that begins at row `from` ends: after n rows, or with the first that brings it to
 * so many bytes. */
size_t event_batch_piece(const struct event_batch *b, size_t from, size_t n, size_t bytes);
/* Adds a row, ready to be sent; whole: or just the part. */
void event_batch_put(
    const struct event_batch *b, const struct event_row *row, bool whole, struct buf *out);

/* "submit", "publish", ... false: no action. */
bool event_action_parse(struct str name, int *out);

#endif
