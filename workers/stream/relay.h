/* The relay: moves events from the source to the sink, exactly once, in order (I5). It keeps no
 * state of its own: after any failure it goes back to the position that the sink has committed. */
#ifndef WORKERS_STREAM_RELAY_H
#define WORKERS_STREAM_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "workers/stream/sink.h"

struct relay_options {
    const char *db;    /* libpq connection string of the workers' role */
    const char *blobs; /* storage/blob.h */
    struct sink_options sink;
    int64_t poll_ms;
    bool from_start; /* the operator's word that a stream with records but no position may start
                        anew */
    void (*started)(void *ctx); /* called once, when the first position has been recovered */
    void *ctx;
};

/* Runs until *sink.stop: then finishes the transaction. ERR_OK: stopped. ERR_CONFLICT: another
 * relay took over, or the database is not the stream's. Any other error: what it needs cannot be
 * had, and trying again would not help. Each is in the log. */
enum err relay_run(const struct relay_options *o) MUSTCHECK;

#endif
