/* What the Kafka sink needs besides transactions: clients with our settings, the topics, and the
 * position that was committed last. Every call is bounded in time: librdkafka waits for ever on -1,
 * so that is never passed. */
#ifndef WORKERS_STREAM_KAFKA_H
#define WORKERS_STREAM_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/record.h"
#include "workers/stream/sink.h"

enum {
    KAFKA_STEP_MS = 5000,     /* one call of librdkafka; it is made again until the deadline */
    KAFKA_CALL_MS = 30000,    /* what one of ours may take */
    KAFKA_COMMIT_MS = 120000, /* and a commit, whose outcome one wants to know */
    KAFKA_MESSAGE_MAX = 2 << 20,
    KAFKA_TOPIC_MAX = 249, /* of a topic's name, by Kafka's rules */
};

/* The partition and the key of position records; one relay, one of each. */
enum { KAFKA_POSITION_PARTITION = 0 };
#define KAFKA_POSITION_KEY "relay/0"

/* "annotate.events"; t == TOPIC_COUNT: "annotate.relay-pos". out holds KAFKA_TOPIC_MAX + 1. */
void kafka_topic(const struct sink_options *o, int t, char *out);

/* NULL after logging why not. Free with rd_kafka_destroy. */
rd_kafka_t *kafka_producer(const struct sink *s);

/* Makes the topics that are missing and waits until all can be written to. ERR_UNAVAILABLE. */
enum err kafka_make_topics(rd_kafka_t *producer, const struct sink_options *o) MUSTCHECK;

/* Reads the last committed position, as sink_backend.recover says. To be called after
 * init_transactions only: that ends what an older relay left open. */
enum err kafka_read_position(const struct sink *s, struct buf *position, bool *used) MUSTCHECK;

#endif
