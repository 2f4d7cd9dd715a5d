/* Streams of events (GET /v1/events, Server-Sent Events): a client is told of what happens in its
 * projects as it happens. The events are read once for all who listen in a thread and not at all
 * while nobody does; how it is done: event_feed.h. */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "annotate-server/context.h"
#include "annotate-server/http/request.h"

enum {
    EVENTS_WAKE_MS = 50,   /* a tenant's events are read at most so often */
    EVENTS_POLL_MS = 2000, /* and at least so often: what no server of ours wrote tells nobody */
    EVENTS_BEHIND = 10000, /* events that a reader may be behind */
    EVENTS_RIGHTS_MS = 5000,
    EVENTS_BEAT_MS = 15000,
};

void events_handler(struct req *r);

/* Makes a thread's streams, before it serves. */
void events_init(struct thread_ctx *c);
/* Ends all streams; no more begin. */
void events_drain(struct thread_ctx *c);

/* struct http_options.after: what was written may have events. Tells all threads and servers. */
void events_written(struct req *r, int status);
/* A tenant has events: they are read in every thread that has listeners. */
void events_changed(struct server *s, int64_t tenant);
/* Somebody's rights changed (tenant 0: in any tenant): this thread looks at them now. */
void events_recheck(struct thread_ctx *c, int64_t tenant);

#endif
