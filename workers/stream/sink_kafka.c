/* Owns the Kafka sink: one transactional producer, the position record last in each transaction.
 * Never decides to go on after a fatal error: librdkafka 2.0.2 has some that are no fault of ours
 * (docs/design.md §9), so the producer is an object that is thrown away and made anew. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "workers/stream/kafka.h"
#include "workers/stream/sink.h"

struct kafka_sink {
    rd_kafka_t *producer;
    const volatile sig_atomic_t *stop;
    bool broken;                                       /* only close helps */
    char topics[TOPIC_COUNT + 1][KAFKA_TOPIC_MAX + 1]; /* the last is the position's */
};

/* What a failed call means (sink.h). Consumes err. */
static enum err judge(struct kafka_sink *k, rd_kafka_error_t *err, const char *what)
{
    char why[256] = "";

    if (!err)
        return ERR_OK;
    rd_kafka_resp_err_t code = rd_kafka_error_code(err);
    bool abortable = rd_kafka_error_txn_requires_abort(err);
    if (rd_kafka_error_is_fatal(err) || code == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_resp_err_t cause = rd_kafka_fatal_error(k->producer, why, sizeof(why));
        code = cause ? cause : code;
    }
    bool fenced = code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
                  code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    log_warn("kafka_transaction", "%s: %s %s", what, rd_kafka_error_string(err), why);
    rd_kafka_error_destroy(err);
    k->broken = !abortable;
    return fenced ? ERR_CONFLICT : abortable ? ERR_BUSY : ERR_UNAVAILABLE;
}

/* Calls fn until it succeeds or fails for good, but not past the deadline; when the process shall
 * end, one more time-out is waited for. */
static enum err retry(struct kafka_sink *k, rd_kafka_error_t *(*fn)(rd_kafka_t *, int),
    int total_ms, const char *what)
{
    int64_t deadline = clock_mono_us() + (int64_t)total_ms * 1000;
    rd_kafka_error_t *err;

    while ((err = fn(k->producer, KAFKA_STEP_MS)) && rd_kafka_error_is_retriable(err) &&
           clock_mono_us() < deadline && !*k->stop) {
        rd_kafka_error_destroy(err);
        rd_kafka_poll(k->producer, 100);
    }
    return judge(k, err, what);
}

static void kafka_close(struct sink *s)
{
    struct kafka_sink *k = s->state;

    if (k->producer) {
        (void)rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy_flags(k->producer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    free(k);
}

static enum err kafka_open(struct sink *s)
{
    struct kafka_sink *k = calloc(1, sizeof(*k));
    enum err e;

    BUG_ON(!k);
    s->state = k;
    k->stop = s->options.stop;
    for (int t = 0; t <= TOPIC_COUNT; t++)
        kafka_topic(&s->options, t, k->topics[t]);
    if (!(k->producer = kafka_producer(s)))
        return ERR_UNAVAILABLE;
    /* Fences an older relay and ends its open transaction: it must precede the reading of the
     * position. */
    if ((e = retry(k, rd_kafka_init_transactions, KAFKA_CALL_MS, "init_transactions")))
        return e == ERR_BUSY ? ERR_UNAVAILABLE : e;
    return kafka_make_topics(k->producer, &s->options);
}

static enum err kafka_recover(struct sink *s, struct buf *position, bool *used)
{
    struct kafka_sink *k = s->state;
    const struct rd_kafka_metadata *md;
    enum err e;

    if ((e = kafka_read_position(s, position, used)))
        return e;
    /* Without it the first transaction waits a second for the topics' metadata. */
    if (rd_kafka_metadata(k->producer, 1, NULL, &md, KAFKA_CALL_MS))
        return ERR_UNAVAILABLE;
    rd_kafka_metadata_destroy(md);
    return ERR_OK;
}

static enum err kafka_begin(struct sink *s)
{
    struct kafka_sink *k = s->state;

    if (k->broken)
        return ERR_UNAVAILABLE;
    return judge(k, rd_kafka_begin_transaction(k->producer), "begin_transaction");
}

static rd_kafka_headers_t *headers_of(const struct record *r)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(r->nheaders);

    for (size_t i = 0; i < r->nheaders; i++) {
        struct str name = r->headers[i].name, value = r->headers[i].value;
        (void)rd_kafka_header_add(
            headers, name.p, (ssize_t)name.n, value.n ? value.p : "", (ssize_t)value.n);
    }
    return headers;
}

static rd_kafka_resp_err_t produce_once(
    struct kafka_sink *k, const char *topic, int partition, const struct record *r)
{
    rd_kafka_headers_t *headers = headers_of(r);
    void *value = r->tombstone ? NULL : (void *)(uintptr_t)r->value.p;
    rd_kafka_resp_err_t err = rd_kafka_producev(k->producer, RD_KAFKA_V_TOPIC(topic),
        RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)(uintptr_t)r->key.p, r->key.n),
        RD_KAFKA_V_VALUE(value, r->tombstone ? 0 : r->value.n), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);

    if (err)
        rd_kafka_headers_destroy(headers); /* taken over only on success */
    return err;
}

/* Enqueues; waits while the queue is full. */
static enum err produce(
    struct kafka_sink *k, const char *topic, int partition, const struct record *r)
{
    int64_t deadline = clock_mono_us() + KAFKA_CALL_MS * 1000;
    rd_kafka_resp_err_t err;

    while ((err = produce_once(k, topic, partition, r)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           clock_mono_us() < deadline)
        rd_kafka_poll(k->producer, 100);
    rd_kafka_poll(k->producer, 0);
    if (!err)
        return ERR_OK;
    log_warn("kafka_produce", "%s: %s", topic, rd_kafka_err2str(err));
    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return ERR_TOO_LARGE;
    if (err == RD_KAFKA_RESP_ERR__FENCED)
        return ERR_CONFLICT;
    k->broken = err == RD_KAFKA_RESP_ERR__FATAL;
    return k->broken ? ERR_UNAVAILABLE : ERR_BUSY;
}

static enum err kafka_put(struct sink *s, const struct record *r)
{
    struct kafka_sink *k = s->state;

    return produce(k, k->topics[r->topic], RD_KAFKA_PARTITION_UA, r);
}

static enum err kafka_commit(struct sink *s, struct str position)
{
    struct kafka_sink *k = s->state;
    struct record r;
    enum err e;

    record_init(&r, TOPIC_EVENTS, STR(KAFKA_POSITION_KEY));
    r.value = position;
    if ((e = produce(k, k->topics[TOPIC_COUNT], KAFKA_POSITION_PARTITION, &r)))
        return e;
    if ((e = FAULT("stream_kafka_produced")))
        return ERR_UNAVAILABLE;
    return retry(k, rd_kafka_commit_transaction, KAFKA_COMMIT_MS, "commit_transaction");
}

static void kafka_abort(struct sink *s)
{
    struct kafka_sink *k = s->state;

    if (!k->broken && retry(k, rd_kafka_abort_transaction, KAFKA_CALL_MS, "abort_transaction"))
        k->broken = true; /* begin will say so */
}

const struct sink_backend sink_kafka = {
    .name = "kafka",
    .open = kafka_open,
    .recover = kafka_recover,
    .begin = kafka_begin,
    .put = kafka_put,
    .commit = kafka_commit,
    .abort = kafka_abort,
    .close = kafka_close,
};
