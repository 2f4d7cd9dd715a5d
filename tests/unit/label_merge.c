/* The three-way merge: tables by hand, and over random versions of a document the laws that a merge
 * must keep. */
#include "core/label_merge.h"

#include "core/agreement.h"
#include "label_versions.h"

struct result {
    struct buf merged, conflicts;
    size_t n;
};

static enum err merge(struct result *r, struct str base, struct str ours, struct str theirs)
{
    buf_clear(&r->merged);
    buf_clear(&r->conflicts);
    return label_merge(base, ours, theirs, &r->merged, &r->conflicts, &r->n);
}

static void result_init(struct result *r)
{
    buf_init(&r->merged, BUF_MAX_LABEL);
    buf_init(&r->conflicts, BUF_MAX_LABEL);
}

static void result_release(struct result *r)
{
    buf_release(&r->merged);
    buf_release(&r->conflicts);
}

static const struct {
    const char *base, *ours, *theirs, *merged, *conflicts; /* of conflicts: "id/field id/field" */
} rows[] = {
    {"[]", "[" BOX("a", 1, "A") "]", "[" BOX("b", 2, "A") "]",
        "[" BOX("a", 1, "A") "," BOX("b", 2, "A") "]", ""},
    {"[" BOX("a", 1, "A") "]", "[" BOX("a", 9, "A") "]", "[" BOX("a", 1, "B") "]",
        "[" BOX("a", 9, "B") "]", ""},
    {"[" BOX("a", 1, "A") "]", "[" BOX("a", 9, "A") "]", "[" BOX("a", 5, "A") "]",
        "[" BOX("a", 9, "A") "]", "a/place"},
    {"[" BOX("a", 1, "A") "]", "[" BOX("a", 1, "B") "]", "[" BOX("a", 1, "C") "]",
        "[" BOX("a", 1, "B") "]", "a/rectanglelabels"},
    {"[" BOX("a", 1, "A") "]", "[" BOX("a", 9, "B") "]", "[" BOX("a", 9, "B") "]",
        "[" BOX("a", 9, "B") "]", ""},
    {"[" BOX("a", 1, "A") "," BOX("b", 2, "A") "]", "[" BOX("b", 2, "A") "]",
        "[" BOX("a", 1, "A") "]", "[]", ""},
    {"[" BOX("a", 1, "A") "," BOX("b", 2, "A") "]", "[" BOX("b", 2, "A") "]",
        "[" BOX("a", 3, "A") "," BOX("b", 2, "A") "]",
        "[" BOX("b", 2, "A") "," BOX("a", 3, "A") "]", "a/region"},
    /* one removes a region, the other says something about it: all of it stays */
    {"[" BOX("a", 1, "A") "," BOX("b", 2, "A") "]",
        "[" BOX("a", 1, "A") "," WORD("a", 1, "w") "," BOX("b", 3, "A") "]",
        "[" BOX("b", 2, "A") "]",
        "[" BOX("a", 1, "A") "," WORD("a", 1, "w") "," BOX("b", 3, "A") "]", "a/region"},
    /* what one says about a region goes where the other moved it */
    {"[" BOX("a", 1, "A") "]", "[" BOX("a", 7, "A") "]",
        "[" BOX("a", 1, "A") "," WORD("a", 1, "w") "]",
        "[" BOX("a", 7, "A") "," WORD("a", 7, "w") "]", ""},
    {"[" BOX("a", 1, "A") "," WORD("a", 1, "w") "]", "[" BOX("a", 1, "B") "]",
        "[" BOX("a", 1, "A") "," WORD("a", 1, "v") "]",
        "[" BOX("a", 1, "B") "," WORD("a", 1, "v") "]", "a/item"},
    /* one question, answered by both under ids of their own */
    {"[]", "[" CHOICE("q", "x") "]", "[" CHOICE("p", "y") "]", "[" CHOICE("q", "x") "]",
        "p/choices"},
    {"[]", "[" CHOICE("q", "x") "]", "[" CHOICE("p", "x") "]", "[" CHOICE("q", "x") "]", ""},
    {"[" CHOICE("q", "x") "," BOX("a", 1, "A") "]", "[" CHOICE("q", "y") "," BOX("a", 1, "A") "]",
        "[" CHOICE("q", "x") "," BOX("a", 2, "A") "]",
        "[" CHOICE("q", "y") "," BOX("a", 2, "A") "]", ""},
    {"[" BOX("a", 1, "A") "," BOX("b", 2, "A") "]", "[" BOX("a", 1, "A") "]",
        "[" BOX("a", 1, "A") "," BOX("b", 2, "A") "," LINK("a", "b") "]", "[" BOX("a", 1, "A") "]",
        "b/relation"},
    {"[]", "[{\"id\":\"a\",\"origin\":\"manual\",\"score\":1,\"type\":\"x\"}]",
        "[{\"id\":\"a\",\"origin\":\"prediction\",\"type\":\"x\"}]",
        "[{\"id\":\"a\",\"origin\":\"manual\",\"score\":1,\"type\":\"x\"}]", ""},
};

