/* Reads the stream back, from Kafka (read_committed: nothing of an aborted or open transaction) or
 * from the file sink's log. Each topic is read from its beginning; the order within a key is the
 * stream's own. */
#ifndef CLI_FEED_H
#define CLI_FEED_H

#include <stdbool.h>

#include "core/record.h"

struct feed;

struct feed_backend {
    enum err (*open)(struct feed *f);
    enum err (*next)(struct feed *f, struct record *out, bool *got);
    void (*close)(struct feed *f);
};

extern const struct feed_backend feed_kafka, feed_file;

struct feed {
    const struct feed_backend *backend;
    const char *where;        /* HOST:PORT[,HOST:PORT], or a directory */
    const char *prefix;       /* of the topics */
    bool wanted[TOPIC_COUNT]; /* the topics to read */
    void *state;              /* the backend's own; NULL when closed */
};

/* Both say on stderr why they fail. */
enum err feed_open(struct feed *f) MUSTCHECK;
/* The next record, good until the next call. Not *got: the end for now; call again to follow, which
 * waits a moment by itself. */
enum err feed_next(struct feed *f, struct record *out, bool *got) MUSTCHECK;
void feed_close(struct feed *f);

#endif
