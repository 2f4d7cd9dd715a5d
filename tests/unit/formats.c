/* The exporter and its formats: exact bytes, the same every time, in constant memory; errors of the
 * sink stop it; the report adds up. */
#include "formats/exporter.h"

#include <stdlib.h>

#include "base/json_walk.h"
#include "core/json_tree.h"
#include "t.h"

static enum err keep(void *arg, struct str bytes)
{
    buf_str(arg, bytes);
    return buf_err(arg);
}

#define RESULT                                                                                     \
    "[{\"from_name\":\"q\",\"id\":\"c1\",\"to_name\":\"t\",\"type\":\"choices\",\"value\":"        \
    "{\"choices\":[\"Yes\"]}}]"

/* Until nothing waits. */
static enum err pump(struct exporter *x)
{
    bool idle = false;
    enum err e = ERR_OK;

    while (!e && !idle)
        e = exporter_pump(x, &idle);
    return e;
}

static enum err finish(struct exporter *x)
{
    enum err e = exporter_end(x);

    return e ? e : pump(x);
}

static enum err start(struct exporter *x, const struct format *f, struct export_sink sink)
{
    const struct export_options o = {
        .format = f, .release = 9, .name = STR("v1"), .root = STR("cafe")};

    return exporter_begin(x, &o, sink);
}

static struct export_item sample(void)
{
    return (struct export_item){
        .project = 5,
        .task = 41,
        .external_id = STR("ext \"1\""),
        .data =
            STR("{ \"text\" :\t\"a \\\" b\\n\" ,\n \"n\": 1.50, \"big\":12345678901234567890 }"),
        .meta = STR("{\"k\": [1, 2]}"),
        .created_at = STR("2026-01-01T00:00:00.000000Z"),
        .updated_at = STR("2026-01-02T00:00:00.000000Z"),
        .split = STR("train"),
        .predictions = 2,
        .label = {.id = 11,
            .seq = 3,
            .author = 7,
            .kind = STR("review_fix"),
            .lead_time = 12.5,
            .created_at = STR("2026-01-01T12:00:00.000000Z"),
            .sha256 = STR("ab"),
            .regions = 1,
            .result = STR(RESULT)},
    };
}

static struct export_item bare(void)
{
    return (struct export_item){
        .project = 5,
        .task = 42,
        .data = STR("{}"),
        .created_at = STR("2026-01-01T00:00:00.000000Z"),
        .updated_at = STR("2026-01-02T00:00:00.000000Z"),
    };
}

/* Both samples through a format. */
static void export_both(const char *name, struct buf *out, struct buf *report)
{
    struct exporter x;
    struct export_item items[] = {sample(), bare()};

    if (start(&x, format_find(str_of(name)), (struct export_sink){keep, out}) ||
        exporter_item(&x, &items[0]) || exporter_item(&x, &items[1]) || finish(&x))
        t_fail(__FILE__, __LINE__, "%s failed with %d", name, x.err);
    CHECK(sha256_eq(x.sha256, sha256_of(buf_view(out))));
    CHECK_INT(x.bytes, (int64_t)out->n);
    if (report)
        export_report_print(&x, report);
    exporter_release(&x);
}

TEST(jsonl)
{
    struct buf out;

    buf_init(&out, 1 << 16);
    export_both("jsonl", &out, NULL);
    CHECK_STR(buf_view(&out),
        STR("{\"created_at\":\"2026-01-01T00:00:00.000000Z\",\"data\":{\"text\":\"a \\\" b\\n\","
            "\"n\":1.50,\"big\":12345678901234567890},\"external_id\":\"ext \\\"1\\\"\","
            "\"label\":{\"author\":7,\"created_at\":\"2026-01-01T12:00:00.000000Z\",\"id\":11,"
            "\"kind\":\"review_fix\",\"lead_time\":12.5,\"model\":null,\"regions\":1,"
            "\"result\":" RESULT
            ",\"seq\":3,\"sha256\":\"ab\"},\"meta\":{\"k\":[1,2]},\"predictions\":2,"
            "\"project\":5,\"split\":\"train\",\"task\":41,"
            "\"updated_at\":\"2026-01-02T00:00:00.000000Z\"}\n"
            "{\"created_at\":\"2026-01-01T00:00:00.000000Z\",\"data\":{},\"external_id\":null,"
            "\"label\":null,\"meta\":null,\"predictions\":0,\"project\":5,\"split\":null,"
            "\"task\":42,\"updated_at\":\"2026-01-02T00:00:00.000000Z\"}\n"));
    buf_release(&out);
}

