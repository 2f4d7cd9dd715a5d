/* Skill tags: what is one, and the form they are kept in. */
#include "core/tags.h"

#include "t.h"

static enum err parse(const char *json, char out[TAGS_TEXT])
{
    struct json_object *v = json_tokener_parse(json);
    enum err e = tags_parse(v, out);

    json_object_put(v);
    return e;
}

TEST(tags_are_sorted_and_each_is_there_once)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"[]", "{}"},
        {"[\"de\"]", "{\"de\"}"},
        {"[\"fr\",\"de\",\"fr\",\"de\"]", "{\"de\",\"fr\"}"},
        {"[\"null\",\"a_b.c-9\"]", "{\"a_b.c-9\",\"null\"}"},
    };
    char out[TAGS_TEXT];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        REQUIRE(parse(cases[i].json, out) == ERR_OK);
        CHECK_STR(str_of(out), str_of(cases[i].want));
    }
}

TEST(the_longest_list_of_tags_fits)
{
    char json[512] = "[", out[TAGS_TEXT];

    for (int i = 0; i < TAGS_MAX; i++)
        snprintf(json + strlen(json), sizeof(json) - strlen(json), "%s\"%031d%c\"", i ? "," : "", i,
            'x');
    snprintf(json + strlen(json), sizeof(json) - strlen(json), "]");
    REQUIRE(parse(json, out) == ERR_OK);
    CHECK_INT(strlen(out), TAGS_MAX * (TAG_MAX + 3) + 1);
    struct json_object *back = tags_json(out);
    CHECK_STR(str_of(json_object_to_json_string_ext(back, JSON_C_TO_STRING_PLAIN)), str_of(json));
    json_object_put(back);
}

TEST(what_is_no_list_of_tags_is_refused)
{
    static const char *const cases[] = {"null", "{}", "\"de\"", "1", "[1]", "[null]", "[[]]",
        "[\"\"]", "[\"DE\"]", "[\"d e\"]", "[\"d\\u0000e\"]", "[\"{}\"]", "[\"\\\"\"]",
        "[\"\\\\\"]", "[\"\u00e4\"]", "[\"012345678901234567890123456789012\"]",
        "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]"};
    char out[TAGS_TEXT] = "kept";

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(parse(cases[i], out), ERR_INVALID);
    CHECK_STR(str_of(out), STR("kept"));
}
