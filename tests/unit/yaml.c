/* Scalars of YAML: what is quoted comes back; what others write is read; what is no scalar is told.
 */
#include "formats/yaml.h"

#include "t.h"

TEST(yaml_quotes_come_back)
{
    static const struct {
        const char *said, *want;
    } rows[] = {
        {"cat", "\"cat\""},
        {"", "\"\""},
        {"a \"b\" \\ # c: d", "\"a \\\"b\\\" \\\\ # c: d\""},
        {"a\tb\nc\x01", "\"a\\tb\\nc\\u0001\""},
        {"\xe7\xbe\x8a \xf0\x9f\x90\x91", "\"\xe7\xbe\x8a \xf0\x9f\x90\x91\""},
        {"a\x7f\xc2\x85\xc2\x9f\xc2\xa0", "\"a\\u007f\\u0085\\u009f\xc2\xa0\""},
        {"\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf",
            "\"\\u2028\\u2029\\ufeff\\ufffe\\uffff\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new();
        struct buf out;
        struct str back = {0};
        buf_init(&out, 1 << 10);
        yaml_quote(&out, str_of(rows[i].said));
        CHECK_STR(buf_view(&out), str_of(rows[i].want));
        CHECK(yaml_scalar(a, buf_view(&out), &back));
        CHECK_STR(back, str_of(rows[i].said));
        buf_release(&out);
        arena_free(a);
    }
}

TEST(yaml_scalars_of_others)
{
    static const struct {
        const char *text, *want; /* NULL: it is none */
    } rows[] = {
        {" cat ", "cat"},
        {"", ""},
        {"driver's license", "driver's license"},
        {"a#b # c", "a#b"},
        {"# c", ""},
        {"'it''s' # c", "it's"},
        {"'a\\n'", "a\\n"},
        {"''''", "'"},
        {"\"a\" # b", "a"},
        {"\"\\xE9\\u7F8A\\U0001F411\\ud83d\\udc11\"",
            "\xc3\xa9\xe7\xbe\x8a\xf0\x9f\x90\x91\xf0\x9f\x90\x91"},
        {"\"\\L\\L\\L\\N\\_\\e\\/\\ \"",
            "\xe2\x80\xa8\xe2\x80\xa8\xe2\x80\xa8\xc2\x85\xc2\xa0\x1b/ "},
        {"\"a", NULL},
        {"\"a\"b", NULL},
        {"\"a\"#b", NULL},
        {"'a", NULL},
        {"'a'b", NULL},
        {"'", NULL},
        {"\"", NULL},
        {"\"\\", NULL},
        {"\"\\\"", NULL},
        {"\"\\q\"", NULL},
        {"\"\\x4\"", NULL},
        {"\"\\x\x14\x15\"", NULL},
        {"\"\\u0000\"", NULL},
        {"\"\\ud83d\"", NULL},
        {"\"\\ud83d\\u0041\"", NULL},
        {"\"\\udc11\"", NULL},
        {"\"\\U00110000\"", NULL},
        {"*a", NULL},
        {"[a]", NULL},
        {"|", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new();
        char *text = arena_copy(a, rows[i].text, strlen(rows[i].text));
        struct str out = {0};
        bool good = yaml_scalar(a, str_of(text), &out);
        if (good != (rows[i].want != NULL) || (good && !str_is(out, rows[i].want)))
            t_fail(__FILE__, __LINE__, "%s: %.*s", rows[i].text, STR_FMT(out));
        arena_free(a);
    }
}

TEST(yaml_is_cut_outside_of_quotes)
{
    static const struct {
        const char *text;
        char sep;
        const char *parts; /* with | between */
    } rows[] = {
        {"a, \"b,c\" ,'d,''e',f", ',', "a| \"b,c\" |'d,''e'|f"},
        {"driver's license, car", ',', "driver's license| car"},
        {"\"a\\\",b\",c", ',', "\"a\\\",b\"|c"},
        {"[a#b, 'c # d'] # e", '#', "[a#b, 'c # d'] | e"},
        {"\"0: x\": y", ':', "\"0: x\"| y"},
        {"\"a,b", ',', "\"a,b"},
        {"\"a\\", ',', "\"a\\"},
        {"", ',', ""},
        {"a,", ',', "a|"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = str_of(rows[i].text), part;
        struct buf out;
        buf_init(&out, 256);
        while (yaml_cut(&rest, rows[i].sep, &part)) {
            buf_str(&out, part);
            buf_putc(&out, '|');
        }
        buf_chop(&out, '|');
        CHECK_STR(buf_view(&out), str_of(rows[i].parts));
        buf_release(&out);
    }
}

/* Whatever it is: no byte is read behind its end, parts and separators are all of it. */
TEST(yaml_of_any_bytes)
{
    static const char some[] = "\"'\\#:,[]{} \tabuxUNL0189Ff\xe7\xbe\x8a-*";
    uint64_t state = t_seed() | 1;

    for (int k = 0; k < 20000; k++) {
        struct arena *a = arena_new();
        char text[24];
        size_t n = t_random(&state) % sizeof(text), left = 0, parts = 0;
        for (size_t i = 0; i < n; i++)
            text[i] = some[t_random(&state) % (sizeof(some) - 1)];
        struct str exact = {arena_copy(a, text, n), n}, rest = exact, out, part;
        if (yaml_scalar(a, exact, &out))
            CHECK(out.n <= 2 * n);
        for (; yaml_cut(&rest, ',', &part); parts++)
            left += part.n;
        CHECK(left + parts == n + 1);
        arena_free(a);
    }
}