static enum json_type type_at(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    if (!json_object_object_get_ex(o, key, &v))
        t_fail(__FILE__, __LINE__, "%s is missing", key);
    return json_object_get_type(v);
}

struct want {
    const char *key;
    enum json_type type;
};

static void check_types(struct json_object *o, const struct want *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (type_at(o, want[i].key) != want[i].type)
            t_fail(__FILE__, __LINE__, "%s has another type", want[i].key);
    CHECK_INT(json_object_object_length(o), (int)n);
}

/* Every member that Label Studio exports, with its type, and no other. */
TEST(label_studio)
{
    static const struct want task[] = {{"id", json_type_int}, {"data", json_type_object},
        {"meta", json_type_object}, {"created_at", json_type_string},
        {"updated_at", json_type_string}, {"inner_id", json_type_int},
        {"total_annotations", json_type_int}, {"cancelled_annotations", json_type_int},
        {"total_predictions", json_type_int}, {"comment_count", json_type_int},
        {"unresolved_comment_count", json_type_int}, {"last_comment_updated_at", json_type_null},
        {"comment_authors", json_type_array}, {"project", json_type_int},
        {"updated_by", json_type_int}, {"file_upload", json_type_null},
        {"allow_skip", json_type_boolean}, {"annotations", json_type_array},
        {"drafts", json_type_array}, {"predictions", json_type_array}};
    static const struct want annotation[] = {{"id", json_type_int}, {"completed_by", json_type_int},
        {"result", json_type_array}, {"was_cancelled", json_type_boolean},
        {"ground_truth", json_type_boolean}, {"created_at", json_type_string},
        {"updated_at", json_type_string}, {"draft_created_at", json_type_null},
        {"lead_time", json_type_double}, {"prediction", json_type_object},
        {"result_count", json_type_int}, {"unique_id", json_type_string},
        {"import_id", json_type_null}, {"last_action", json_type_string},
        {"bulk_created", json_type_boolean}, {"task", json_type_int}, {"project", json_type_int},
        {"updated_by", json_type_int}, {"parent_prediction", json_type_null},
        {"parent_annotation", json_type_null}, {"last_created_by", json_type_null}};
    struct json_object *tree, *first, *list;
    struct buf out;

    buf_init(&out, 1 << 16);
    export_both("label-studio", &out, NULL);
    tree = json_tokener_parse(out.p);
    REQUIRE(json_object_is_type(tree, json_type_array));
    CHECK_INT((int64_t)json_object_array_length(tree), 2);
    first = json_object_array_get_idx(tree, 0);
    check_types(first, task, ARRAY_LEN(task));
    list = json_object_object_get(first, "annotations");
    CHECK_INT((int64_t)json_object_array_length(list), 1);
    check_types(json_object_array_get_idx(list, 0), annotation, ARRAY_LEN(annotation));
    CHECK(strstr(out.p, "\"last_action\":\"fixed_and_accepted\""));
    CHECK(strstr(out.p, "\"result\":" RESULT ","));
    first = json_object_array_get_idx(tree, 1);
    CHECK_INT((int64_t)json_object_array_length(json_object_object_get(first, "annotations")), 0);
    CHECK_INT(json_object_get_int(json_object_object_get(first, "inner_id")), 2);
    CHECK(type_at(first, "meta") == json_type_object && type_at(first, "updated_by") == 0);
    json_object_put(tree);
    buf_release(&out);
}

