/* Owns the Kafka clients' settings, the topics' and the scan for the position. Never produces. */
#include "workers/stream/kafka.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/kafka_security.h"

enum { ADMIN_MS = 15000, POLL_MS = 200, TAIL = 1000, NTOPICS = TOPIC_COUNT + 1 };

void kafka_topic(const struct sink_options *o, int t, char *out)
{
    snprintf(out, KAFKA_TOPIC_MAX + 1, "%s.%s", o->prefix,
        t == TOPIC_COUNT ? "relay-pos" : topic_name((enum topic)t));
}

/* --- settings --- */

struct setting {
    const char *name, *value;
};

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    log_msg(level <= 3   ? LOG_ERROR
            : level <= 4 ? LOG_WARN
                         : LOG_INFO,
        "kafka", "%s: %s", facility, text);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    /* Purged is what an abort does to records that it takes back. */
    if (m->err && m->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
        m->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        log_warn("kafka_delivery", "%s: %s", rd_kafka_topic_name(m->rkt), rd_kafka_err2str(m->err));
}

static rd_kafka_conf_t *configure(const char *brokers, const struct setting *list, size_t n)
{
    struct kafka_security security = kafka_security_of_config();
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[KAFKA_WHY_MAX];

    rd_kafka_conf_set_log_cb(conf, on_log);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        log_error("kafka", "%s", why);
    if (kafka_security_apply(&security, conf, why)) /* main has checked: a file has changed since */
        log_error("kafka", "%s", why);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_conf_res_t res =
            rd_kafka_conf_set(conf, list[i].name, list[i].value, why, sizeof(why));
        BUG_ON(res != RD_KAFKA_CONF_OK);
    }
    return conf;
}

static rd_kafka_t *create(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why)); /* takes conf when it succeeds */

    if (!rk) {
        log_error("kafka", "%s", why);
        rd_kafka_conf_destroy(conf);
    }
    return rk;
}

rd_kafka_t *kafka_producer(const struct sink *s)
{
    /* partitioner: the default is CRC32, and Java clients would map keys differently.
     * message.timeout: records in flight when a broker dies may hang until then, and the relay with
     * them. */
    static const struct setting list[] = {{"client.id", "annotate-stream"},
        {"transaction.timeout.ms", "60000"}, {"message.timeout.ms", "20000"},
        {"socket.timeout.ms", "30000"}, {"linger.ms", "10"}, {"compression.type", "zstd"},
        {"partitioner", "murmur2_random"}, {"message.max.bytes", "2097152"},
        {"queue.buffering.max.messages", "200000"}, {"queue.buffering.max.kbytes", "262144"}};
    rd_kafka_conf_t *conf = configure(s->where, list, ARRAY_LEN(list));
    char id[KAFKA_TOPIC_MAX + 16], why[256];

    snprintf(id, sizeof(id), "%s.relay.0", s->options.prefix);
    if (rd_kafka_conf_set(conf, "transactional.id", id, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        log_error("kafka", "%s", why);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return create(RD_KAFKA_PRODUCER, conf);
}

static rd_kafka_t *consumer(const struct sink *s)
{
    /* The group is only a name that the client asks for: partitions are assigned by hand and no
     * offset is ever committed. */
    static const struct setting list[] = {{"client.id", "annotate-stream"},
        {"group.id", "annotate-stream-recovery"}, {"enable.auto.commit", "false"},
        {"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"}, {"fetch.wait.max.ms", "10"}};
    rd_kafka_t *rk = create(RD_KAFKA_CONSUMER, configure(s->where, list, ARRAY_LEN(list)));

    if (rk)
        rd_kafka_poll_set_consumer(rk);
    return rk;
}

/* --- topics --- */

static const struct setting compacted[] = {{"cleanup.policy", "compact"},
    {"compression.type", "producer"}, {"max.message.bytes", "2097152"},
    {"min.cleanable.dirty.ratio", "0.2"}, {"delete.retention.ms", "604800000"},
    {"min.compaction.lag.ms", "3600000"}, {"max.compaction.lag.ms", "86400000"}, {NULL, NULL}};
static const struct setting month[] = {{"cleanup.policy", "delete"},
    {"compression.type", "producer"}, {"max.message.bytes", "2097152"},
    {"retention.ms", "2592000000"}, {NULL, NULL}};
/* All records of a release have one key, so it must not be compacted. */
static const struct setting kept[] = {{"cleanup.policy", "delete"},
    {"compression.type", "producer"}, {"max.message.bytes", "2097152"}, {"retention.ms", "-1"},
    {NULL, NULL}};
static const struct setting *const topic_settings[NTOPICS] = {month, compacted, kept, compacted};

/* Which of our topics there are, all of whose partitions have a leader. */
static enum err find_topics(rd_kafka_t *rk, const struct sink_options *o, bool found[NTOPICS])
{
    const struct rd_kafka_metadata *md;
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 1, NULL, &md, ADMIN_MS);
    char name[KAFKA_TOPIC_MAX + 1];

    if (err) {
        log_error("kafka", "reading metadata: %s", rd_kafka_err2str(err));
        return ERR_UNAVAILABLE;
    }
    for (int t = 0; t < NTOPICS; t++) {
        kafka_topic(o, t, name);
        found[t] = false;
        for (int i = 0; i < md->topic_cnt; i++) {
            const struct rd_kafka_metadata_topic *topic = &md->topics[i];
            if (strcmp(topic->topic, name) != 0 || topic->err || topic->partition_cnt == 0)
                continue;
            found[t] = true;
            for (int p = 0; p < topic->partition_cnt; p++)
                found[t] &= topic->partitions[p].leader >= 0;
        }
    }
    rd_kafka_metadata_destroy(md);
    return ERR_OK;
}

static rd_kafka_NewTopic_t *describe(const struct sink_options *o, int t)
{
    char name[KAFKA_TOPIC_MAX + 1], why[256];
    int partitions = t == TOPIC_COUNT ? 1 : o->partitions;

    kafka_topic(o, t, name);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, -1, why, sizeof(why));
    if (!topic) {
        log_error("kafka", "topic %s: %s", name, why);
        return NULL;
    }
    for (const struct setting *c = topic_settings[t]; c->name; c++)
        (void)rd_kafka_NewTopic_set_config(topic, c->name, c->value);
    return topic;
}

