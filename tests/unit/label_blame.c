/* Blame: who last changed each region, over edits, merges, restores and what models said. */
#include "core/label_blame.h"

#include "label_versions.h"

enum { MOST = 8 };

struct history {
    const char *docs[MOST]; /* NULL: not to be read */
    size_t parents[MOST][3];
    size_t nparents[MOST];
    size_t n;
};

/* Blames the last version; returns how many documents were read. */
static size_t blame(const struct history *h, struct arena *mem, const struct blamed **list,
    size_t *n, struct label_blame **b)
{
    struct blame_version *versions = arena_array(mem, h->n, sizeof(*versions));
    size_t read = 0, at, before = h->n;

    for (size_t i = 0; i < h->n; i++)
        versions[i] = (struct blame_version){h->parents[i], h->nparents[i]};
    *n = 0;
    if (label_blame_new(versions, h->n, str_of(h->docs[h->n - 1]), b)) {
        t_fail(__FILE__, __LINE__, "the head is no document");
        return 0;
    }
    while (label_blame_next(*b, &at)) {
        CHECK(at < before);
        before = at;
        read++;
        if (!h->docs[at])
            t_fail(__FILE__, __LINE__, "version %zu is asked for", at);
        else
            CHECK_INT(label_blame_read(*b, str_of(h->docs[at])), ERR_OK);
    }
    *n = label_blame_list(*b, mem, list);
    return read;
}

/* want: "r:0 s:1", in the head's order. */
static void check(const char *what, struct history h, const char *want)
{
    struct arena *mem = arena_new();
    const struct blamed *list = NULL;
    struct label_blame *b = NULL;
    struct buf got;
    size_t n;

    buf_init(&got, 4096);
    blame(&h, mem, &list, &n, &b);
    for (size_t i = 0; i < n; i++)
        buf_printf(&got, "%s%.*s%s%.*s:%zu", i ? " " : "", STR_FMT(list[i].id),
            list[i].to_id.n ? ">" : "", STR_FMT(list[i].to_id), list[i].version);
    if (!str_is(buf_view(&got), want))
        t_fail(__FILE__, __LINE__, "%s: %.*s, want %s", what, STR_FMT(buf_view(&got)), want);
    buf_release(&got);
    label_blame_free(b);
    arena_free(mem);
}

#define R1 BOX("r", 10, "A")
#define R2 BOX("r", 15, "A")
#define S1 BOX("s", 30, "B")
#define T1 BOX("t", 50, "A")

TEST(blame_follows_each_region)
{
    check("one version", (struct history){.docs = {"[" R1 "," S1 "]"}, .n = 1}, "r:0 s:0");
    check("empty", (struct history){.docs = {"[]"}, .n = 1}, "");
    check("a region is added",
        (struct history){.docs = {"[" R1 "]", "[" S1 "," R1 "]"},
            .parents = {{0}, {0}},
            .nparents = {0, 1},
            .n = 2},
        "s:1 r:0");
    check("moved, and back again",
        (struct history){.docs = {"[" R1 "," S1 "]", "[" R2 "," S1 "]", "[" R1 "," S1 "]"},
            .parents = {{0}, {0}, {1}},
            .nparents = {0, 1, 1},
            .n = 3},
        "r:2 s:0");
    check("a word about it is a change of it",
        (struct history){.docs = {"[" R1 "," S1 "]", "[" R1 "," WORD("r", 10, "x") "," S1 "]"},
            .parents = {{0}, {0}},
            .nparents = {0, 1},
            .n = 2},
        "r:1 s:0");
    check("answers and relations",
        (struct history){.docs = {"[" R1 "," S1 "," CHOICE("a", "x") "]",
                             "[" R1 "," S1 "," CHOICE("b", "x") "," LINK("r", "s") "]",
                             "[" R1 "," S1 "," CHOICE("c", "y") "," LINK("r", "s") "]"},
            .parents = {{0}, {0}, {1}},
            .nparents = {0, 1, 1},
            .n = 3},
        "r:0 s:0 c:2 r>s:1");
}

TEST(blame_over_merges_restores_and_models)
{
    check("a merge takes from both",
        (struct history){
            .docs = {"[" R1 "]", "[" R1 "," S1 "]", "[" R1 "," T1 "]", "[" R1 "," S1 "," T1 "]"},
            .parents = {{0}, {0}, {0}, {1, 2}},
            .nparents = {0, 1, 1, 2},
            .n = 4},
        "r:0 s:1 t:2");
    check("what a merge makes of two is its own",
        (struct history){.docs = {"[" R1 "]", "[" R2 "]", "[" BOX("r", 12, "A") "]"},
            .parents = {{0}, {0}, {0, 1}},
            .nparents = {0, 0, 2},
            .n = 3},
        "r:2");
    check("a restore is as its source is",
        (struct history){.docs = {"[" R1 "," S1 "]", "[" R2 "]", "[" R1 "," S1 "]"},
            .parents = {{0}, {0}, {1, 0}},
            .nparents = {0, 1, 2},
            .n = 3},
        "r:0 s:0");
    check("a prediction left as it was is the model's, whatever is said of its making",
        (struct history){
            .docs = {"[{\"id\":\"k\",\"type\":\"keypoint\",\"origin\":\"prediction\",\"score\":0.5,"
                     "\"value\":{\"x\":1,\"y\":2}}]",
                "[{\"id\":\"k\",\"type\":\"keypoint\",\"origin\":\"manual\",\"value\":{\"x\":1,"
                "\"y\":2}}]"},
            .parents = {{0}, {0}},
            .nparents = {0, 1},
            .n = 2},
        "k:0");
    check("others' versions are not read, and need not be there",
        (struct history){.docs = {"[" R1 "]", NULL, NULL, "[" R1 "]"},
            .parents = {{0}, {0}, {1}, {0}},
            .nparents = {0, 1, 1, 1},
            .n = 4},
        "r:0");
    check("nor what is older than all changes",
        (struct history){.docs = {NULL, "[" R1 "]", "[" R2 "]"},
            .parents = {{0}, {0}, {1}},
            .nparents = {0, 1, 1},
            .n = 3},
        "r:2");
}

/* What cannot be read, or is none, says nothing; the walk goes on. */
TEST(blame_of_damaged_versions)
{
    static const char *const bad[] = {"{}", "[1]", "", "[", "null"};
    const size_t parent[] = {0};
    const struct blame_version versions[] = {{NULL, 0}, {parent, 1}};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct arena *mem = arena_new();
        struct label_blame *b = NULL;
        const struct blamed *list;
        size_t at = 9;
        CHECK(label_blame_new(versions, 2, str_of(bad[i]), &b) != ERR_OK && !b);
        CHECK_INT(label_blame_new(versions, 2, STR("[" R1 "]"), &b), ERR_OK);
        CHECK(label_blame_next(b, &at) && at == 0);
        CHECK(label_blame_read(b, str_of(bad[i])) != ERR_OK);
        CHECK(!label_blame_next(b, &at));
        CHECK_INT((int64_t)label_blame_list(b, mem, &list), 1);
        CHECK_INT((int64_t)list[0].version, 1);
        label_blame_free(b);
        arena_free(mem);
    }
}
