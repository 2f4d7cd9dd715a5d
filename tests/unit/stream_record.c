/* core/record and core/release_item: a record read back is the record printed, byte for byte. */
#include "core/record.h"

#include "core/release_item.h"
#include "t.h"

static void round_trip(const struct record *in)
{
    struct json_object *tree = NULL;
    struct record out;
    struct buf line;

    buf_init(&line, BUF_MAX_JSON);
    REQUIRE(record_print(in, &line) == ERR_OK);
    REQUIRE(record_parse(buf_view(&line), &out, &tree) == ERR_OK);
    CHECK(out.topic == in->topic);
    CHECK(out.tombstone == in->tombstone);
    CHECK_STR(out.key, in->key);
    CHECK_STR(out.value, in->value);
    CHECK_INT(out.nheaders, in->nheaders);
    for (size_t i = 0; i < in->nheaders && i < out.nheaders; i++) {
        CHECK_STR(out.headers[i].name, in->headers[i].name);
        CHECK_STR(out.headers[i].value, in->headers[i].value);
    }
    json_object_put(tree);
    buf_release(&line);
}

TEST(record_round_trip)
{
    struct record r;

    record_init(&r, TOPIC_LABELS, STR("12"));
    record_header(&r, "ce_id", STR("7-1"));
    record_header(&r, "value", STR("},\"value\":1}"));
    r.value = STR("{\"b\": 1.50,\"value\":{\"x\":[{},\"value\"]}}");
    round_trip(&r);
    CHECK_STR(record_get(&r, "ce_id"), STR("7-1"));
    CHECK_STR(record_get(&r, "ce_none"), STR(""));

    record_init(&r, TOPIC_RELEASES, STR("a\"b\\c\n\xc3\xa9"));
    r.value = STR("0");
    round_trip(&r);

    record_init(&r, TOPIC_LABELS, STR(""));
    r.tombstone = true;
    round_trip(&r);
}

TEST(record_refuses)
{
    static const char *const bad[] = {"", "{", "{}", "},\"value\":1}", "{\"topic\":\"events\"}",
        "{\"topic\":\"events\",\"key\":\"1\",\"headers\":{},\"value\":}",
        "{\"topic\":\"events\",\"key\":\"1\",\"headers\":{},\"value\":1",
        "{\"topic\":\"other\",\"key\":\"1\",\"headers\":{},\"value\":1}",
        "{\"topic\":\"events\",\"key\":1,\"headers\":{},\"value\":1}",
        "{\"topic\":\"events\",\"key\":\"1\",\"headers\":{\"a\":1},\"value\":1}",
        "{\"topic\":\"events\",\"key\":\"1\",\"more\":1,\"headers\":{},\"value\":1}",
        "[\"topic\",\"key\",{},\"value\":1}"};
    struct json_object *tree;
    struct record r;
    struct buf out;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (record_parse(str_of(bad[i]), &r, &tree) == ERR_OK)
            t_fail(__FILE__, __LINE__, "«%s» was read", bad[i]);
    buf_init(&out, BUF_MAX_JSON);
    record_init(&r, TOPIC_EVENTS, STR("1"));
    r.value = STR("{\n}");
    CHECK(record_print(&r, &out) == ERR_INVALID);
    r.value = STR("");
    CHECK(record_print(&r, &out) == ERR_INVALID);
    buf_release(&out);
}

TEST(release_item_line_is_canonical)
{
    struct sha256 label = {{0xab}}, assets[2] = {{{0x01}}, {{0xff}}};
    struct release_item item = {.key = STR("a\"\n\xe2\x82\xac"),
        .label_id = 12,
        .label = label,
        .assets = assets,
        .nassets = 2,
        .split = STR("train")};
    struct buf out;

    buf_init(&out, BUF_MAX_LINE);
    release_item_line(&item, &out);
    CHECK_STR(buf_view(&out),
        STR("{\"a\":[\"0100000000000000000000000000000000000000000000000000000000000000\","
            "\"ff00000000000000000000000000000000000000000000000000000000000000\"],"
            "\"k\":\"a\\\"\\n\xe2\x82\xac\","
            "\"l\":\"ab00000000000000000000000000000000000000000000000000000000000000\","
            "\"lv\":12,\"s\":\"train\"}"));
    buf_clear(&out);
    item.nassets = 0;
    item.key = STR("7");
    release_item_line(&item, &out);
    CHECK_STR(buf_view(&out),
        STR("{\"a\":[],\"k\":\"7\","
            "\"l\":\"ab00000000000000000000000000000000000000000000000000000000000000\","
            "\"lv\":12,\"s\":\"train\"}"));
    buf_release(&out);
}
