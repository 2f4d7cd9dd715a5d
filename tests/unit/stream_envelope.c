/* workers/stream: the position's text, and what records say of an event. */
#include "workers/stream/envelope.h"

#include <stdlib.h>

#include "core/json_tree.h"
#include "t.h"

static struct source_row row_of(const char *action, const char *from, const char *to)
{
    return (struct source_row){.seq = 41,
        .tenant = 2,
        .project = 3,
        .task = 12,
        .version = 5,
        .label = 9,
        .action = str_of(action),
        .from = str_of(from),
        .to = str_of(to),
        .at = STR("2026-11-24T10:11:12.000001Z"),
        .detail = STR(""),
        .type = STR("")};
}

TEST(envelope_effect)
{
    static const struct {
        const char *action, *from, *to;
        enum effect want;
    } cases[] = {{"import", "none", "annotate", EFFECT_NONE},
        {"submit", "annotate", "done", EFFECT_LABEL}, {"accept", "review", "done", EFFECT_LABEL},
        {"restore", "archived", "done", EFFECT_LABEL},
        {"reopen", "done", "annotate", EFFECT_WITHDRAW},
        {"archive", "done", "archived", EFFECT_WITHDRAW}, {"late", "done", "done", EFFECT_NONE},
        {"reopen", "skipped", "review", EFFECT_NONE}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct source_row row = row_of(cases[i].action, cases[i].from, cases[i].to);
        if (envelope_effect(&row) != cases[i].want)
            t_fail(__FILE__, __LINE__, "%s from %s", cases[i].action, cases[i].from);
    }
    struct source_row row = row_of("release", "none", "none");
    row.task = 0;
    row.release = 4;
    CHECK(envelope_effect(&row) == EFFECT_NONE);
    row.type = STR("release_ready");
    CHECK(envelope_effect(&row) == EFFECT_RELEASE);
    row.task = 12; /* a task's event is no release's, whatever its detail says */
    CHECK(envelope_effect(&row) == EFFECT_NONE);
}

TEST(envelope_event)
{
    struct source_row row = row_of("submit", "annotate", "review");
    struct envelope e;
    struct record r;

    envelope_init(&e, "77.1");
    row.detail = STR("{\n  \"reason\": \"a\\nb\"\n}");
    REQUIRE(envelope_event(&e, &row, &r) == ERR_OK);
    CHECK(r.topic == TOPIC_EVENTS && !r.tombstone);
    CHECK_STR(r.key, STR("12"));
    CHECK_STR(record_get(&r, "ce_specversion"), STR("1.0"));
    CHECK_STR(record_get(&r, "ce_id"), STR("77.1-41"));
    CHECK_STR(record_get(&r, "ce_source"), STR("/tenants/2/projects/3"));
    CHECK_STR(record_get(&r, "ce_type"), STR("annotate.task.submit.v1"));
    CHECK_STR(record_get(&r, "ce_subject"), STR("task/12"));
    CHECK_STR(record_get(&r, "ce_time"), STR("2026-11-24T10:11:12.000001Z"));
    CHECK_STR(record_get(&r, "ce_sequence"), STR("5"));
    CHECK_STR(record_get(&r, "content-type"), STR("application/json"));
    CHECK_STR(r.value,
        STR("{\"seq\":41,\"at\":\"2026-11-24T10:11:12.000001Z\",\"tenant\":2,\"project\":3,"
            "\"task\":12,\"action\":\"submit\",\"from\":\"annotate\",\"to\":\"review\","
            "\"version\":5,\"actor\":null,\"assignment\":null,\"assignment_version\":null,"
            "\"label\":9,\"release\":null,\"detail\":{   \"reason\": \"a\\nb\" }}"));
    row.task = row.version = 0;
    REQUIRE(envelope_event(&e, &row, &r) == ERR_OK);
    CHECK_STR(r.key, STR("project/3"));
    CHECK_STR(record_get(&r, "ce_sequence"), STR(""));
    envelope_release(&e);
}

