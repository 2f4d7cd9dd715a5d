/* Filters: what the grammar takes and refuses, what matches, and that every walk covers its
 * matches. */
#include "core/filter.h"

#include <math.h>
#include <stdlib.h>

#include "core/json_tree.h"
#include "t.h"

static struct json_object *json_of(const char *text)
{
    struct json_object *j = NULL;

    if (json_tree_parse(str_of(text), JSON_DEPTH_MAX, &j, NULL))
        t_fail(__FILE__, __LINE__, "not JSON: %s", text);
    return j;
}

struct parsed {
    struct arena *a;
    struct json_object *json;
    struct filter f;
    struct filter_problem problem;
    enum err e;
};

static struct parsed parse(const char *text)
{
    struct parsed p = {.a = arena_new(), .json = json_of(text)};

    p.e = filter_parse(&p.f, p.a, p.json, &p.problem);
    return p;
}

static void done(struct parsed *p)
{
    json_object_put(p->json);
    arena_free(p->a);
}

static void check_match(int line, const char *text, const struct filter_facts *t, bool want)
{
    struct parsed p = parse(text);

    if (p.e)
        t_fail(__FILE__, line, "%s: %s at %s", text, p.problem.why, p.problem.pointer);
    else if (filter_match(&p.f, t) != want)
        t_fail(__FILE__, line, "%s is %s", text, want ? "false" : "true");
    done(&p);
}

#define MATCH(text)               check_match(__LINE__, text, &task, true)
#define NO_MATCH(text)            check_match(__LINE__, text, &task, false)
#define TEST_OF(field, op, value) "{\"field\":\"" field "\",\"op\":\"" op "\",\"value\":" value "}"

TEST(filter_matches)
{
    static const int64_t holders[] = {7}, annotators[] = {3, 4};
    static const struct str labels[] = {STR("cat"), STR("dog")};
    struct filter_facts task = {.state = TASK_REVIEW,
        .priority = 5,
        .rework_count = 1,
        .created_us = 1767225600000000, /* 2026-01-01 */
        .updated_us = 1767225600500000,
        .external_id = STR("img/7"),
        .holders = holders,
        .nholders = 1,
        .annotators = annotators,
        .nannotators = 2,
        .has_comments = true,
        .labels = labels,
        .nlabels = 2};

    MATCH(TEST_OF("state", "eq", "\"review\""));
    MATCH(TEST_OF("state", "in", "[\"done\",\"review\"]"));
    NO_MATCH(TEST_OF("state", "in", "[\"done\",\"qa\"]"));
    MATCH(TEST_OF("stage", "eq", "\"review\""));
    MATCH(TEST_OF("assignee", "eq", "7"));
    NO_MATCH(TEST_OF("assignee", "eq", "3"));
    MATCH(TEST_OF("annotator", "in", "[9,4]"));
    MATCH(TEST_OF("label", "eq", "\"dog\""));
    NO_MATCH(TEST_OF("label", "eq", "\"do\""));
    MATCH(TEST_OF("external_id", "prefix", "\"img/\""));
    MATCH(TEST_OF("external_id", "eq", "\"img/7\""));
    NO_MATCH(TEST_OF("external_id", "prefix", "\"img/77\""));
    MATCH(TEST_OF("priority", "ge", "5"));
    NO_MATCH(TEST_OF("priority", "gt", "5"));
    MATCH(TEST_OF("priority", "lt", "5.5"));
    MATCH(TEST_OF("rework_count", "eq", "1"));
    MATCH(TEST_OF("skip_count", "le", "0"));
    MATCH(TEST_OF("has_comments", "eq", "true"));
    NO_MATCH(TEST_OF("has_comments", "eq", "false"));
    MATCH(TEST_OF("created", "ge", "\"2026-01-01\""));
    NO_MATCH(TEST_OF("created", "gt", "\"2026-01-01T00:00:00Z\""));
    MATCH(TEST_OF("created", "le", "\"2026-01-01T01:00:00+01:00\""));
    MATCH(TEST_OF("updated", "gt", "\"2026-01-01T00:00:00.4999999Z\""));
    MATCH(TEST_OF("updated", "le", "\"2026-01-01T00:00:00.5Z\""));
    MATCH("{\"and\":[" TEST_OF("state", "eq", "\"review\"") "," TEST_OF(
        "label", "eq", "\"cat\"") "]}");
    NO_MATCH("{\"and\":[" TEST_OF("state", "eq", "\"review\"") "," TEST_OF(
        "label", "eq", "\"cow\"") "]}");
    MATCH("{\"or\":[" TEST_OF("state", "eq", "\"qa\"") "," TEST_OF("label", "eq", "\"cat\"") "]}");
    MATCH("{\"not\":" TEST_OF("state", "eq", "\"qa\"") "}");
    NO_MATCH("{\"not\":{\"not\":" TEST_OF("state", "eq", "\"qa\"") "}}");
}

