/* Owns the metric `exact`: documents that say the same, by hash. Never weighs how far apart two
 * documents are. */
#include "core/agreement_exact.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "core/canon.h"
#include "core/json_tree.h"

/* A region of a document: what was said of it, summed up in a hash. */
struct region {
    struct str id;
    struct sha256 said; /* of one item; after join_regions of all its items */
};

struct said {
    struct region *regions;
    size_t n;
    struct sha256 *relations;
    size_t nrelations;
};

/* What an item says about its making, not about the task: not compared. The id ties items of one
 * region together and relations to regions; it is drawn at random, so only what it ties counts. */
static const char *const making[] = {
    "id", "origin", "meta", "lead_time", "score", "readonly", "hidden", "parentID"};

static int compare_hash(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sha256));
}

static int compare_region(const void *pa, const void *pb)
{
    const struct region *a = pa, *b = pb;
    int order = str_cmp(a->id, b->id);

    return order ? order : compare_hash(&a->said, &b->said);
}

static enum err hash_item(struct json_object *item, struct sha256 *out)
{
    struct buf b;
    enum err e;

    for (size_t i = 0; i < ARRAY_LEN(making); i++)
        json_object_object_del(item, making[i]);
    buf_init(&b, BUF_MAX_LABEL);
    e = canon_value(item, &b);
    if (!e)
        *out = sha256_of(buf_view(&b));
    buf_release(&b);
    return e;
}

static struct sha256 hash_list(struct sha256 *list, size_t n)
{
    qsort(list, n, sizeof(*list), compare_hash);
    return sha256_of((struct str){(const char *)list, n * sizeof(*list)});
}

/* Replaces the items of one region, neighbours after the sort, by the region. */
static void join_regions(struct said *s)
{
    size_t n = 0;

    qsort(s->regions, s->n, sizeof(*s->regions), compare_region);
    for (size_t i = 0; i < s->n; i++) {
        struct region *last = n ? &s->regions[n - 1] : NULL;
        if (last && last->id.n && str_eq(last->id, s->regions[i].id)) {
            struct str both[] = {{(const char *)last->said.b, SHA256_LEN},
                {(const char *)s->regions[i].said.b, SHA256_LEN}};
            last->said = sha256_parts(both, 2);
        } else {
            s->regions[n++] = s->regions[i];
        }
    }
    s->n = n;
}

static const struct sha256 *region_said(const struct said *s, struct str id)
{
    for (size_t low = 0, high = s->n; low < high;) {
        size_t mid = low + (high - low) / 2;
        struct region key = {.id = id, .said = s->regions[mid].said};
        int order = compare_region(&s->regions[mid], &key);
        if (order == 0)
            return &s->regions[mid].said;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* A relation with what its ends say in place of their ids. */
static enum err hash_relation(const struct said *s, struct json_object *item, struct sha256 *out)
{
    static const char *const ends[] = {"from_id", "to_id"};
    char hex[SHA256_HEX + 1];

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const struct sha256 *said = region_said(s, member_str(item, ends[i]));
        if (!said)
            return ERR_INVALID;
        sha256_hex(*said, hex);
        json_object_object_add(item, ends[i], json_object_new_string(hex));
    }
    return hash_item(item, out);
}

static bool is_relation(struct json_object *item)
{
    return str_is(member_str(item, "type"), "relation");
}

/* The items first, as the relations speak of them. */
static enum err hash_items(struct arena *a, struct json_object *doc, struct said *s)
{
    size_t n = json_object_array_length(doc);
    enum err e = ERR_OK;

    s->regions = arena_array(a, n + 1, sizeof(*s->regions));
    s->relations = arena_array(a, n + 1, sizeof(*s->relations));
    for (size_t i = 0; i < n && !e; i++) {
        struct json_object *item = json_object_array_get_idx(doc, i);
        if (!json_object_is_type(item, json_type_object))
            return ERR_INVALID;
        if (is_relation(item))
            continue;
        s->regions[s->n].id = arena_str(a, member_str(item, "id"));
        e = hash_item(item, &s->regions[s->n++].said);
    }
    join_regions(s);
    for (size_t i = 0; i < n && !e; i++) {
        struct json_object *item = json_object_array_get_idx(doc, i);
        if (is_relation(item))
            e = hash_relation(s, item, &s->relations[s->nrelations++]);
    }
    return e;
}

/* All that a document says, in one hash. */
static enum err hash_document(struct str text, struct sha256 *out)
{
    struct json_object *doc = NULL;
    struct arena *a = arena_new();
    struct said s = {0};
    enum err e = json_tree_parse(text, JSON_DEPTH_MAX, &doc, NULL);

    if (!e && !json_object_is_type(doc, json_type_array))
        e = ERR_INVALID;
    if (!e)
        e = hash_items(a, doc, &s);
    if (!e) {
        struct sha256 *list = arena_array(a, s.n + 1, sizeof(*list));
        for (size_t i = 0; i < s.n; i++)
            list[i] = s.regions[i].said;
        struct sha256 two[] = {hash_list(list, s.n), hash_list(s.relations, s.nrelations)};
        *out = sha256_of((struct str){(const char *)two, sizeof(two)});
    }
    arena_free(a);
    json_object_put(doc);
    return e == ERR_BAD_JSON ? ERR_INVALID : e;
}

enum err agreement_exact(const struct str *docs, size_t n, struct agreement *out)
{
    struct sha256 said[AGREEMENT_DOCS];
    size_t equal_pairs = 0, best = 0;

    for (size_t i = 0; i < n; i++) {
        enum err e = hash_document(docs[i], &said[i]);
        if (e)
            return e;
    }
    *out = (struct agreement){.score = 1};
    for (size_t i = 0; i < n; i++) {
        size_t like = 0;
        for (size_t j = 0; j < n; j++)
            like += j != i && sha256_eq(said[i], said[j]);
        equal_pairs += like; /* each pair is met from both sides */
        if (like > best) {
            best = like;
            out->majority = i;
        }
    }
    if (n > 1)
        out->score = (double)equal_pairs / (double)(n * (n - 1));
    return ERR_OK;
}
