/* The strict scanner: what it takes, what it refuses and where, how it cuts streams. */
#include "base/json_scan.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "t.h"

#define TEXT(lit)                                                                                  \
    {                                                                                              \
        lit, sizeof(lit) - 1                                                                       \
    }

static const struct str good[] = {
    TEXT("null"),
    TEXT(" true "),
    TEXT("\t\r\n false"),
    TEXT("0"),
    TEXT("-0"),
    TEXT("9007199254740991"),
    TEXT("-9007199254740991"),
    TEXT("9007199254740991.0"),
    TEXT("-123456789012345.678901234567890"),
    TEXT("1e21"),
    TEXT("-1234567.5e20"),
    TEXT("1e308"),
    TEXT("-1.5E+10"),
    TEXT("1e-400"),
    TEXT("0.1000000000000000055511151231257827021181583404541015625"),
    TEXT("\"\""),
    TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\""),
    TEXT("\"\x7f\""),
    TEXT("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 "
         "\xf4\x8f\xbf\xbf\""),
    TEXT("[]"),
    TEXT("[ ]"),
    TEXT("{}"),
    TEXT("{ }"),
    TEXT("[1,2 , [3]]"),
    TEXT("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}"),
    TEXT("{\"\":1,\"a\":2,\"A\":3}"),
};

static const struct {
    struct str text;
    size_t at;
    const char *pointer;
} refused[] = {
    {TEXT(""), 0, ""},
    {TEXT("  "), 2, ""},
    {TEXT("nul"), 3, ""},
    {TEXT("nulL"), 0, ""},
    {TEXT("True"), 0, ""},
    {TEXT("NaN"), 0, ""},
    {TEXT("Infinity"), 0, ""},
    {TEXT("-Infinity"), 1, ""},
    {TEXT("+1"), 0, ""},
    {TEXT("01"), 1, ""},
    {TEXT("-"), 1, ""},
    {TEXT("1."), 2, ""},
    {TEXT(".5"), 0, ""},
    {TEXT("1e"), 2, ""},
    {TEXT("1e+"), 3, ""},
    {TEXT("0x10"), 1, ""},
    {TEXT("1_000"), 1, ""},
    {TEXT("9007199254740992"), 0, ""},
    {TEXT("-9007199254740992"), 0, ""},
    {TEXT("[18446744073709551616]"), 1, "/0"},
    {TEXT("99999999999999999999999999999999999999999999999999"), 0, ""},
    {TEXT("9007199254740993.0"), 0, ""}, /* its canonical form would be plain digits */
    {TEXT("1e20"), 0, ""},
    {TEXT("-90071992547.40992e5"), 0, ""},
    {TEXT("123456789012345678901234567890.5e-11"), 0, ""},
    {TEXT("1e309"), 0, ""},
    {TEXT("{\"x\":-1e400}"), 5, "/x"},
    {TEXT("[1]]"), 3, ""},
    {TEXT("1 2"), 2, ""},
    {TEXT("null\0"), 4, ""},
    {TEXT("\xef\xbb\xbf{}"), 0, ""},
    {TEXT("[1,]"), 3, "/1"},
    {TEXT("[,1]"), 1, "/0"},
    {TEXT("[1 2]"), 3, "/0"},
    {TEXT("[1"), 2, "/0"},
    {TEXT("{\"a\":1,}"), 7, ""},
    {TEXT("{\"a\" 1}"), 5, "/a"},
    {TEXT("{\"a\":}"), 5, "/a"},
    {TEXT("{a:1}"), 1, ""},
    {TEXT("{'a':1}"), 1, ""},
    {TEXT("[1}"), 2, "/0"},
    {TEXT("// x\n1"), 0, ""},
    {TEXT("\"abc"), 4, ""},
    {TEXT("\"a\nb\""), 2, ""},
    {TEXT("\"a\0b\""), 2, ""},
    {TEXT("\"\\x\""), 1, ""},
    {TEXT("\"\\u12g4\""), 5, ""},
    {TEXT("\"\\u0000\""), 1, ""},
    {TEXT("{\"a\\u0000b\":1,\"a\":2}"), 3, ""},
    {TEXT("\"\\ud800\""), 1, ""},
    {TEXT("\"\\udc00\""), 1, ""},
    {TEXT("\"\\ud800\\u0041\""), 1, ""},
    {TEXT("\"\\ud800\\ud800\""), 1, ""},
    {TEXT("\"\x80\""), 1, ""},
    {TEXT("\"\xc0\xaf\""), 1, ""},
    {TEXT("\"\xc1\xbf\""), 1, ""},
    {TEXT("\"\xe0\x9f\xbf\""), 1, ""},
    {TEXT("\"\xed\xa0\x80\""), 1, ""},
    {TEXT("\"\xf0\x8f\xbf\xbf\""), 1, ""},
    {TEXT("\"\xf4\x90\x80\x80\""), 1, ""},
    {TEXT("\"\xf5\x80\x80\x80\""), 1, ""},
    {TEXT("\"\xe2\x82\""), 1, ""},
    {TEXT("{\"a\":1,\"a\":2}"), 8, "/a"},
    {TEXT("{\"a\":1,\"b\":2,\"\\u0061\":3}"), 14, "/a"},
    {TEXT("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"), 11, "/\xf0\x9f\x98\x80"},
    {TEXT("{\"p\":[0,{\"q/r~\":1,\"q\\/r~\":2}]}"), 19, "/p/1/q~1r~0"},
};