/* What a task does not have fails its condition and meets the condition's `not`. */
TEST(filter_is_two_valued)
{
    struct filter_facts task = {.state = TASK_DONE};

    NO_MATCH(TEST_OF("score", "lt", "1"));
    NO_MATCH(TEST_OF("score", "ge", "1"));
    MATCH("{\"not\":" TEST_OF("score", "ge", "1") "}");
    NO_MATCH(TEST_OF("external_id", "prefix", "\"a\""));
    NO_MATCH(TEST_OF("data.a", "eq", "\"x\""));
    task.slot[0] = (struct filter_value){.kind = FILTER_NUMBER, .number = 0.25};
    MATCH(TEST_OF("score", "lt", "1"));
    MATCH(TEST_OF("data.a", "in", "[\"x\",0.25]"));
    NO_MATCH(TEST_OF("data.a", "eq", "\"0.25\""));
    NO_MATCH(TEST_OF("data.a", "prefix", "\"0\""));
    task.slot[0] = (struct filter_value){.kind = FILTER_STRING, .text = STR("xyz")};
    MATCH(TEST_OF("data.a", "prefix", "\"xy\""));
    NO_MATCH(TEST_OF("data.a", "lt", "1"));
}

TEST(filter_refuses)
{
    static const struct {
        const char *json, *pointer;
    } cases[] = {
        {"[]", ""},
        {"7", ""},
        {"{}", ""},
        {"{\"field\":\"state\"}", ""},
        {"{\"field\":\"state\",\"op\":\"eq\",\"value\":\"qa\",\"x\":1}", ""},
        {"{\"field\":\"state\",\"op\":\"eq\",\"value\":null}", ""},
        {"{\"field\":1,\"op\":\"eq\",\"value\":1}", "/field"},
        {"{\"and\":[],\"or\":[]}", ""},
        {"{\"and\":[]}", "/and"},
        {"{\"and\":{}}", "/and"},
        {"{\"not\":[]}", "/not"},
        {"{\"and\":[{\"or\":[3]}]}", "/and/0/or/0"},
        {TEST_OF("password", "prefix", "\"a\""), "/field"},
        {TEST_OF("created_by__password", "prefix", "\"a\""), "/field"},
        {TEST_OF("", "eq", "\"a\""), "/field"},
        {TEST_OF("data", "eq", "\"a\""), "/field"},
        {TEST_OF("data.", "eq", "\"a\""), "/field"},
        {TEST_OF("data.a..b", "eq", "\"a\""), "/field"},
        {TEST_OF("data.a'b", "eq", "\"a\""), "/field"},
        {TEST_OF("data.-1", "eq", "\"a\""), "/field"},
        {TEST_OF("data.a.b.c.d.e.f.g.h.i", "eq", "\"a\""), "/field"},
        {TEST_OF("state", "prefix", "\"a\""), "/op"},
        {TEST_OF("state", "lt", "\"qa\""), "/op"},
        {TEST_OF("label", "prefix", "\"a\""), "/op"},
        {TEST_OF("state", "like", "\"a\""), "/op"},
        {TEST_OF("state", "eq", "\"none\""), "/value"},
        {TEST_OF("state", "eq", "\"nowhere\""), "/value"},
        {TEST_OF("state", "eq", "[\"qa\"]"), "/value"},
        {TEST_OF("stage", "eq", "\"done\""), "/value"},
        {TEST_OF("state", "in", "\"qa\""), "/value"},
        {TEST_OF("state", "in", "[]"), "/value"},
        {TEST_OF("state", "in", "[\"qa\",\"x\"]"), "/value/1"},
        {TEST_OF("assignee", "eq", "\"7\""), "/value"},
        {TEST_OF("assignee", "eq", "0"), "/value"},
        {TEST_OF("assignee", "eq", "1.5"), "/value"},
        {TEST_OF("score", "gt", "\"1\""), "/value"},
        {TEST_OF("external_id", "eq", "\"\""), "/value"},
        {TEST_OF("external_id", "eq", "7"), "/value"},
        {TEST_OF("has_comments", "eq", "1"), "/value"},
        {TEST_OF("data.a", "eq", "true"), "/value"},
        {TEST_OF("data.a", "lt", "\"x\""), "/value"},
        {TEST_OF("data.a", "prefix", "1"), "/value"},
        {TEST_OF("created", "ge", "\"yesterday\""), "/value"},
        {TEST_OF("created", "ge", "\"\""), "/value"},
        {TEST_OF("created", "ge", "\"2026\""), "/value"},
        {TEST_OF("created", "ge", "\"2026-02-30\""), "/value"},
        {TEST_OF("created", "ge", "\"2026-13-01\""), "/value"},
        {TEST_OF("created", "ge", "\"2026-01-01T00:00:00\""), "/value"},
        {TEST_OF("created", "ge", "\"2026-01-01T00:00:00Zx\""), "/value"},
        {TEST_OF("created", "ge", "\"2026-01-01T24:00:00Z\""), "/value"},
        {TEST_OF("created", "ge", "7"), "/value"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct parsed p = parse(cases[i].json);
        if (p.e != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "%s passed", cases[i].json);
        CHECK_STR(str_of(p.problem.pointer), str_of(cases[i].pointer));
        CHECK(p.problem.why[0] != '\0');
        done(&p);
    }
}

static void nest(struct buf *b, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_puts(b, "{\"not\":");
    buf_puts(b, TEST_OF("state", "eq", "\"qa\""));
    for (int i = 0; i < depth; i++)
        buf_putc(b, '}');
}

TEST(filter_is_bounded)
{
    for (int depth = FILTER_DEPTH; depth <= FILTER_DEPTH + 1; depth++) {
        struct buf b;
        buf_init(&b, 4096);
        nest(&b, depth);
        struct parsed p = parse(buf_view(&b).p);
        CHECK_INT(p.e, depth > FILTER_DEPTH ? ERR_INVALID : ERR_OK);
        done(&p);
        buf_release(&b);
    }
    for (int n = FILTER_TESTS; n <= FILTER_TESTS + 1; n++) {
        struct buf b;
        buf_init(&b, 1 << 16);
        buf_puts(&b, "{\"and\":[{\"or\":[");
        for (int i = 0; i < n - 1; i++)
            buf_puts(&b, i ? "," TEST_OF("score", "lt", "1") : TEST_OF("data.x", "lt", "1"));
        buf_puts(&b, "]}," TEST_OF("score", "gt", "0") "]}");
        struct parsed p = parse(buf_view(&b).p);
        CHECK_INT(p.e, n > FILTER_TESTS ? ERR_INVALID : ERR_OK);
        CHECK(p.e || p.f.nslots == 2);
        done(&p);
        buf_release(&b);
    }
}

static void check_plan(int line, const char *text, bool by_id, enum filter_walk walk)
{
    struct parsed p = parse(text);
    struct filter_plan plan;

    filter_plan(&p.f, p.a, by_id, &plan);
    if (p.e || plan.walk != walk)
        t_fail(__FILE__, line, "%s: walk %d, want %d", text, plan.walk, walk);
    if (by_id && !plan.by_id)
        t_fail(__FILE__, line, "%s: not in the order of id", text);
    done(&p);
}

TEST(filter_plans)
{
    struct filter none;
    struct filter_plan plan;
    struct arena *a = arena_new();
    struct filter_problem problem;

    REQUIRE(filter_parse(&none, a, NULL, &problem) == ERR_OK);
    filter_plan(&none, a, false, &plan);
    CHECK(plan.walk == FILTER_BY_STATE && plan.states == 0xfe && plan.by_id);
    arena_free(a);
    check_plan(__LINE__, TEST_OF("external_id", "eq", "\"a\""), true, FILTER_BY_EXTERNAL);
    check_plan(__LINE__, TEST_OF("external_id", "prefix", "\"a\""), false, FILTER_BY_EXTERNAL);
    check_plan(__LINE__, TEST_OF("external_id", "prefix", "\"a\""), true, FILTER_BY_STATE);
    check_plan(__LINE__, TEST_OF("label", "eq", "\"a\""), true, FILTER_BY_TEXT);
    check_plan(__LINE__, TEST_OF("score", "lt", "0.5"), false, FILTER_BY_NUMBER);
    check_plan(__LINE__, TEST_OF("score", "lt", "0.5"), true, FILTER_BY_STATE);
    check_plan(__LINE__, TEST_OF("data.a", "eq", "0.5"), true, FILTER_BY_NUMBER);
    check_plan(__LINE__, TEST_OF("assignee", "in", "[1,2]"), true, FILTER_BY_HOLDER);
    check_plan(__LINE__, TEST_OF("annotator", "in", "[1,2]"), true, FILTER_BY_STATE);
    check_plan(__LINE__, "{\"or\":[" TEST_OF("label", "eq", "\"a\"") "]}", true, FILTER_BY_STATE);
    check_plan(__LINE__, "{\"not\":" TEST_OF("label", "eq", "\"a\"") "}", true, FILTER_BY_STATE);
    check_plan(__LINE__,
        "{\"and\":[" TEST_OF("annotator", "eq", "1") "," TEST_OF("assignee", "eq", "2") "]}", true,
        FILTER_BY_HOLDER);
}

TEST(filter_plan_bounds)
{
    struct parsed p = parse("{\"and\":[" TEST_OF("score", "ge", "0.2") "," TEST_OF(
        "score", "lt", "0.5") "," TEST_OF("score", "gt", "0.1") "," TEST_OF("state", "in",
        "[\"qa\",\"done\"]") "," TEST_OF("stage", "eq", "\"qa\"") "]}");
    struct filter_plan plan;

    REQUIRE(p.e == ERR_OK);
    filter_plan(&p.f, p.a, false, &plan);
    CHECK(plan.walk == FILTER_BY_NUMBER && plan.least == 0.2 && plan.most == 0.5);
    CHECK_INT(plan.states, 1 << TASK_QA);
    CHECK_STR(plan.field, STR("score"));
    done(&p);
}

static void check_after(const char *prefix, const char *high)
{
    struct buf b;
    struct filter_plan plan;

    buf_init(&b, 4096);
    buf_puts(&b, "{\"field\":\"external_id\",\"op\":\"prefix\",\"value\":");
    buf_json(&b, str_of(prefix));
    buf_putc(&b, '}');
    struct parsed p = parse(buf_view(&b).p);
    filter_plan(&p.f, p.a, false, &plan);
    CHECK_STR(plan.low, str_of(prefix));
    CHECK_STR(plan.high, str_of(high));
    done(&p);
    buf_release(&b);
}

/* The end of a prefix's range is the next text that does not begin with it. */
TEST(filter_prefix_ends)
{
    check_after("a", "b");
    check_after("az", "a{");
    check_after("a\x7f", "a\xc2\x80");
    check_after("\xc3\xbf", "\xc4\x80");
    check_after("\xed\x9f\xbf", "\xee\x80\x80"); /* over the surrogates */
    check_after("\xef\xbf\xbf", "\xf0\x90\x80\x80");
    check_after("a\xf4\x8f\xbf\xbf", "b");
    check_after("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
}

/* Random conjunctions on random tasks: whatever matches lies within the plan's bounds. */
TEST(filter_walks_cover_their_matches)
{
    uint64_t seed = 11;
    int matched = 0;

    for (int round = 0; round < 3000; round++) {
        static const char *const ops[] = {"eq", "lt", "le", "gt", "ge"};
        struct buf b;
        struct filter_plan plan;
        buf_init(&b, 4096);
        buf_puts(&b, "{\"and\":[");
        for (int i = 0; i < 3; i++)
            buf_printf(&b, "%s{\"field\":\"%s\",\"op\":\"%s\",\"value\":%d}", i ? "," : "",
                t_random(&seed) % 3 ? "score" : "data.n", ops[t_random(&seed) % 5],
                (int)(t_random(&seed) % 4));
        buf_puts(&b, "]}");
        struct parsed p = parse(buf_view(&b).p);
        REQUIRE(p.e == ERR_OK);
        filter_plan(&p.f, p.a, false, &plan);
        for (int x = 0; x < 16; x++) {
            struct filter_facts t = {.state = TASK_DONE};
            for (int s = 0; s < p.f.nslots; s++)
                t.slot[s] = (struct filter_value){
                    .kind = FILTER_NUMBER, .number = s ? (double)(x / 4) : (double)(x % 4)};
            if (!filter_match(&p.f, &t))
                continue;
            matched++;
            REQUIRE(plan.walk == FILTER_BY_NUMBER);
            int s = str_is(plan.field, p.f.slots[0]) ? 0 : 1;
            CHECK(t.slot[s].number >= plan.least && t.slot[s].number <= plan.most);
        }
        done(&p);
        buf_release(&b);
    }
    CHECK(matched > 1000);
}
