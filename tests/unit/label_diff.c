/* The difference of two versions: tables by hand, properties over random documents. */
#include "core/label_diff.h"

#include "label_versions.h"

#define EMPTY                                                                                      \
    "{\"added\":[],\"changed\":[],\"linked\":[],\"moved\":[],\"relabelled\":[],\"removed\":[],"    \
    "\"unlinked\":[]}"

static const struct {
    const char *before, *after, *list,
        *entry; /* the one list that is not empty, and what it holds */
} rows[] = {
    {"[]", "[" BOX("r", 10, "A") "]", "added",
        "[{\"id\":\"r\",\"labels\":[\"A\"],\"type\":\"rectanglelabels\"}]"},
    {"[" BOX("r", 10, "A") "," WORD("r", 10, "x") "]", "[]", "removed",
        "[{\"id\":\"r\",\"labels\":[\"A\"],\"type\":\"rectanglelabels\"}]"},
    {"[" BOX("r", 10, "A") "]", "[" BOX("r", 15, "A") "]", "moved",
        "[{\"id\":\"r\",\"likeness\":0.6,\"shift\":[10,0]}]"},
    {"[" BOX("r", 10, "A") "]", "[" BOX("r", 10, "B") "]", "relabelled",
        "[{\"after\":[\"B\"],\"before\":[\"A\"],\"id\":\"r\"}]"},
    {"[" SPAN("s", 0, 8) "]", "[" SPAN("s", 4, 12) "]", "moved",
        "[{\"id\":\"s\",\"likeness\":0.5,\"shift\":[4,4]}]"},
    {"[" BOX("r", 10, "A") "]", "[" BOX("r", 10, "A") "," WORD("r", 10, "x") "]", "changed",
        "[{\"after\":[\"x\"],\"before\":null,\"control\":\"t\",\"field\":\"text\",\"id\":\"r\"}]"},
    {"[" BOX("r", 10, "A") "," WORD("r", 10, "x") "]",
        "[" BOX("r", 10, "A") "," WORD("r", 10, "y") "]", "changed",
        "[{\"after\":[\"y\"],\"before\":[\"x\"],\"control\":\"t\",\"field\":\"text\",\"id\":\"r\"}"
        "]"},
    /* the same question, answered under another id */
    {"[" CHOICE("a", "x") "]", "[" CHOICE("b", "y") "]", "changed",
        "[{\"after\":[\"y\"],\"before\":[\"x\"],\"control\":\"c\",\"field\":\"choices\",\"id\":"
        "\"a\"}]"},
    {"[" BOX("r", 1, "A") "," BOX("s", 2, "A") "]",
        "[" BOX("s", 2, "A") "," LINK("r", "s") "," BOX("r", 1, "A") "]", "linked",
        "[{\"from_id\":\"r\",\"to_id\":\"s\"}]"},
    {"[{\"id\":\"k\",\"type\":\"keypoint\",\"meta\":{\"text\":[\"a\"]},\"value\":{\"x\":1,\"y\":2}}"
     "]",
        "[{\"id\":\"k\",\"type\":\"keypoint\",\"value\":{\"x\":1,\"y\":2}}]", "changed",
        "[{\"after\":null,\"before\":{\"text\":[\"a\"]},\"control\":\"\",\"field\":\"meta\",\"id\":"
        "\"k\"}]"},
    {"[{\"id\":\"k\",\"type\":\"keypoint\",\"value\":{\"x\":1,\"y\":2}}]",
        "[{\"id\":\"k\",\"type\":\"keypoint\",\"value\":{\"x\":1,\"y\":3}}]", "moved",
        "[{\"id\":\"k\",\"likeness\":0}]"},
    {"[{\"id\":\"k\",\"type\":\"keypoint\",\"origin\":\"prediction\",\"score\":0.5,\"value\":{}}]",
        "[{\"id\":\"k\",\"type\":\"keypoint\",\"origin\":\"manual\",\"value\":{}}]", NULL, NULL},
};