TEST(good_texts_pass)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct json_error e = {0};
        if (json_scan(good[i], JSON_DEPTH_REQUEST, &e))
            t_fail(__FILE__, __LINE__, "good[%zu] refused at %zu: %s", i, e.at, e.why);
    }
}

TEST(bad_texts_are_refused_with_their_place)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct json_error e = {0};
        if (json_scan(refused[i].text, JSON_DEPTH_REQUEST, &e) != ERR_BAD_JSON)
            t_fail(__FILE__, __LINE__, "refused[%zu] passed", i);
        else if (e.at != refused[i].at || strcmp(e.pointer, refused[i].pointer) != 0)
            t_fail(__FILE__, __LINE__, "refused[%zu]: at %zu «%s» %s, want %zu «%s»", i, e.at,
                e.pointer, e.why, refused[i].at, refused[i].pointer);
        CHECK(json_scan(refused[i].text, JSON_DEPTH_REQUEST, NULL) == ERR_BAD_JSON);
    }
}

/* The scanner must not read past the end: the text lies flush with the end of its memory, so that
 * the address sanitizer sees the first byte beyond it. */
TEST(every_prefix_is_refused_or_whole)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        for (size_t n = 0; n < good[i].n; n++) {
            char *copy = malloc(n ? n : 1);
            REQUIRE(copy);
            memcpy(copy, good[i].p, n);
            size_t length;
            struct str prefix = {copy + (n ? 0 : 1), n};
            struct json_error e;
            enum err whole = json_scan(prefix, JSON_DEPTH_REQUEST, &e);
            enum json_cut cut = json_scan_value(prefix, false, JSON_DEPTH_REQUEST, &length, &e);
            CHECK(cut != JSON_BAD);
            if (cut == JSON_COMPLETE)
                CHECK(whole == ERR_OK && length <= n);
            free(copy);
        }
    }
}

static enum err nested(int levels, int max_depth, const char *open, const char *close)
{
    struct buf b;

    buf_init(&b, BUF_MAX_JSON);
    for (int i = 0; i < levels; i++)
        buf_puts(&b, open);
    buf_puts(&b, "1");
    for (int i = 0; i < levels; i++)
        buf_puts(&b, close);
    enum err e = json_scan(buf_view(&b), max_depth, NULL);
    buf_release(&b);
    return e;
}

TEST(depth_is_capped)
{
    CHECK_INT(nested(32, 32, "[", "]"), ERR_OK);
    CHECK_INT(nested(33, 32, "[", "]"), ERR_BAD_JSON);
    CHECK_INT(nested(64, 64, "{\"k\":", "}"), ERR_OK);
    CHECK_INT(nested(65, 64, "{\"k\":", "}"), ERR_BAD_JSON);
    CHECK_INT(nested(100000, 64, "[", "]"), ERR_BAD_JSON);
}

/* Object of n distinct keys; with `twice`, the first comes again at the end. */
static enum err many_keys(int n, bool twice)
{
    struct buf b;

    buf_init(&b, BUF_MAX_LABEL);
    buf_putc(&b, '{');
    for (int i = 0; i < n; i++)
        buf_printf(&b, "\"%x\":0,", (unsigned)i);
    buf_puts(&b, twice ? "\"0\":0}" : "\"last\":0}");
    enum err e = json_scan(buf_view(&b), JSON_DEPTH_REQUEST, NULL);
    buf_release(&b);
    return e;
}

TEST(a_double_key_among_many_is_found_fast)
{
    int64_t start = clock_mono_us();

    CHECK_INT(many_keys(50000, false), ERR_OK);
    CHECK_INT(many_keys(50000, true), ERR_BAD_JSON);
    CHECK_INT(many_keys(63, true), ERR_BAD_JSON);
    CHECK_INT(many_keys(64, true), ERR_BAD_JSON);
    CHECK_INT(many_keys(70000, false), ERR_BAD_JSON); /* over JSON_MAX_KEYS */
    CHECK(clock_mono_us() - start < 5000000);
}

