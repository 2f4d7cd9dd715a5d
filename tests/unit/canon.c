/* RFC 8785: the vectors of the RFC and of its reference implementation, and round trips. */
#include "core/canon.h"

#include <math.h>
#include <stdlib.h>

#include "core/json_tree.h"
#include "t.h"

/* RFC 8785 appendix B, and the edges of a double around it. */
static const struct {
    uint64_t bits;
    const char *text;
} numbers[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
    {0x4580000000000000,
        "6.189700196426902e+26"}, /* 2^89: the nearest 16 digits do not read back */
    {0x0010000000000000, "2.2250738585072014e-308"},
    {0x000fffffffffffff, "2.225073858507201e-308"},
    {0x3ff0000000000001, "1.0000000000000002"},
    {0x3fb999999999999a, "0.1"},
    {0x4059000000000000, "100"},
    {0x3ff8000000000000, "1.5"},
};

static double from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static const char *number(double v)
{
    static char text[64];
    struct buf b;

    buf_init(&b, sizeof(text) - 1);
    canon_number(v, &b);
    snprintf(text, sizeof(text), "%.*s", STR_FMT(buf_view(&b)));
    buf_release(&b);
    return text;
}

TEST(numbers_print_as_ecmascript_prints_them)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        CHECK_STR(str_of(number(from_bits(numbers[i].bits))), str_of(numbers[i].text));
}

/* Shortest: what is printed reads back, and with one digit less nothing does. */
TEST(random_numbers_read_back)
{
    uint64_t rng = t_seed();

    for (int i = 0; i < 100000; i++) {
        double v = from_bits(t_random(&rng));
        char fewer[40];
        if (!isfinite(v) || v == 0)
            continue;
        const char *text = number(v);
        if (strtod(text, NULL) != v)
            t_fail(__FILE__, __LINE__, "%a is printed as %s", v, text);
        int digits = 0;
        bool zeros_only = true;
        for (const char *p = text + strcspn(text, "e"); p-- > text;) {
            if (*p == '0' && zeros_only)
                continue;
            if (*p >= '0' && *p <= '9') {
                zeros_only = false;
                digits++;
            }
        }
        if (digits > 1 && fabs(v) >= 1e21) {
            snprintf(fewer, sizeof(fewer), "%.*e", digits - 2, v);
            if (strtod(fewer, NULL) == v)
                t_fail(
                    __FILE__, __LINE__, "%a is printed as %s, but %s is shorter", v, text, fewer);
        }
    }
}

static void check_text(struct str in, struct str want)
{
    struct buf b, again;
    struct json_error e = {0};

    buf_init(&b, BUF_MAX_JSON);
    buf_init(&again, BUF_MAX_JSON);
    if (canon_text(in, JSON_DEPTH_REQUEST, &b, &e))
        t_fail(__FILE__, __LINE__, "%.*s refused: %s", STR_FMT(in), e.why);
    CHECK_STR(buf_view(&b), want);
    CHECK(canon_text(buf_view(&b), JSON_DEPTH_REQUEST, &again, &e) == ERR_OK);
    CHECK_STR(buf_view(&again), want); /* canonical is a fixed point */
    buf_release(&b);
    buf_release(&again);
}

/* RFC 8785 §3.2.2 and §3.2.3. */
TEST(rfc_example)
{
    check_text(STR("{\n  \"numbers\": [333333333.33333329, 1E30, 4.50,\n"
                   "              2e-3, 0.000000000000000000000000001],\n"
                   "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
                   "  \"literals\": [null, true, false]\n}"),
        STR("{\"literals\":[null,true,false],"
            "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"));
}

TEST(rfc_sorting)
{
    check_text(STR("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
                   "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
                   "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
                   "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}"),
        STR("{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
            "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
            "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
            "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}"));
}

/* The reference implementation's weird.json, french.json, structures.json, arrays.json,
 * unicode.json and values.json. */
TEST(reference_weird)
{
    check_text(STR("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
                   "\"\\u000a\":\"Newline\",\"1\":\"One\",\"\\u0080\":\"Control\\u007f\","
                   "\"\\ud83d\\ude02\":\"Smiley\",\"\\u00f6\":\"Latin Small Letter O With "
                   "Diaeresis\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\","
                   "\"</script>\":\"Browser Challenge\"}"),
        STR("{\"\\n\":\"Newline\",\"\\r\":\"Carriage Return\",\"1\":\"One\","
            "\"</script>\":\"Browser Challenge\",\"\xc2\x80\":\"Control\x7f\","
            "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
            "\"\xf0\x9f\x98\x82\":\"Smiley\","
            "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}"));
}