/* "id/field id/field" */
static void name_conflicts(struct str json, struct buf *out)
{
    struct json_object *list = json_tokener_parse(json.p);

    buf_clear(out);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *c = json_object_array_get_idx(list, i);
        if (i)
            buf_putc(out, ' ');
        buf_str(out, text(c, "id"));
        buf_putc(out, '/');
        buf_str(out, text(c, "field"));
    }
    json_object_put(list);
}

TEST(merges_of_three_by_hand)
{
    struct result r;
    struct buf names;

    result_init(&r);
    buf_init(&names, BUF_MAX_JSON);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(
            merge(&r, str_of(rows[i].base), str_of(rows[i].ours), str_of(rows[i].theirs)), ERR_OK);
        name_conflicts(buf_view(&r.conflicts), &names);
        if (!str_is(buf_view(&r.merged), rows[i].merged) ||
            !str_is(buf_view(&names), rows[i].conflicts))
            t_fail(__FILE__, __LINE__, "row %zu: %.*s\n      conflicts: %.*s", i,
                STR_FMT(buf_view(&r.merged)), STR_FMT(buf_view(&r.conflicts)));
    }
    buf_release(&names);
    result_release(&r);
}

TEST(conflicts_say_who_has_what)
{
    struct result r;

    result_init(&r);
    CHECK_INT(merge(&r, STR("[" CHOICE("q", "x") "]"), STR("[" CHOICE("q", "y") "]"),
                  STR("[" CHOICE("q", "z") "]")),
        ERR_OK);
    CHECK_INT(r.n, 1);
    CHECK_STR(buf_view(&r.conflicts),
        STR("[{\"base\":[\"x\"],\"control\":\"c\",\"field\":\"choices\",\"id\":\"q\","
            "\"ours\":[\"y\"],\"theirs\":[\"z\"]}]"));
    result_release(&r);
}

TEST(merges_of_what_is_no_document)
{
    static const char *const bad[] = {"", "{}", "[1]", "["};
    struct result r;

    result_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (size_t k = 0; k < 3; k++) {
            struct str docs[3] = {STR("[]"), STR("[]"), STR("[]")};
            docs[k] = str_of(bad[i]);
            CHECK_INT(merge(&r, docs[0], docs[1], docs[2]), ERR_INVALID);
        }
    result_release(&r);
}

/* ---- laws */

struct three {
    struct version base, ours, theirs;
    struct buf text[3];
};

static void three_print(struct three *t)
{
    version_print(&t->base, &t->text[0]);
    version_print(&t->ours, &t->text[1]);
    version_print(&t->theirs, &t->text[2]);
}

static bool say_the_same(struct str a, struct str b)
{
    struct str docs[] = {a, b};
    struct agreement found;

    return !agreement_measure(STR("exact"), docs, 2, &found) && found.score == 1;
}

/* merge(a, a, b) = b and merge(a, b, a) = b; also where a region that both removed keeps the merge
 * from seeing at once that one side changed nothing. */
static void check_one_sided(struct three *t, struct result *r, struct buf *more)
{
    struct str a = buf_view(&t->text[0]), b = buf_view(&t->text[1]);

    CHECK(!merge(r, a, a, b) && r->n == 0);
    CHECK_STR(buf_view(&r->merged), b);
    CHECK(!merge(r, a, b, a) && r->n == 0);
    CHECK_STR(buf_view(&r->merged), b);
    buf_clear(more);
    buf_printf(more, "[%s%s%.*s", BOX("gone", 1, "A"), a.n > 2 ? "," : "", STR_FMT(a));
    memmove(more->p + more->n - a.n, more->p + more->n - a.n + 1, a.n); /* its own bracket */
    more->n--;
    CHECK(!merge(r, buf_view(more), a, b) && r->n == 0);
    if (!say_the_same(buf_view(&r->merged), b))
        t_fail(__FILE__, __LINE__, "%.*s\n      %.*s", STR_FMT(buf_view(&r->merged)), STR_FMT(b));
    CHECK(!merge(r, buf_view(more), b, a) && r->n == 0);
    CHECK(say_the_same(buf_view(&r->merged), b));
}

