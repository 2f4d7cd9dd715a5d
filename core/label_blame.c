/* Owns the walk: which versions hold each thing of the head as the head does, in a chain from child
 * to parent. Memory is one bit a thing and version, and one document at a time. */
#include "core/label_blame.h"

#include <stdlib.h>

#include "base/hash.h"
#include "core/label_check.h"
#include "core/label_parts.h"

enum { WORD = 64 };

/* A thing of the head. */
struct thing {
    enum part_kind kind;
    struct str key;       /* PART_ITEM: the id; else that of its part */
    size_t nth;           /* of equal keys */
    struct sha256 same;   /* of all it says, how it came about left aside */
    size_t at;            /* of its first item */
    struct blamed blamed; /* the version: the oldest in the chain so far */
    uint64_t *ask;        /* versions that a holder was made from */
};

struct things {
    struct thing *v;
    size_t n;
};

struct label_blame {
    struct arena *arena;
    const struct blame_version *versions;
    size_t n;
    struct things head;
    size_t at; /* the version being read; those from here on are done */
};

/* ---- a document as things */

static void add_part(struct arena *mem, struct buf *text, const struct label_part *part)
{
    size_t n;
    struct str *fields = part_fields(mem, &part, 1, &n);

    for (size_t i = 0; i < n; i++) {
        if (part_field_is_making(fields[i]))
            continue;
        struct json_object *v = part_field(part, fields[i]);
        buf_str(text, fields[i]);
        buf_putc(text, '\0');
        buf_str(text, view_canon(mem, v));
        buf_putc(text, '\0');
        json_object_put(v);
    }
}

/* n parts, which are one thing. */
static void read_thing(
    struct thing *t, struct arena *keep, const struct label_part *parts, size_t n)
{
    const struct label_part *main = parts;
    struct arena *mem = arena_new();
    struct buf text;

    buf_init(&text, SIZE_MAX);
    t->at = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        add_part(mem, &text, &parts[i]);
        t->at = parts[i].at < t->at ? parts[i].at : t->at;
        if (!main->makes_region && parts[i].makes_region)
            main = &parts[i];
    }
    t->same = sha256_of(buf_view(&text));
    buf_release(&text);
    arena_free(mem);
    t->kind = parts->kind;
    t->key = arena_str(keep, parts->kind == PART_ITEM ? parts->id : parts->key);
    t->nth = parts->kind == PART_ITEM ? 0 : parts->nth;
    bool relation = parts->kind == PART_RELATION;
    t->blamed = (struct blamed){
        .what = relation             ? BLAME_RELATION
                : main->makes_region ? BLAME_REGION
                                     : BLAME_ANSWER,
        .id = arena_str(keep, relation ? member_str(main->item, "from_id") : main->id),
        .to_id = arena_str(keep, member_str(main->item, "to_id")),
        .control = arena_str(keep, member_str(main->item, "from_name")),
        .type = arena_str(keep, member_str(main->item, "type")),
    };
}

static enum err read_things(struct str document, struct arena *keep, struct things *out)
{
    struct label_parts parts;
    enum err e = label_parts_new(document, &parts);

    if (e)
        return e;
    out->v = arena_array(keep, parts.n + 1, sizeof(*out->v));
    for (size_t i = 0, n; i < parts.n; i += n) {
        const struct label_part *first = &parts.parts[i];
        for (n = 1; first->kind == PART_ITEM && i + n < parts.n && first[n].kind == PART_ITEM &&
                    str_eq(first[n].id, first->id);)
            n++;
        read_thing(&out->v[out->n++], keep, first, n);
    }
    label_parts_release(&parts);
    return ERR_OK;
}

/* The order of things, which is that of parts. */
static int thing_cmp(const struct thing *a, const struct thing *b)
{
    int order = (a->kind > b->kind) - (a->kind < b->kind);

    order = order ? order : str_cmp(a->key, b->key);
    return order ? order : (a->nth > b->nth) - (a->nth < b->nth);
}

/* ---- the walk */

static bool is_asked(const struct thing *t, size_t version)
{
    return t->ask[version / WORD] >> version % WORD & 1;
}

/* The thing is in this version as it is in the head: whoever it was made from is asked next. */
static void hold(struct label_blame *b, struct thing *t, size_t version)
{
    const struct blame_version *v = &b->versions[version];

    t->blamed.version = version;
    for (size_t i = 0; i < v->nparents; i++)
        if (v->parents[i] < version)
            t->ask[v->parents[i] / WORD] |= UINT64_C(1) << v->parents[i] % WORD;
}

enum err label_blame_new(
    const struct blame_version *versions, size_t n, struct str head, struct label_blame **out)
{
    struct arena *arena = arena_new();
    struct label_blame *b = arena_alloc(arena, sizeof(*b));
    enum err e;

    *out = NULL;
    BUG_ON(n == 0 || n > BLAME_VERSIONS);
    *b = (struct label_blame){.arena = arena, .versions = versions, .n = n, .at = n - 1};
    e = read_things(head, arena, &b->head);
    if (e) {
        arena_free(arena);
        return e;
    }
    for (size_t i = 0; i < b->head.n; i++) {
        b->head.v[i].ask = arena_array(arena, (n + WORD - 1) / WORD, sizeof(uint64_t));
        hold(b, &b->head.v[i], n - 1);
    }
    *out = b;
    return ERR_OK;
}

void label_blame_free(struct label_blame *b)
{
    if (b)
        arena_free(b->arena);
}

bool label_blame_next(struct label_blame *b, size_t *version)
{
    while (b->at > 0) {
        b->at--;
        for (size_t i = 0; i < b->head.n; i++)
            if (is_asked(&b->head.v[i], b->at)) {
                *version = b->at;
                return true;
            }
    }
    return false;
}

enum err label_blame_read(struct label_blame *b, struct str document)
{
    struct arena *mem = arena_new();
    struct things then = {0};
    enum err e = read_things(document, mem, &then);

    for (size_t i = 0, k = 0; i < b->head.n && k < then.n;) {
        int order = thing_cmp(&b->head.v[i], &then.v[k]);
        if (order == 0 && is_asked(&b->head.v[i], b->at) &&
            sha256_eq(b->head.v[i].same, then.v[k].same))
            hold(b, &b->head.v[i], b->at);
        i += order <= 0;
        k += order >= 0;
    }
    arena_free(mem);
    return e;
}

/* ---- what came of it */

static int by_place(const void *pa, const void *pb)
{
    const struct thing *const *a = pa, *const *b = pb;

    return ((*a)->at > (*b)->at) - ((*a)->at < (*b)->at);
}

size_t label_blame_list(const struct label_blame *b, struct arena *mem, const struct blamed **out)
{
    const struct thing **order = arena_array(b->arena, b->head.n + 1, sizeof(struct thing *));
    struct blamed *list = arena_array(mem, b->head.n + 1, sizeof(*list));

    for (size_t i = 0; i < b->head.n; i++)
        order[i] = &b->head.v[i];
    qsort(order, b->head.n, sizeof(struct thing *), by_place);
    for (size_t i = 0; i < b->head.n; i++)
        list[i] = order[i]->blamed;
    *out = list;
    return b->head.n;
}