TEST(reference_french)
{
    check_text(STR("{\"peach\":\"This sorting order\",\"p\xc3\xa9"
                   "ch\xc3\xa9\":\"is wrong according to French\","
                   "\"p\xc3\xaa"
                   "che\":\"but canonicalization MUST\",\"sin\":\"ignore locale\"}"),
        STR("{\"peach\":\"This sorting order\",\"p\xc3\xa9"
            "ch\xc3\xa9\":\"is wrong according to French\","
            "\"p\xc3\xaa"
            "che\":\"but canonicalization MUST\",\"sin\":\"ignore locale\"}"));
}

TEST(reference_structures)
{
    check_text(STR("{\"1\":{\"f\":{\"f\":\"hi\",\"F\":5},\"\\n\":56.0},\"10\":{},\"\":\"empty\","
                   "\"a\":{},\"111\":[{\"e\":\"yes\",\"E\":\"no\"}],\"A\":{}}"),
        STR("{\"\":\"empty\",\"1\":{\"\\n\":56,\"f\":{\"F\":5,\"f\":\"hi\"}},\"10\":{},"
            "\"111\":[{\"E\":\"no\",\"e\":\"yes\"}],\"A\":{},\"a\":{}}"));
}

TEST(reference_arrays_unicode_values)
{
    check_text(STR("[56,{\"d\":true,\"10\":null,\"1\":[ ]}]"),
        STR("[56,{\"1\":[],\"10\":null,\"d\":true}]"));
    /* not normalised: A with a separate ring stays two characters */
    check_text(STR("{\"Unnormalized Unicode\":\"A\\u030a\"}"),
        STR("{\"Unnormalized Unicode\":\"A\xcc\x8a\"}"));
    check_text(STR("{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,"
                   "0.000000000000000000000000001],\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042"
                   "\\u0022\\u005c\\\\\\\"\\/\",\"literals\":[null,true,false]}"),
        STR("{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"));
}

TEST(scalars_and_zeros)
{
    check_text(STR(" null "), STR("null"));
    check_text(STR("-0"), STR("0"));
    check_text(STR("-0.0"), STR("0"));
    check_text(STR("[1.0,10e-1,-1e0,0.10,1e-400]"), STR("[1,1,-1,0.1,0]"));
    check_text(STR("9007199254740991"), STR("9007199254740991"));
    check_text(STR("1e21"), STR("1e+21"));
    check_text(STR("\"\""), STR("\"\""));
    check_text(STR("42"), STR("42"));
}

TEST(keys_sort_by_utf16_units)
{
    static const char *const sorted[] = {"", "A", "AB", "a", "\xc3\xa9", "\xe2\x82\xac",
        "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xee\x80\x80", "\xef\xbf\xbf"};

    for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
        for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
            int c = canon_key_cmp(str_of(sorted[i]), str_of(sorted[j]));
            CHECK((c < 0) == (i < j) && (c > 0) == (i > j));
        }
}

TEST(bad_input_is_refused)
{
    struct buf b;
    struct json_error e;

    buf_init(&b, 16);
    CHECK_INT(canon_text(STR("{\"a\":1,\"a\":1}"), 32, &b, &e), ERR_BAD_JSON);
    CHECK_INT(canon_text(STR("[NaN]"), 32, &b, NULL), ERR_BAD_JSON);
    CHECK_INT(b.n, 0);
    CHECK_INT(canon_text(STR("\"a string too long for it\""), 32, &b, &e), ERR_FULL);
    CHECK_INT(canon_text(STR("1"), 32, &b, &e), ERR_FULL); /* the first failure stays */
    buf_release(&b);

    struct json_object *nan = json_object_new_double((double)NAN);
    CHECK_INT(canon_value(nan, &b), ERR_INVALID);
    json_object_put(nan);
    buf_release(&b);
}

TEST(depth_limits_of_scanner_and_parser_agree)
{
    struct buf in, out;
    struct json_error e;

    buf_init(&in, 1024);
    buf_init(&out, 1024);
    for (int i = 0; i < 64; i++)
        buf_putc(&in, '[');
    buf_putc(&in, '7');
    for (int i = 0; i < 64; i++)
        buf_putc(&in, ']');
    CHECK_INT(canon_text(buf_view(&in), JSON_DEPTH_IMPORT, &out, &e), ERR_OK);
    CHECK_STR(buf_view(&out), buf_view(&in));
    buf_release(&in);
    buf_release(&out);
}