/* The same conflicts, sides exchanged; without any, the same document. */
static void check_exchanged(struct three *t, struct result *r, struct result *back)
{
    struct buf names, other;

    buf_init(&names, BUF_MAX_JSON);
    buf_init(&other, BUF_MAX_JSON);
    CHECK_INT(
        merge(r, buf_view(&t->text[0]), buf_view(&t->text[1]), buf_view(&t->text[2])), ERR_OK);
    CHECK_INT(
        merge(back, buf_view(&t->text[0]), buf_view(&t->text[2]), buf_view(&t->text[1])), ERR_OK);
    CHECK_INT(r->n, back->n);
    name_conflicts(buf_view(&r->conflicts), &names);
    name_conflicts(buf_view(&back->conflicts), &other);
    CHECK_STR(buf_view(&names), buf_view(&other));
    CHECK(r->n || say_the_same(buf_view(&r->merged), buf_view(&back->merged)));
    buf_release(&names);
    buf_release(&other);
}

static bool contains(struct str doc, size_t region)
{
    char id[32];

    snprintf(id, sizeof(id), "\"id\":\"r%zu\"", region);
    return memmem(doc.p, doc.n, id, strlen(id)) != NULL;
}

/* No region is lost that only one side added or that nobody removed, none comes back that a side
 * removed and the other left alone. */
static void check_regions(const struct three *t, struct str merged)
{
    for (size_t i = 0; i < VERSION_REGIONS; i++) {
        const struct version_region *b = &t->base.regions[i], *o = &t->ours.regions[i],
                                    *h = &t->theirs.regions[i];
        bool there = contains(merged, i);
        if (!b->there)
            CHECK(there == (o->there || h->there));
        else if (o->there && h->there)
            CHECK(there);
        else if (!o->there && !h->there)
            CHECK(!there);
        else
            CHECK(there == (memcmp(b, o->there ? o : h, sizeof(*b)) != 0));
    }
}

TEST(merges_keep_the_laws)
{
    uint64_t s = t_seed() | 1;
    struct result r, back;
    struct buf more;
    size_t clean = 0, torn = 0;

    result_init(&r);
    result_init(&back);
    buf_init(&more, BUF_MAX_LABEL);
    for (int round = 0; round < 400; round++) {
        struct three t = {.base = version_first(&s)};
        t.ours = t.theirs = t.base;
        version_change(&t.ours, &s, 5);
        version_change(&t.theirs, &s, 5);
        for (size_t i = 0; i < 3; i++)
            buf_init(&t.text[i], BUF_MAX_LABEL);
        three_print(&t);
        check_one_sided(&t, &r, &more);
        check_exchanged(&t, &r, &back);
        check_regions(&t, buf_view(&r.merged));
        clean += r.n == 0;
        torn += r.n != 0;
        for (size_t i = 0; i < 3; i++)
            buf_release(&t.text[i]);
    }
    CHECK(clean > 20 && torn > 20);
    buf_release(&more);
    result_release(&r);
    result_release(&back);
}

TEST(large_documents_are_merged)
{
    enum { ITEMS = 10000 };
    struct buf text[3];
    struct result r;

    result_init(&r);
    for (unsigned side = 0; side < 3; side++) {
        buf_init(&text[side], BUF_MAX_LABEL);
        buf_putc(&text[side], '[');
        for (unsigned i = 0; i < ITEMS; i++) /* each side moves every third */
            buf_printf(&text[side],
                "%s{\"id\":\"i%u\",\"type\":\"rectangle\",\"value\":{\"height\":1,\"width\":1,"
                "\"x\":"
                "%u,\"y\":0}}",
                i ? "," : "", i, i % 3 == side ? 1 : 0);
        buf_putc(&text[side], ']');
    }
    CHECK_INT(merge(&r, buf_view(&text[0]), buf_view(&text[1]), buf_view(&text[2])), ERR_OK);
    CHECK_INT(r.n, 0); /* i % 3 == 0 both moved alike, the others one side each */
    result_release(&r);
    for (size_t i = 0; i < 3; i++)
        buf_release(&text[i]);
}