static struct source_label label_of(struct str doc)
{
    return (struct source_label){.id = 9,
        .seq = 2,
        .author = 7,
        .regions = 1,
        .config = 1,
        .bytes = (int64_t)doc.n,
        .kind = STR("submission"),
        .stage = STR("annotate"),
        .model = STR(""),
        .lead_time = STR("1.5"),
        .sha256 = sha256_of(doc),
        .external_id = STR("ext"),
        .data = STR("{\"image\":1}")};
}

TEST(envelope_label)
{
    struct source_row row = row_of("submit", "annotate", "done");
    struct str doc = STR("[{\"id\":\"r1\"}]");
    struct source_label label = label_of(doc);
    struct json_object *tree = NULL;
    struct envelope e;
    struct record r;

    envelope_init(&e, "77.1");
    REQUIRE(envelope_label(&e, &row, &label, doc, &r) == ERR_OK);
    CHECK(r.topic == TOPIC_LABELS && !r.tombstone);
    CHECK_STR(record_get(&r, "ce_id"), STR("77.1-41-label"));
    CHECK_STR(record_get(&r, "ce_type"), STR("annotate.label.final.v1"));
    CHECK_STR(record_get(&r, "ce_datasize"), STR("13"));
    CHECK_STR(record_get(&r, "ce_dataref"), STR(""));
    CHECK(json_tree_parse(r.value, 10, &tree, NULL) == ERR_OK);
    json_object_put(tree);
    /* The document's bytes stand last. */
    CHECK_STR(((struct str){r.value.p + r.value.n - 1 - doc.n, doc.n}), doc);

    REQUIRE(envelope_label(&e, &row, &label, STR(""), &r) == ERR_OK); /* too large to travel */
    CHECK_STR(record_get(&r, "ce_dataref"), STR("/v1/labels/9"));
    CHECK(memmem(r.value.p, r.value.n, "\"dataref\":\"/v1/labels/9\"", 24) != NULL);
    CHECK(!r.tombstone); /* an empty value would withdraw the key */

    label.id = 0; /* done without a label */
    REQUIRE(envelope_label(&e, &row, &label, STR(""), &r) == ERR_OK);
    CHECK_STR(record_get(&r, "ce_datasha256"), STR(""));
    CHECK(memmem(r.value.p, r.value.n, "\"label\":null", 12) != NULL);
    CHECK(memmem(r.value.p, r.value.n, "\"dataref\":null", 14) != NULL);

    envelope_tombstone(&e, &row, &r);
    CHECK(r.topic == TOPIC_LABELS && r.tombstone);
    CHECK_STR(r.key, STR("12"));
    CHECK_STR(record_get(&r, "ce_type"), STR("annotate.label.withdrawn.v1"));
    envelope_release(&e);
}

/* What no topic would take is refused here, not by the broker. */
TEST(envelope_too_large)
{
    struct source_row row = row_of("submit", "annotate", "done");
    size_t n = 3 << 20;
    char *big = malloc(n);
    struct envelope e;
    struct record r;

    REQUIRE(big != NULL);
    memset(big, ' ', n);
    row.detail = (struct str){big, n};
    envelope_init(&e, "77.1");
    CHECK(envelope_event(&e, &row, &r) == ERR_FULL);
    row.detail = STR("");
    CHECK(envelope_event(&e, &row, &r) == ERR_OK); /* and the next is fine */
    envelope_release(&e);
    free(big);
}

