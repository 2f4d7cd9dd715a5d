/* Where records go: one interface, a backend a file (sink_file.c, sink_kafka.c).
 *
 * Exactly once (I5): records and the position behind them become visible together or not at all,
 * and opening a sink shuts out whoever had it before. So whatever happens, the relay may go back to
 * the position it recovers and send again from there.
 *
 * open -> recover -> { begin -> put... -> commit | abort }... -> close. All calls block, each for a
 * bounded time. What the errors of begin, put and commit mean to the caller:
 *   ERR_BUSY         the transaction did not happen: abort, go back to the last committed position
 *   ERR_UNAVAILABLE  unknown or broken: close, open again, recover
 *   ERR_CONFLICT     another relay has taken over: stop
 *   any other        the record cannot be sent at all (too large): stop
 */
#ifndef WORKERS_STREAM_SINK_H
#define WORKERS_STREAM_SINK_H

#include <signal.h>

#include "core/record.h"

struct sink;

struct sink_backend {
    const char *name; /* "file" of "file:DIRECTORY" */
    enum err (*open)(struct sink *s);
    /* Appends the position committed last to `position`; nothing when there never was one. *used:
     * there are records all the same, so that starting anew would send them twice. */
    enum err (*recover)(struct sink *s, struct buf *position, bool *used);
    enum err (*begin)(struct sink *s);
    enum err (*put)(struct sink *s, const struct record *r);
    enum err (*commit)(struct sink *s, struct str position);
    void (*abort)(struct sink *s);
    void (*close)(struct sink *s);
};

extern const struct sink_backend sink_file, sink_kafka;

struct sink_options {
    const char *spec;   /* "file:DIRECTORY" or "kafka:HOST:PORT[,HOST:PORT]" */
    const char *prefix; /* topics are PREFIX.events, … */
    int partitions;     /* of a topic that has to be made */
    const volatile sig_atomic_t
        *stop; /* set when the process shall end: calls then give up early */
};

struct sink {
    const struct sink_backend *backend;
    const char *where; /* the spec behind the colon */
    struct sink_options options;
    void *state; /* the backend's own; NULL when closed */
};

/* Chooses the backend; opens nothing. ERR_INVALID, after saying so, for a spec of another form. */
enum err sink_init(struct sink *s, const struct sink_options *o) MUSTCHECK;

/* Opens it, closing it first if it is open. */
enum err sink_open(struct sink *s) MUSTCHECK;
void sink_close(struct sink *s);

#endif
