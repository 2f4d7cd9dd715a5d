/* Deterministic splits: fixed vectors, proportions, stability under growth, bad input. */
#include "core/split.h"

#include <math.h>
#include <stdio.h>

#include "t.h"

static struct str key_of(char *out, size_t size, int i)
{
    return (struct str){out, (size_t)snprintf(out, size, "task-%d", i)};
}

TEST(split_proportions_hold)
{
    struct split s;
    int counts[SPLIT_PARTS] = {0}, n = 20000;
    char key[32];

    split_default(&s);
    REQUIRE(s.n == 3);
    CHECK(s.parts[0].below == 0xccccccccccccd000ULL); /* floor(0.8 * 2^64) of the double 0.8 */
    for (int i = 0; i < n; i++)
        counts[split_of(&s, STR("salt"), key_of(key, sizeof(key), i))]++;
    for (int i = 0; i < s.n; i++)
        CHECK(fabs((double)counts[i] / n - s.parts[i].ratio) < 0.01);
}

/* Worked out apart from this code (Python's hashlib): h of SHA-256("s" 00 key) against 0.8 and 0.9.
 */
TEST(split_vectors)
{
    static const struct {
        const char *key;
        int part;
    } cases[] = {{"task-1", 0}, {"task-2", 0}, {"task-3", 0}, {"task-4", 0}, {"task-8", 1},
        {"task-17", 1}, {"task-23", 1}, {"task-25", 1}, {"task-33", 2}, {"task-35", 2},
        {"task-52", 2}, {"task-73", 2}, {"z", 1}, {"scene/7", 0}, {"\xc3\xa9", 0}, {"", 0}};
    struct split s;

    split_default(&s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_INT(split_of(&s, STR("s"), str_of(cases[i].key)), cases[i].part);
}

/* Growing the first part moves items into it only: nobody else's part changes at random. */
TEST(split_is_stable)
{
    struct split before, after;
    char pointer[128], why[128], key[32];
    int moved = 0;

    REQUIRE(split_parse(&before, STR("{\"train\":0.8,\"val\":0.2}"), pointer, why) == ERR_OK);
    REQUIRE(split_parse(&after, STR("{\"train\":0.9,\"val\":0.1}"), pointer, why) == ERR_OK);
    for (int i = 0; i < 5000; i++) {
        struct str k = key_of(key, sizeof(key), i);
        int a = split_of(&before, STR("x"), k), b = split_of(&after, STR("x"), k);
        CHECK(a == b || (a == 1 && b == 0));
        moved += a != b;
        CHECK_INT(split_of(&before, STR("x"), k), a);
    }
    CHECK(moved > 400 && moved < 600);
}

TEST(split_salt_and_key_are_kept_apart)
{
    struct split s;
    char pointer[128], why[128];
    int same = 0;

    REQUIRE(split_parse(&s, STR("{\"a\":0.5,\"b\":0.5}"), pointer, why) == ERR_OK);
    for (int i = 0; i < 1000; i++) {
        char key[32];
        struct str k = key_of(key, sizeof(key), i);
        same += split_of(&s, STR("one"), k) == split_of(&s, STR("two"), k);
    }
    CHECK(same > 400 && same < 600);
}

TEST(split_takes_good_settings)
{
    struct split s;
    char pointer[128], why[128];

    REQUIRE(split_parse(&s, STR("{\"all\":1}"), pointer, why) == ERR_OK);
    CHECK_INT(s.n, 1);
    CHECK_INT(split_of(&s, STR(""), STR("")), 0);
    REQUIRE(split_parse(&s, STR("{\"z\":0.7,\"b\":0.2,\"a\":0.1}"), pointer, why) == ERR_OK);
    CHECK_STR(str_of(s.parts[0].name), STR("z")); /* in the order given */
    CHECK_STR(str_of(s.parts[2].name), STR("a"));
}

TEST(split_refuses_bad_settings)
{
    static const struct {
        const char *json, *pointer;
    } cases[] = {
        {"", ""},
        {"[]", ""},
        {"null", ""},
        {"{}", ""},
        {"{\"train\":0.8}", ""},
        {"{\"train\":0.8,\"val\":0.3}", ""},
        {"{\"train\":\"0.8\",\"val\":0.2}", "/train"},
        {"{\"train\":1,\"val\":0}", "/val"},
        {"{\"train\":1.5,\"val\":-0.5}", "/train"},
        {"{\"train\":null}", "/train"},
        {"{\"\":1}", "/"},
        {"{\"a/b\":1}", "/a~1b"},
        {"{\"..\":1}", "/.."},
        {"{\"a\":0.5,\"a\":0.5}", ""},
        {"{\"a\":NaN}", ""},
        {"{\"a\":1e-1,\"b\":9e-1,\"c\":1e-1}", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct split s = {.n = 7};
        char pointer[128] = "?", why[128] = "";
        if (split_parse(&s, str_of(cases[i].json), pointer, why) != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "%s passed", cases[i].json);
        CHECK_STR(str_of(pointer), str_of(cases[i].pointer));
        CHECK(why[0] && s.n == 7);
    }
}

TEST(split_has_at_most_16_parts)
{
    struct buf b;
    struct split s;
    char pointer[128], why[128];

    buf_init(&b, 4096);
    buf_putc(&b, '{');
    for (int i = 0; i < 17; i++)
        buf_printf(&b, "\"p%d\":0.0588235294117647,", i);
    buf_chop(&b, ',');
    buf_putc(&b, '}');
    CHECK(split_parse(&s, buf_view(&b), pointer, why) == ERR_INVALID);
    CHECK_STR(str_of(pointer), STR("/p16"));
    buf_release(&b);
}
