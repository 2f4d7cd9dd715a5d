/* workers/stream/sink: the contract of a sink, against the file sink. (tests/api/test_stream.py
 * runs the whole relay against every sink, Kafka included.) */
#include "workers/stream/sink.h"

#include <stdio.h>

#include "stream_dir.h"
#include "t.h"

static char spec[96];

/* A sink over a new, empty directory. */
static struct sink fresh(void)
{
    struct sink s = {0};

    snprintf(spec, sizeof(spec), "file:%s/out", stream_dir_fresh());
    struct sink_options o = {.spec = spec, .prefix = "annotate", .partitions = 1};
    CHECK(sink_init(&s, &o) == ERR_OK);
    return s;
}

static void expect_position(struct sink *s, const char *want)
{
    struct buf position;
    bool used = true;

    buf_init(&position, BUF_MAX_LINE);
    CHECK(s->backend->recover(s, &position, &used) == ERR_OK);
    CHECK_STR(buf_view(&position), str_of(want));
    CHECK(!used);
    buf_release(&position);
}

static enum err put(struct sink *s, const char *key, const char *value)
{
    struct record r;

    record_init(&r, TOPIC_EVENTS, str_of(key));
    record_header(&r, "ce_id", STR("1"));
    r.value = str_of(value);
    return s->backend->put(s, &r);
}

TEST(sink_spec)
{
    static const char *const bad[] = {"", "file", "file:", "kafka:", "s3:x", ":x", "/var/stream"};
    struct sink s;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sink_options o = {.spec = bad[i], .prefix = "p", .partitions = 1};
        if (sink_init(&s, &o) == ERR_OK)
            t_fail(__FILE__, __LINE__, "«%s» was taken for a sink", bad[i]);
    }
    struct sink_options o = {.spec = "kafka:a:1,b:2", .prefix = "p", .partitions = 1};
    REQUIRE(sink_init(&s, &o) == ERR_OK);
    CHECK(s.backend == &sink_kafka);
    CHECK_STR(str_of(s.where), STR("a:1,b:2"));
    sink_close(&s); /* closing what was never opened is fine */
}

TEST(sink_commits_records_with_their_position)
{
    struct sink s = fresh();

    REQUIRE(sink_open(&s) == ERR_OK);
    expect_position(&s, "");
    CHECK(s.backend->begin(&s) == ERR_OK);
    CHECK(put(&s, "1", "{}") == ERR_OK);
    CHECK(s.backend->commit(&s, STR("{\"n\":1}")) == ERR_OK);
    REQUIRE(sink_open(&s) == ERR_OK); /* closes first */
    expect_position(&s, "{\"n\":1}");
    sink_close(&s);
}

TEST(sink_forgets_what_was_aborted)
{
    struct sink s = fresh();

    REQUIRE(sink_open(&s) == ERR_OK);
    CHECK(s.backend->begin(&s) == ERR_OK);
    CHECK(put(&s, "1", "{}") == ERR_OK);
    s.backend->abort(&s);
    CHECK(s.backend->begin(&s) == ERR_OK);
    CHECK(put(&s, "2", "{}") == ERR_OK);
    CHECK(s.backend->commit(&s, STR("{\"n\":2}")) == ERR_OK);
    CHECK(s.backend->begin(&s) == ERR_OK);
    CHECK(put(&s, "3", "{}") == ERR_OK);
    REQUIRE(sink_open(&s) == ERR_OK); /* in the middle of a transaction */
    expect_position(&s, "{\"n\":2}");
    sink_close(&s);
}

TEST(sink_refuses_a_record_that_is_no_line)
{
    struct sink s = fresh();

    REQUIRE(sink_open(&s) == ERR_OK);
    CHECK(s.backend->begin(&s) == ERR_OK);
    CHECK(put(&s, "1", "{\n}") == ERR_INVALID);
    s.backend->abort(&s);
    CHECK(s.backend->begin(&s) == ERR_OK);
    CHECK(put(&s, "1", "{}") == ERR_OK);
    CHECK(s.backend->commit(&s, STR("1")) == ERR_OK);
    sink_close(&s);
}

TEST(sink_shuts_a_second_relay_out)
{
    struct sink a = fresh(), b;
    struct sink_options o = {.spec = spec, .prefix = "annotate", .partitions = 1};

    REQUIRE(sink_init(&b, &o) == ERR_OK);
    REQUIRE(sink_open(&a) == ERR_OK);
    CHECK(sink_open(&b) == ERR_CONFLICT);
    sink_close(&b);
    sink_close(&a);
    CHECK(sink_open(&b) == ERR_OK);
    sink_close(&b);
}
