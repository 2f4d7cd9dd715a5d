/* Owns reading the stream's topics from Kafka. Never joins a group and never commits an offset:
 * every run reads from the beginning. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/feed.h"
#include "cli/say.h"
#include "io/kafka_security.h"

enum { METADATA_MS = 10000, POLL_MS = 100, STALL_US = 30000000, TOPIC_NAME = 256 };

struct partition {
    enum topic topic;
    int number;
    bool at_end;
};

struct kafka_feed {
    rd_kafka_t *rk;
    rd_kafka_message_t *message; /* shown last */
    char names[TOPIC_COUNT][TOPIC_NAME];
    struct partition *partitions;
    size_t npartitions, open_ends; /* open: not yet read to their end */
};

static void kafka_close(struct feed *f)
{
    struct kafka_feed *s = f->state;

    if (s->message)
        rd_kafka_message_destroy(s->message);
    if (s->rk) {
        (void)rd_kafka_consumer_close(s->rk);
        rd_kafka_destroy(s->rk);
    }
    free(s->partitions);
    free(s);
}

static rd_kafka_t *make_consumer(const char *brokers)
{
    /* fetch.wait.max.ms: 500, the default, would be the latency of an idle topic. */
    static const char *const settings[][2] = {{"client.id", "annotate-consume"},
        {"group.id", "annotate-consume"}, {"enable.auto.commit", "false"},
        {"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"}, {"fetch.wait.max.ms", "10"}, {"log_level", "3"}};
    struct kafka_security security = kafka_security_of_config();
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[KAFKA_WHY_MAX];
    bool good = !kafka_security_apply(&security, conf, why);

    for (size_t i = 0; good && i < ARRAY_LEN(settings); i++)
        good = rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) ==
               RD_KAFKA_CONF_OK;
    good = good && rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof(why)) ==
                       RD_KAFKA_CONF_OK;
    rd_kafka_t *rk = good ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why)) : NULL;
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        fail("%s", why);
        return NULL;
    }
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void add_partitions(
    struct kafka_feed *s, enum topic topic, const struct rd_kafka_metadata_topic *md)
{
    size_t n = s->npartitions + (size_t)md->partition_cnt;

    s->partitions = reallocarray(s->partitions, n, sizeof(*s->partitions));
    BUG_ON(!s->partitions);
    for (int i = 0; i < md->partition_cnt; i++)
        s->partitions[s->npartitions++] = (struct partition){topic, md->partitions[i].id, false};
}

static enum err find_partitions(struct feed *f, struct kafka_feed *s)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_resp_err_t err = rd_kafka_metadata(s->rk, 1, NULL, &md, METADATA_MS);
    enum err e = ERR_OK;

    if (err) {
        fail("Kafka at %s does not answer: %s.", f->where, rd_kafka_err2str(err));
        return ERR_UNAVAILABLE;
    }
    for (int t = 0; !e && t < TOPIC_COUNT; t++) {
        size_t before = s->npartitions;
        snprintf(s->names[t], TOPIC_NAME, "%s.%s", f->prefix, topic_name((enum topic)t));
        for (int i = 0; f->wanted[t] && i < md->topic_cnt; i++)
            if (strcmp(md->topics[i].topic, s->names[t]) == 0)
                add_partitions(s, (enum topic)t, &md->topics[i]);
        if (f->wanted[t] && s->npartitions == before) {
            fail("Kafka at %s has no topic %s; is --topic-prefix right?", f->where, s->names[t]);
            e = ERR_NOT_FOUND;
        }
    }
    rd_kafka_metadata_destroy(md);
    s->open_ends = s->npartitions;
    return e;
}

static enum err assign(struct kafka_feed *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->npartitions);

    for (size_t i = 0; i < s->npartitions; i++)
        rd_kafka_topic_partition_list_add(
            list, s->names[s->partitions[i].topic], s->partitions[i].number)
            ->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t err = rd_kafka_assign(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        fail("the topics cannot be read: %s.", rd_kafka_err2str(err));
    return err ? ERR_UNAVAILABLE : ERR_OK;
}

static enum err kafka_open(struct feed *f)
{
    struct kafka_feed *s = calloc(1, sizeof(*s));
    enum err e;

    BUG_ON(!s);
    f->state = s;
    if (!(s->rk = make_consumer(f->where)))
        return ERR_INVALID;
    if ((e = find_partitions(f, s)))
        return e;
    return assign(s);
}

static struct partition *partition_of(struct kafka_feed *s, const rd_kafka_message_t *m)
{
    const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "";

    for (size_t i = 0; i < s->npartitions; i++)
        if (s->partitions[i].number == m->partition &&
            strcmp(s->names[s->partitions[i].topic], topic) == 0)
            return &s->partitions[i];
    return NULL;
}

static void mark_end(struct kafka_feed *s, struct partition *p, bool at_end)
{
    if (!p || p->at_end == at_end)
        return;
    p->at_end = at_end;
    s->open_ends += at_end ? (size_t)-1 : 1;
}

static enum err read_headers(const rd_kafka_message_t *m, struct record *out)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;

    if (rd_kafka_message_headers(m, &headers))
        return ERR_OK; /* none */
    for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
        if (i == RECORD_HEADERS)
            return ERR_INVALID;
        record_header(out, name, (struct str){value ? value : "", value ? size : 0});
    }
    return ERR_OK;
}

static enum err show(struct kafka_feed *s, rd_kafka_message_t *m, struct record *out)
{
    const struct partition *p = partition_of(s, m);

    if (s->message)
        rd_kafka_message_destroy(s->message);
    s->message = m;
    BUG_ON(!p);
    record_init(out, p->topic, (struct str){m->key ? m->key : "", m->key_len});
    out->tombstone = !m->payload;
    if (m->payload)
        out->value = (struct str){m->payload, m->len};
    return read_headers(m, out);
}

static enum err kafka_next(struct feed *f, struct record *out, bool *got)
{
    struct kafka_feed *s = f->state;
    int64_t deadline = clock_mono_us() + STALL_US;
    const char *why = "time-out";

    *got = false;
    while (clock_mono_us() < deadline) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, POLL_MS);
        if (!m && s->open_ends == 0)
            return ERR_OK;
        if (!m)
            continue;
        bool eof = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (!m->err || eof)
            mark_end(s, partition_of(s, m), eof);
        if (!m->err) {
            *got = true;
            return show(s, m, out);
        }
        if (!eof)
            why = rd_kafka_err2name(m->err);
        rd_kafka_message_destroy(m);
    }
    fail("Kafka at %s stopped answering: %s.", f->where, why);
    return ERR_UNAVAILABLE;
}

const struct feed_backend feed_kafka = {kafka_open, kafka_next, kafka_close};