/* What a model made and nobody touched. */
TEST(label_studio_of_a_model)
{
    struct exporter x;
    struct export_item i = sample();
    struct buf out;

    i.label.author = 0;
    i.label.model = STR("m@1");
    i.label.kind = STR("prelabel");
    i.label.lead_time = -1;
    buf_init(&out, 1 << 16);
    REQUIRE(start(&x, &format_label_studio, (struct export_sink){keep, &out}) == ERR_OK);
    CHECK_INT(exporter_item(&x, &i), ERR_OK);
    i.label.kind = STR("merge");
    CHECK_INT(exporter_item(&x, &i), ERR_OK);
    CHECK_INT(finish(&x), ERR_OK);
    CHECK(strstr(out.p, "\"completed_by\":0,") && strstr(out.p, "\"lead_time\":null,"));
    CHECK(strstr(out.p, "\"last_action\":\"prediction\""));
    CHECK(strstr(out.p, "\"last_action\":\"submitted\""));
    CHECK_STR(str_of(x.lost[3].name), STR("model"));
    CHECK_INT(x.lost[3].times, 2);
    exporter_release(&x);
    buf_release(&out);
}

TEST(nothing_to_export)
{
    static const char *const want[] = {"", "[\n]\n"};

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct exporter x;
        struct buf out;
        buf_init(&out, 100);
        CHECK_INT(start(&x, format_at(i), (struct export_sink){keep, &out}), ERR_OK);
        CHECK_INT(finish(&x), ERR_OK);
        CHECK_STR(buf_view(&out), str_of(want[i]));
        CHECK(sha256_eq(x.sha256, sha256_of(str_of(want[i]))));
        exporter_release(&x);
        buf_release(&out);
    }
}

TEST(same_bytes_every_time)
{
    for (size_t i = 0; format_at(i); i++) {
        struct buf a, b;
        if (format_at(i)->tree || format_at(i)->classes)
            continue;
        buf_init(&a, 1 << 16);
        buf_init(&b, 1 << 16);
        export_both(format_at(i)->name, &a, NULL);
        export_both(format_at(i)->name, &b, NULL);
        CHECK_STR(buf_view(&a), buf_view(&b));
        buf_release(&a);
        buf_release(&b);
    }
}

TEST(reports)
{
    struct json_object *tree = NULL;
    struct buf out, report;

    buf_init(&out, 1 << 16);
    buf_init(&report, 1 << 16);
    export_both("label-studio", &out, &report);
    CHECK(strstr(report.p,
        "\"format\":\"label-studio\",\"items\":2,\"labels\":1,"
        "\"lost\":{\"external_id\":1,\"label_sha256\":1,\"split\":1},\"media\":0,\"missing\":0,"
        "\"name\":\"v1\",\"release\":9,\"root\":\"cafe\",\"sha256\":\""));
    CHECK(strstr(report.p, "\"splits\":{\"train\":1}}\n"));
    CHECK_INT(json_tree_parse(buf_view(&report), 8, &tree, NULL), ERR_OK);
    json_object_put(tree);
    buf_clear(&out);
    buf_clear(&report);
    export_both("jsonl", &out, &report);
    CHECK(strstr(report.p, "\"lost\":{}")); /* our own carries all */
    buf_release(&out);
    buf_release(&report);
}