static enum err check_created(rd_kafka_event_t *event)
{
    size_t n;
    enum err e = ERR_OK;

    if (!event) {
        log_error("kafka", "the brokers did not answer the request to make topics");
        return ERR_UNAVAILABLE;
    }
    if (rd_kafka_event_error(event)) {
        log_error("kafka", "making topics: %s", rd_kafka_event_error_string(event));
        return ERR_UNAVAILABLE;
    }
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
        if (!err || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        log_error("kafka", "making topic %s: %s", rd_kafka_topic_result_name(results[i]),
            rd_kafka_err2str(err));
        e = ERR_UNAVAILABLE;
    }
    return e;
}

static enum err create_topics(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics, size_t n)
{
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    char why[256];

    (void)rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_MS, why, sizeof(why));
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, ADMIN_MS, why, sizeof(why));
    rd_kafka_CreateTopics(rk, topics, n, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_MS + 1000);
    enum err e = check_created(event);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return e;
}

static enum err create_missing(
    rd_kafka_t *rk, const struct sink_options *o, const bool found[NTOPICS])
{
    rd_kafka_NewTopic_t *topics[NTOPICS];
    size_t n = 0;
    enum err e = ERR_OK;

    for (int t = 0; !e && t < NTOPICS; t++) {
        if (found[t])
            continue;
        if ((topics[n] = describe(o, t)))
            n++;
        else
            e = ERR_UNAVAILABLE;
    }
    if (!e && n)
        e = create_topics(rk, topics, n);
    rd_kafka_NewTopic_destroy_array(topics, n);
    return e;
}

static bool all(const bool found[NTOPICS])
{
    for (int t = 0; t < NTOPICS; t++)
        if (!found[t])
            return false;
    return true;
}

enum err kafka_make_topics(rd_kafka_t *producer, const struct sink_options *o)
{
    int64_t deadline = clock_mono_us() + KAFKA_CALL_MS * 1000;
    bool found[NTOPICS];
    enum err e;