TEST(envelope_release)
{
    struct source_row row = row_of("release", "none", "none");
    struct source_release release = {.items = 1,
        .name = STR("v\"1"),
        .root = STR("ab"),
        .split = STR("{\"train\":1}"),
        .splits = STR("{\"train\":1}"),
        .created_at = STR("2026-11-24T10:11:12.000001Z")};
    struct release_item item = {.key = STR("12"), .label_id = 9, .split = STR("train")};
    struct envelope e;
    struct record r;

    row.task = row.version = 0;
    row.release = 4;
    envelope_init(&e, "77.1");
    REQUIRE(envelope_release_begin(&e, &row, &release, &r) == ERR_OK);
    CHECK(r.topic == TOPIC_RELEASES);
    CHECK_STR(r.key, STR("4"));
    CHECK_STR(record_get(&r, "ce_id"), STR("77.1-41-begin"));
    CHECK_STR(record_get(&r, "ce_type"), STR("annotate.release.begin.v1"));
    REQUIRE(envelope_release_item(&e, &row, 1, &item, &r) == ERR_OK);
    CHECK_STR(record_get(&r, "ce_id"), STR("77.1-41-item-1"));
    CHECK(str_starts(r.value, STR("{\"a\":[],\"k\":\"12\",")));
    REQUIRE(envelope_release_end(&e, &row, &release, &r) == ERR_OK);
    CHECK_STR(r.value, STR("{\"release\":4,\"count\":1,\"root\":\"ab\"}"));
    envelope_release(&e);
}

TEST(position_round_trip)
{
    struct position p, q;
    struct buf text;

    position_init(&p);
    CHECK_STR(buf_view(&p.prev), STR("3:3:"));
    buf_puts(&p.cur, "10:20:11,13");
    snprintf(p.system, sizeof(p.system), "77.16384");
    p.done = 5;
    p.part = 6;
    p.timeline = 2;
    p.generation = 8;
    buf_init(&text, BUF_MAX_LINE);
    position_print(&p, &text);
    REQUIRE(position_parse(&q, buf_view(&text)) == ERR_OK);
    CHECK_STR(buf_view(&q.prev), STR("3:3:"));
    CHECK_STR(buf_view(&q.cur), STR("10:20:11,13"));
    CHECK_STR(str_of(q.system), STR("77.16384"));
    CHECK(q.done == 5 && q.part == 6 && q.timeline == 2 && q.generation == 8);
    position_advance(&q);
    CHECK_STR(buf_view(&q.prev), STR("10:20:11,13"));
    CHECK(q.cur.n == 0 && q.done == 0 && q.part == 0 && q.generation == 8);
    position_copy(&q, &p);
    CHECK_STR(buf_view(&q.cur), STR("10:20:11,13"));
    CHECK(q.prev.p != p.prev.p); /* a copy of its own */
    position_release(&p);
    position_release(&q);
    buf_release(&text);
}

TEST(position_refuses)
{
    static const char *const bad[] = {"", "{}", "null", "[]", "{\"v\":1}",
        "{\"v\":2,\"prev\":\"3:3:\",\"cur\":\"\",\"done\":0,\"part\":0,\"sysid\":\"7\",\"tli\":1,"
        "\"gen\":1}",
        "{\"v\":1,\"prev\":\"\",\"cur\":\"\",\"done\":0,\"part\":0,\"sysid\":\"7\",\"tli\":1,"
        "\"gen\":1}",
        "{\"v\":1,\"prev\":\"3:3:\",\"cur\":\"\",\"done\":-1,\"part\":0,\"sysid\":\"7\",\"tli\":1,"
        "\"gen\":1}",
        "{\"v\":1,\"prev\":\"3:3:\",\"cur\":\"\",\"done\":\"0\",\"part\":0,\"sysid\":\"7\",\"tli\":"
        "1,\"gen\":1}",
        "{\"v\":1,\"prev\":\"3:3:\",\"cur\":\"\",\"done\":0,\"part\":0,\"sysid\":\"\",\"tli\":1,"
        "\"gen\":1}",
        "{\"v\":1,\"prev\":\"3:3:\",\"cur\":\"\",\"done\":0,\"part\":0,\"sysid\":\"7\",\"tli\":1,"
        "\"gen\":1}x",
        "{\"v\":1,\"prev\":\"3:3:\",\"cur\":\"\",\"done\":0,\"part\":0,"
        "\"sysid\":\"123456789012345678901234567890123456789012345678\",\"tli\":1,\"gen\":1}"};
    struct position p;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (position_parse(&p, str_of(bad[i])) == ERR_OK)
            t_fail(__FILE__, __LINE__, "«%s» was read", bad[i]);
        position_release(&p);
    }
}