TEST(closed_objects_free_their_keys)
{
    struct buf b;

    buf_init(&b, BUF_MAX_LABEL);
    buf_putc(&b, '[');
    for (int i = 0; i < 40000; i++)
        buf_puts(&b, "{\"a\":1,\"b\":2,\"c\":3},");
    buf_chop(&b, ',');
    buf_putc(&b, ']');
    CHECK_INT(json_scan(buf_view(&b), JSON_DEPTH_REQUEST, NULL), ERR_OK);
    buf_release(&b);
}

TEST(a_stream_is_cut_into_values)
{
    static const struct {
        struct str text;
        bool last;
        enum json_cut cut;
        size_t length;
    } cases[] = {
        {TEXT("{\"a\":1}\n{\"b\""), false, JSON_COMPLETE, 7},
        {TEXT("\n [1, 2] ,"), false, JSON_COMPLETE, 8},
        {TEXT("{\"a\":1"), false, JSON_MORE, 0},
        {TEXT("{\"a\":1"), true, JSON_BAD, 0},
        {TEXT("12"), false, JSON_MORE, 0},
        {TEXT("12"), true, JSON_COMPLETE, 2},
        {TEXT("12 "), false, JSON_COMPLETE, 2},
        {TEXT("9007199254740993"), false, JSON_MORE, 0}, /* may become ...3.5 */
        {TEXT("[9007199254740993"), false, JSON_MORE, 0},
        {TEXT("[9007199254740993,"), false, JSON_BAD, 0},
        {TEXT("1e40"), false, JSON_MORE, 0},
        {TEXT("\"\xe2\x82"), false, JSON_MORE, 0},
        {TEXT("\"\xe2\x28"), false, JSON_BAD, 0},
        {TEXT("\"\\ud83d"), false, JSON_MORE, 0},
        {TEXT("\"\\ud83dx"), false, JSON_BAD, 0},
        {TEXT("\"x\" junk"), false, JSON_COMPLETE, 3},
        {TEXT("tru"), false, JSON_MORE, 0},
        {TEXT("trx"), false, JSON_BAD, 0},
        {TEXT("]"), false, JSON_BAD, 0},
        {TEXT(" \n"), false, JSON_MORE, 2},
        {TEXT(" \n"), true, JSON_MORE, 2},
        {TEXT(""), true, JSON_MORE, 0},
        {TEXT("{\"a\":1,\"a\":2} "), false, JSON_BAD, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t length = 99;
        struct json_error e;
        enum json_cut cut =
            json_scan_value(cases[i].text, cases[i].last, JSON_DEPTH_IMPORT, &length, &e);
        if (cut != cases[i].cut || length != cases[i].length)
            t_fail(__FILE__, __LINE__, "case %zu: cut %d length %zu", i, (int)cut, length);
    }
}

TEST(a_long_pointer_is_cut_between_segments)
{
    struct buf b;
    struct json_error e;

    buf_init(&b, BUF_MAX_JSON);
    for (int i = 0; i < 20; i++)
        buf_puts(&b, "{\"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac/~\":");
    REQUIRE(json_scan(buf_view(&b), JSON_DEPTH_REQUEST, &e) == ERR_BAD_JSON);
    size_t n = strlen(e.pointer);
    CHECK_INT(n % 17, 0); /* each segment: '/', four times three bytes, "~1~0" */
    CHECK(n > 200 && utf8_valid(str_of(e.pointer)) == n);
    buf_release(&b);
}

/* Random edits of good texts: never a crash, and what passes once passes as a cut value too. */
TEST(random_damage_never_crashes)
{
    uint64_t rng = t_seed();

    for (int i = 0; i < 200000; i++) {
        const struct str *from = &good[t_random(&rng) % ARRAY_LEN(good)];
        char *copy = malloc(from->n);
        REQUIRE(copy);
        memcpy(copy, from->p, from->n);
        for (uint64_t k = t_random(&rng) % 3 + 1; k > 0; k--)
            copy[t_random(&rng) % from->n] = (char)t_random(&rng);
        struct str text = {copy, from->n};
        struct json_error e;
        size_t length;
        enum err whole = json_scan(text, JSON_DEPTH_REQUEST, &e);
        enum json_cut cut = json_scan_value(text, true, JSON_DEPTH_REQUEST, &length, &e);
        if (whole == ERR_OK)
            CHECK(cut == JSON_COMPLETE && utf8_valid(text) == text.n);
        if (cut == JSON_COMPLETE && length == text.n)
            CHECK_INT(whole, ERR_OK);
        free(copy);
    }
}

TEST(utf8_round_trip)
{
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char bytes[4];
        if (c == 0xd800)
            c = 0xe000;
        size_t n = utf8_encode(c, bytes);
        if (utf8_length(bytes, bytes + n) != (int)n || utf8_decode(bytes, (int)n) != c) {
            t_fail(__FILE__, __LINE__, "U+%04X", c);
            break;
        }
    }
}