/* Rounds likenesses, which are sums of products. */
static void round_numbers(struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *one = json_object_array_get_idx(list, i), *v = member(one, "likeness");
        if (v)
            json_object_set_double(v, round(json_object_get_double(v) * 1e9) / 1e9);
    }
}

static void check_row(size_t at, struct json_object *diff)
{
    json_object_object_foreach(diff, name, list)
    {
        bool wanted = rows[at].list && strcmp(name, rows[at].list) == 0;
        struct json_object *want = json_tokener_parse(wanted ? rows[at].entry : "[]");
        struct buf have, wish;
        buf_init(&have, BUF_MAX_JSON);
        buf_init(&wish, BUF_MAX_JSON);
        round_numbers(list);
        CHECK(!canon_value(list, &have) && !canon_value(want, &wish));
        if (!str_eq(buf_view(&have), buf_view(&wish)))
            t_fail(__FILE__, __LINE__, "row %zu: %s is %.*s\n      want %.*s", at, name,
                STR_FMT(buf_view(&have)), STR_FMT(buf_view(&wish)));
        json_object_put(want);
        buf_release(&have);
        buf_release(&wish);
    }
}

TEST(differences_by_hand)
{
    struct buf out;

    buf_init(&out, BUF_MAX_LABEL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&out);
        CHECK_INT(label_diff(str_of(rows[i].before), str_of(rows[i].after), &out), ERR_OK);
        struct json_object *diff = json_tokener_parse(buf_view(&out).p);
        REQUIRE(diff);
        CHECK_INT(json_object_object_length(diff), 7);
        check_row(i, diff);
        json_object_put(diff);
    }
    buf_release(&out);
}

static struct json_object *diff_of(struct str before, struct str after)
{
    struct json_object *diff = NULL;
    struct buf out;

    buf_init(&out, BUF_MAX_LABEL);
    if (!label_diff(before, after, &out))
        diff = json_tokener_parse(buf_view(&out).p);
    buf_release(&out);
    return diff;
}

static size_t entries(struct json_object *diff, const char *list)
{
    return json_object_array_length(member(diff, list));
}

/* There and back: what was added is removed, the rest is as often changed. */
TEST(differences_turn_around)
{
    static const char *const both[][2] = {{"added", "removed"}, {"removed", "added"},
        {"moved", "moved"}, {"relabelled", "relabelled"}, {"changed", "changed"},
        {"linked", "unlinked"}, {"unlinked", "linked"}};
    uint64_t s = t_seed() | 1;
    struct buf a, b;

    buf_init(&a, BUF_MAX_LABEL);
    buf_init(&b, BUF_MAX_LABEL);
    for (int round = 0; round < 200; round++) {
        struct version v = version_first(&s), w = v;
        version_change(&w, &s, 4);
        version_print(&v, &a);
        version_print(&w, &b);
        struct json_object *there = diff_of(buf_view(&a), buf_view(&b));
        struct json_object *back = diff_of(buf_view(&b), buf_view(&a));
        struct json_object *none = diff_of(buf_view(&a), buf_view(&a));
        REQUIRE(there && back && none);
        for (size_t i = 0; i < ARRAY_LEN(both); i++) {
            CHECK_INT(entries(there, both[i][0]), entries(back, both[i][1]));
            CHECK_INT(entries(none, both[i][0]), 0);
        }
        json_object_put(there);
        json_object_put(back);
        json_object_put(none);
    }
    buf_release(&a);
    buf_release(&b);
}

TEST(differences_of_what_is_no_document)
{
    static const char *const bad[] = {"", "{}", "[1]", "["};
    struct buf out;

    buf_init(&out, BUF_MAX_LABEL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_INT(label_diff(STR("[]"), str_of(bad[i]), &out), ERR_INVALID);
        CHECK_INT(label_diff(str_of(bad[i]), STR("[]"), &out), ERR_INVALID);
    }
    CHECK_INT(label_diff(STR("[]"), STR("[]"), &out), ERR_OK);
    CHECK_STR(buf_view(&out), STR(EMPTY));
    buf_release(&out);
}
