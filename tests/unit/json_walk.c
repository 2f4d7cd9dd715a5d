/* Walking scanned JSON: members, blanks; and that text which was never scanned is not overrun. */
#include "base/json_walk.h"

#include <stdlib.h>

#include "base/json_scan.h"
#include "t.h"

static void check_members(const char *text, const char *want)
{
    struct str rest = str_of(text);
    struct json_member m;
    struct buf got;

    buf_init(&got, BUF_MAX_LINE);
    while (json_walk(&rest, &m))
        buf_printf(&got, "%.*s=%.*s|", STR_FMT(m.key), STR_FMT(m.value));
    CHECK(str_is(buf_view(&got), want));
    buf_release(&got);
}

TEST(json_walk_members)
{
    check_members("{}", "");
    check_members(" { } ", "");
    check_members("{\"a\":1}", "a=1|");
    check_members("{\"a\":1,\"b\":\"x\",\"c\":[1,{\"d\":\"]}\"}],\"e\":{}}",
        "a=1|b=\"x\"|c=[1,{\"d\":\"]}\"}]|e={}|");
    check_members("\n{ \"a\" : -1.5e3 ,\t\"b\" : null , \"c\":true } ", "a=-1.5e3|b=null|c=true|");
    check_members("{\"q\\\"{\":\"\\\\\",\"\":\"\\\"},\"}", "q\\\"{=\"\\\\\"|=\"\\\"},\"|");
}

TEST(json_compact_drops_blanks_between_tokens)
{
    struct buf out;

    buf_init(&out, BUF_MAX_LINE);
    json_compact(STR(" {\n \"a b\" : [ 1 ,\t\"\\\" \" ] ,\r\n\"c\":{ } } "), &out);
    CHECK(str_is(buf_view(&out), "{\"a b\":[1,\"\\\" \"],\"c\":{}}"));
    buf_release(&out);
}

/* Random text in memory of exactly its size: the sanitizer sees a byte too far. */
TEST(json_walk_stays_inside)
{
    static const char letters[] = "{}[]\",:\\ab 1\n";
    uint64_t state = t_seed() | 1;

    for (int round = 0; round < 20000; round++) {
        size_t n = t_random(&state) % 24;
        char *text = malloc(n ? n : 1);
        struct str rest = {text, n};
        struct json_member m;
        struct buf out;
        REQUIRE(text);
        for (size_t i = 0; i < n; i++)
            text[i] = letters[t_random(&state) % (sizeof(letters) - 1)];
        buf_init(&out, BUF_MAX_LINE);
        json_compact(rest, &out);
        CHECK(out.n <= n);
        for (size_t members = 0; json_walk(&rest, &m); members++) {
            REQUIRE(members <= n);
            CHECK(m.key.p >= text && m.key.p + m.key.n <= text + n);
            CHECK(m.value.p >= text && m.value.p + m.value.n <= text + n);
        }
        buf_release(&out);
        free(text);
    }
}