    if ((e = find_topics(producer, o, found)) || all(found))
        return e;
    if ((e = create_missing(producer, o, found)))
        return e;
    while (clock_mono_us() < deadline) { /* a new topic's leaders take a moment */
        if ((e = find_topics(producer, o, found)) || all(found))
            return e;
        rd_kafka_poll(producer, POLL_MS);
    }
    log_error("kafka", "topics of %s have partitions without a leader", o->prefix);
    return ERR_UNAVAILABLE;
}

/* --- the position --- */

/* Reads one partition from `from` to its high watermark, or until `each` says stop. The end that
 * read_committed knows is the last stable offset: behind it, records of an open transaction would
 * be hidden, so the high watermark is what must be reached. */
static enum err scan(rd_kafka_t *rk, const char *topic, int partition, int64_t from,
    bool (*each)(const rd_kafka_message_t *m, void *ctx), void *ctx)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t deadline = clock_mono_us() + KAFKA_CALL_MS * 1000, low, high;
    bool end = false;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = from;
    rd_kafka_resp_err_t err = rd_kafka_assign(rk, list);
    while (!err && !end && clock_mono_us() < deadline) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, POLL_MS);
        if (!m)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            end = !rd_kafka_get_watermark_offsets(rk, topic, partition, &low, &high) &&
                  m->offset >= high;
        else if (m->err)
            log_warn("kafka", "%s: %s", topic, rd_kafka_message_errstr(m)); /* mostly transient */
        else
            end = each(m, ctx);
        rd_kafka_message_destroy(m);
    }
    (void)rd_kafka_assign(rk, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    if (end)
        return ERR_OK;
    log_error("kafka", "%s could not be read to its end: %s", topic,
        err ? rd_kafka_err2str(err) : "time-out");
    return ERR_UNAVAILABLE;
}

static bool keep_position(const rd_kafka_message_t *m, void *ctx)
{
    struct buf *position = ctx;

    if (m->payload && str_is((struct str){m->key, m->key_len}, KAFKA_POSITION_KEY)) {
        buf_clear(position);
        buf_add(position, m->payload, m->len);
    }
    return false;
}

static bool stop_at_first(const rd_kafka_message_t *m, void *ctx)
{
    (void)m;
    *(bool *)ctx = true;
    return true;
}

/* True in *used when any committed record lies in the events topic. */
static enum err find_events(rd_kafka_t *rk, const struct sink *s, bool *used)
{
    const struct rd_kafka_metadata *md;
    char topic[KAFKA_TOPIC_MAX + 1];
    int partitions = 0;
    enum err e = ERR_OK;

    kafka_topic(&s->options, TOPIC_EVENTS, topic);
    if (rd_kafka_metadata(rk, 1, NULL, &md, ADMIN_MS))
        return ERR_UNAVAILABLE;
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, topic) == 0)
            partitions = md->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(md);
    for (int p = 0; !e && !*used && p < partitions; p++)
        e = scan(rk, topic, p, RD_KAFKA_OFFSET_BEGINNING, stop_at_first, used);
    return e;
}

enum err kafka_read_position(const struct sink *s, struct buf *position, bool *used)
{
    /* The last record is near the end, but never at a known place: commit markers have offsets,
     * too.
     */
    static const int64_t from[] = {RD_KAFKA_OFFSET_TAIL(TAIL), RD_KAFKA_OFFSET_BEGINNING};
    rd_kafka_t *rk = consumer(s);
    char topic[KAFKA_TOPIC_MAX + 1];
    enum err e = rk ? ERR_OK : ERR_UNAVAILABLE;

    *used = false;
    kafka_topic(&s->options, TOPIC_COUNT, topic);
    for (size_t i = 0; !e && position->n == 0 && i < ARRAY_LEN(from); i++)
        e = scan(rk, topic, KAFKA_POSITION_PARTITION, from[i], keep_position, position);
    if (!e)
        e = buf_err(position);
    if (!e && position->n == 0)
        e = find_events(rk, s, used);
    if (rk) {
        (void)rd_kafka_consumer_close(rk);
        rd_kafka_destroy(rk);
    }
    return e;
}