TEST(splits_are_counted)
{
    struct exporter x;
    struct export_item i = bare();
    struct buf out, report;
    char name[80] = "test";

    buf_init(&out, 1 << 16);
    buf_init(&report, 1 << 16);
    REQUIRE(start(&x, &format_jsonl, (struct export_sink){keep, &out}) == ERR_OK);
    for (int n = 0; n < 7; n++) {
        i.split = n % 3 == 0 ? STR("val") : n % 3 == 1 ? STR("train") : str_of(name);
        CHECK_INT(exporter_item(&x, &i), ERR_OK);
    }
    REQUIRE(finish(&x) == ERR_OK);
    export_report_print(&x, &report);
    CHECK(strstr(report.p, "\"splits\":{\"test\":2,\"train\":2,\"val\":3}}"));
    exporter_release(&x);

    REQUIRE(start(&x, &format_jsonl, (struct export_sink){keep, &out}) == ERR_OK);
    for (int n = 0; n < EXPORT_SPLITS; n++) {
        snprintf(name, sizeof(name), "part%d", n);
        i.split = str_of(name);
        CHECK_INT(exporter_item(&x, &i), ERR_OK);
    }
    i.split = STR("one more");
    CHECK_INT(exporter_item(&x, &i), ERR_INVALID);
    exporter_release(&x);
    buf_release(&out);
    buf_release(&report);
}

struct counter {
    size_t calls, largest, fail_at;
};

static enum err count(void *arg, struct str bytes)
{
    struct counter *c = arg;

    c->calls++;
    if (bytes.n > c->largest)
        c->largest = bytes.n;
    return c->calls == c->fail_at ? ERR_UNAVAILABLE : ERR_OK;
}

TEST(memory_does_not_grow)
{
    for (size_t f = 0; format_at(f); f++) {
        struct counter c = {0};
        if (format_at(f)->tree || format_at(f)->classes)
            continue;
        struct exporter x;
        struct export_item i = sample();
        REQUIRE(start(&x, format_at(f), (struct export_sink){count, &c}) == ERR_OK);
        for (int n = 0; n < 20000; n++)
            if (exporter_item(&x, &i))
                t_fail(__FILE__, __LINE__, "item %d: %d", n, x.err);
        CHECK_INT(finish(&x), ERR_OK);
        CHECK(x.bytes > 10000000 && x.out.cap <= 256 << 10 && c.largest <= 128 << 10);
        exporter_release(&x);
    }
}

TEST(a_failing_sink_stops_it)
{
    struct counter c = {.fail_at = 2};
    struct exporter x;
    struct export_item i = sample();
    int n = 0;

    REQUIRE(start(&x, &format_jsonl, (struct export_sink){count, &c}) == ERR_OK);
    while (n < 10000 && exporter_item(&x, &i) == ERR_OK)
        n++;
    CHECK(n > 100 && n < 10000);
    CHECK_INT(exporter_item(&x, &i), ERR_UNAVAILABLE);
    CHECK_INT(finish(&x), ERR_UNAVAILABLE);
    CHECK_INT((int64_t)c.calls, 2); /* nothing is written after the failure */
    exporter_release(&x);
}

TEST(too_large)
{
    struct counter c = {0};
    struct exporter x;
    struct export_item i = sample();
    size_t n = 40 << 20;
    char *big = malloc(n);

    REQUIRE(big != NULL);
    memset(big, '1', n);
    i.data = (struct str){big, n};
    REQUIRE(start(&x, &format_jsonl, (struct export_sink){count, &c}) == ERR_OK);
    CHECK_INT(exporter_item(&x, &i), ERR_FULL);
    CHECK_INT(finish(&x), ERR_FULL);
    exporter_release(&x);
    free(big);
}

TEST(white_space_goes)
{
    static const char *const rows[][2] = {
        {" [ 1 , 2 ] ", "[1,2]"},
        {"\" a \\\" b \"", "\" a \\\" b \""},
        {"{\"a\\\\\" : \" \"}", "{\"a\\\\\":\" \"}"},
        {"\r\n\ttrue\n", "true"},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out;
        buf_init(&out, 100);
        json_compact(str_of(rows[i][0]), &out);
        CHECK_STR(buf_view(&out), str_of(rows[i][1]));
        buf_release(&out);
    }
    CHECK(!format_find(STR("")) && !format_find(STR("xml")) && format_find(STR("jsonl")));
}
