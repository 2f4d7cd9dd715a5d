/* Owns the walk from items to regions, answers and relations. What a place is as geometry is
 * view_shape.c's. */
#include "core/label_view.h"

#include <stdlib.h>

#include "core/canon.h"
#include "core/json_tree.h"
#include "core/label_check.h"
#include "core/view_shape.h"

/* An item as it is sorted: items of one id side by side, in the order of the document. */
struct entry {
    struct str id;
    size_t at;
    struct json_object *item;
    const struct label_type *type; /* NULL: not known */
};

struct str view_canon(struct arena *arena, struct json_object *value)
{
    struct str text;
    struct buf b;

    buf_init(&b, BUF_MAX_LABEL);
    text = canon_value(value, &b) ? STR("null") : arena_str(arena, buf_view(&b));
    buf_release(&b);
    return text;
}

static int by_id(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    int order = str_cmp(a->id, b->id);

    return order ? order : (a->at > b->at) - (a->at < b->at);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The canonical texts of a list's elements, sorted; of what is no list, its own. */
static struct str *sorted_set(struct arena *arena, struct json_object *list, size_t *n)
{
    bool is_list = json_object_is_type(list, json_type_array);
    struct str *set;

    *n = is_list ? json_object_array_length(list) : list != NULL;
    set = arena_array(arena, *n + 1, sizeof(*set));
    for (size_t i = 0; i < *n; i++)
        set[i] = view_canon(arena, is_list ? json_object_array_get_idx(list, i) : list);
    qsort(set, *n, sizeof(*set), by_text);
    return set;
}

static struct str set_text(struct arena *arena, const struct str *set, size_t n)
{
    struct str text;
    struct buf b;

    buf_init(&b, BUF_MAX_LABEL);
    buf_putc(&b, '[');
    for (size_t i = 0; i < n; i++) {
        buf_str(&b, set[i]);
        buf_putc(&b, ',');
    }
    buf_chop(&b, ',');
    buf_putc(&b, ']');
    text = arena_str(arena, buf_view(&b));
    buf_release(&b);
    return text;
}

/* What is read outlives the document. */
static struct str kept(const struct label_view *v, struct json_object *item, const char *name)
{
    return arena_str(v->arena, member_str(item, name));
}

static int64_t member_int(struct json_object *o, const char *name)
{
    double v;

    return is_number(member_of(o, name), &v) && v >= 0 && v <= NO_MAX ? (int64_t)v : 0;
}

/* ---- regions */

static bool makes_region(const struct entry *e)
{
    return e->type && e->type->role == LABEL_REGION;
}

static struct json_object *labels_of(const struct entry *e)
{
    return e->type->key ? member_of(member_of(e->item, "value"), e->type->key) : NULL;
}

/* Where: the first item with a place that can be measured; what: all labels of all its items. */
static void read_region(struct label_view *v, const struct entry *items, size_t n)
{
    struct view_region *r = &v->regions[v->nregions++];
    struct json_object *labels = json_object_new_array();
    const struct entry *where = NULL, *named = NULL;
    struct str *set;
    size_t nset;

    *r = (struct view_region){.kind = VIEW_SAME, .id = arena_str(v->arena, items->id)};
    for (size_t i = 0; i < n; i++) {
        struct json_object *list = makes_region(&items[i]) ? labels_of(&items[i]) : NULL;
        if (!makes_region(&items[i]))
            continue;
        if (!where || r->kind == VIEW_SAME)
            where = view_shape_read(v->arena, items[i].item, r) || !where ? &items[i] : where;
        if (!named && list)
            named = &items[i];
        for (size_t k = 0; list && json_object_is_type(list, json_type_array) &&
                           k < json_object_array_length(list);
             k++)
            json_object_array_add(labels, json_object_get(json_object_array_get_idx(list, k)));
    }
    set = sorted_set(v->arena, labels, &nset);
    json_object_put(labels);
    r->labels = set_text(v->arena, set, nset);
    r->from = kept(v, (named ? named : where)->item, "from_name");
    r->to = kept(v, where->item, "to_name");
    r->index = member_int(where->item, "item_index");
    r->channel = member_int(member_of(where->item, "value"), "channel");
    r->at = where->at;
    if (r->kind == VIEW_SAME)
        r->same = sha256_of(view_canon(v->arena, member_of(where->item, "value")));
}

/* ---- answers */

static const struct {
    const char *type;
    enum view_kind kind;
} answers[] = {
    {"choices", VIEW_CHOICES},
    {"taxonomy", VIEW_CHOICES},
    {"pairwise", VIEW_CHOICES},
    {"textarea", VIEW_TEXT},
    {"rating", VIEW_NUMBER},
    {"number", VIEW_NUMBER},
};

static enum view_kind kind_of(const struct entry *e, struct json_object *said)
{
    double number;

    for (size_t i = 0; e->type && said && i < ARRAY_LEN(answers); i++)
        if (str_is(str_of(e->type->name), answers[i].type))
            return answers[i].kind == VIEW_NUMBER && !is_number(said, &number) ? VIEW_OTHER
                                                                               : answers[i].kind;
    return VIEW_OTHER;
}

static struct str lines_of(struct arena *arena, struct json_object *said)
{
    struct str text;
    struct buf b;

    if (json_object_is_type(said, json_type_string))
        return arena_str(arena, json_str(said));
    buf_init(&b, BUF_MAX_LABEL);
    for (size_t i = 0;
         json_object_is_type(said, json_type_array) && i < json_object_array_length(said); i++) {
        struct json_object *line = json_object_array_get_idx(said, i);
        if (json_object_is_type(line, json_type_string))
            buf_str(&b, json_str(line));
        buf_putc(&b, '\n');
    }
    buf_chop(&b, '\n');
    text = arena_str(arena, buf_view(&b));
    buf_release(&b);
    return text;
}

static void read_answer(struct label_view *v, const struct entry *e, size_t region)
{
    struct view_answer *a = &v->answers[v->nanswers++];
    struct json_object *value = member_of(e->item, "value");
    struct json_object *said = e->type && e->type->key ? member_of(value, e->type->key) : value;

    *a = (struct view_answer){
        .kind = kind_of(e, said),
        .id = arena_str(v->arena, e->id),
        .from = kept(v, e->item, "from_name"),
        .to = kept(v, e->item, "to_name"),
        .index = member_int(e->item, "item_index"),
        .region = region,
        .rating = e->type && str_is(str_of(e->type->name), "rating"),
        .at = e->at,
    };
    if (a->kind == VIEW_CHOICES) {
        a->set = sorted_set(v->arena, said, &a->nset);
        a->said = set_text(v->arena, a->set, a->nset);
        return;
    }
    a->said = view_canon(v->arena, said);
    if (a->kind == VIEW_TEXT)
        a->text = lines_of(v->arena, said);
    if (a->kind == VIEW_NUMBER)
        (void)is_number(said, &a->number);
}

/* ---- the document */

/* Items with an id belong together; one without stands alone. */
static void read_group(struct label_view *v, const struct entry *items, size_t n)
{
    size_t region = VIEW_NONE;

    for (size_t i = 0; i < n && region == VIEW_NONE; i++)
        if (makes_region(&items[i]))
            region = v->nregions;
    if (region != VIEW_NONE)
        read_region(v, items, n);
    for (size_t i = 0; i < n; i++)
        if (!makes_region(&items[i]))
            read_answer(v, &items[i], region);
}

static void read_relation(struct label_view *v, struct json_object *item, size_t at)
{
    struct json_object *said = json_object_new_array();

    json_object_array_add(said, json_object_get(member_of(item, "direction")));
    json_object_array_add(said, json_object_get(member_of(item, "labels")));
    v->relations[v->nrelations++] = (struct view_relation){
        .from = label_view_find(v, member_str(item, "from_id")),
        .to = label_view_find(v, member_str(item, "to_id")),
        .said = view_canon(v->arena, said),
        .at = at,
    };
    json_object_put(said);
}

static int by_place(const void *pa, const void *pb)
{
    const struct view_answer *a = pa, *b = pb;

    return (a->at > b->at) - (a->at < b->at);
}

static bool is_relation(struct json_object *item)
{
    return str_is(member_str(item, "type"), "relation");
}

static enum err read_document(struct label_view *v)
{
    size_t n = json_object_array_length(v->doc), count = 0;
    struct entry *entries = arena_array(v->arena, n + 1, sizeof(*entries));

    v->regions = arena_array(v->arena, n + 1, sizeof(*v->regions));
    v->answers = arena_array(v->arena, n + 1, sizeof(*v->answers));
    v->relations = arena_array(v->arena, n + 1, sizeof(*v->relations));
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(v->doc, i);
        if (!json_object_is_type(item, json_type_object))
            return ERR_INVALID;
        if (!is_relation(item))
            entries[count++] = (struct entry){
                member_str(item, "id"), i, item, label_type_find(member_str(item, "type"))};
    }
    qsort(entries, count, sizeof(*entries), by_id);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && entries[i].id.n && str_eq(entries[end].id, entries[i].id);)
            end++;
        read_group(v, entries + i, end - i);
    }
    qsort(v->answers, v->nanswers, sizeof(*v->answers), by_place);
    for (size_t i = 0; i < n; i++)
        if (is_relation(json_object_array_get_idx(v->doc, i)))
            read_relation(v, json_object_array_get_idx(v->doc, i), i);
    return ERR_OK;
}

enum err label_view_new(struct str text, struct label_view **out)
{
    struct arena *arena = arena_new();
    struct label_view *v = arena_alloc(arena, sizeof(*v));
    enum err e = json_tree_parse(text, JSON_DEPTH_MAX, &v->doc, NULL);

    v->arena = arena;
    if (!e && !json_object_is_type(v->doc, json_type_array))
        e = ERR_INVALID;
    if (!e)
        e = read_document(v);
    if (e)
        label_view_free(v);
    *out = e ? NULL : v;
    return e == ERR_BAD_JSON ? ERR_INVALID : e;
}

void label_view_drop(struct label_view *v)
{
    json_object_put(v->doc);
    v->doc = NULL;
}

void label_view_free(struct label_view *v)
{
    if (!v)
        return;
    label_view_drop(v);
    arena_free(v->arena);
}

size_t label_view_find(const struct label_view *v, struct str id)
{
    for (size_t low = 0, high = v->nregions; id.n && low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(v->regions[middle].id, id);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return VIEW_NONE;
}
