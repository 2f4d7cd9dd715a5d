/* Owns the walk over a label document: the rules that all items share, what must hold between
 * items, and the canonical bytes. What a value must hold is label_value.c's, what a finished
 * document must hold label_complete.c's. */
#include "core/label_doc.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "core/canon.h"
#include "core/label_entries.h"

enum { ID_MAX = 200, GIVEN_ID = 20 };

static const struct label_member item_members[] = {
    {"score", MEMBER_NUMBER, false, 0, 1},
    {"readonly", MEMBER_BOOLEAN, false, 0, 0},
    {"hidden", MEMBER_BOOLEAN, false, 0, 0},
    {"is_positive", MEMBER_BOOLEAN, false, 0, 0},
    {"parentID", MEMBER_STRING, false, 0, 0},
    {"meta", MEMBER_OBJECT, false, 0, 0},
    {"item_index", MEMBER_INTEGER, false, 0, NO_MAX},
    {"original_width", MEMBER_NUMBER, false, 1, NO_MAX},
    {"original_height", MEMBER_NUMBER, false, 1, NO_MAX},
    {"original_length", MEMBER_NUMBER, false, 0, NO_MAX},
    {"image_rotation", MEMBER_INTEGER, false, 0, 270},
};

static bool one_of(struct json_object *v, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (json_object_is_type(v, json_type_string) && str_is(json_str(v), list[i]))
            return true;
    return false;
}

static bool id_valid(struct json_object *id)
{
    struct str s;

    if (!json_object_is_type(id, json_type_string))
        return false;
    s = json_str(id);
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
                ch == '_' || ch == '-'))
            return false;
    }
    return s.n > 0 && s.n <= ID_MAX;
}

/* An id drawn from the item itself and its place: the same document gets the same ids. */
static bool give_id(struct label_check *c)
{
    char id[GIVEN_ID + 1], hex[SHA256_HEX + 1];
    struct buf b;

    buf_init(&b, BUF_MAX_LABEL);
    buf_printf(&b, "%zu:", c->index);
    if (canon_value(c->item, &b)) {
        buf_release(&b);
        return check_fail(c, NULL, "is too large or nested too deep");
    }
    sha256_hex(sha256_of(buf_view(&b)), hex);
    buf_release(&b);
    snprintf(id, sizeof(id), "%.*s", GIVEN_ID, hex);
    json_object_object_add(c->item, "id", json_object_new_string(id));
    return true;
}

static bool check_id(struct label_check *c, unsigned flags)
{
    struct json_object *id = member_of(c->item, "id");

    if (!id && (flags & LABEL_DOC_GIVE_IDS)) {
        if (!give_id(c))
            return false;
        id = member_of(c->item, "id");
    }
    if (!id)
        return check_fail(c, "id", "is missing");
    if (!id_valid(id))
        return check_fail(c, "id", "must be 1 to %d of A-Z a-z 0-9 _ -", ID_MAX);
    c->id = json_str(id);
    return true;
}

static bool lower_case_of(struct str lower, struct str mixed)
{
    for (size_t i = 0; i < lower.n; i++)
        if (lower.p[i] >= 'A' && lower.p[i] <= 'Z')
            return false;
    return str_ieq(lower, mixed);
}

/* The tags that the item names, and that they belong together. */
static bool check_tags(struct label_check *c, struct json_object *type)
{
    static const struct label_member members[] = {
        {"from_name", MEMBER_STRING, true, 0, 0}, {"to_name", MEMBER_STRING, true, 0, 0}};
    struct str from, to;

    if (!check_members(c, c->item, members, ARRAY_LEN(members)))
        return false;
    from = json_str(member_of(c->item, "from_name"));
    to = json_str(member_of(c->item, "to_name"));
    c->control = label_control_find(c->config, from);
    if (!c->control)
        return check_fail(
            c, "from_name", "is \"%.100s\", which the label config does not have", from.p);
    if (!lower_case_of(json_str(type), c->control->type))
        return check_fail(c, "type", "does not match the tag <%.*s name=\"%.60s\">",
            STR_FMT(c->control->type), from.p);
    c->object = label_control_target(c->control, from, to);
    if (!c->object)
        return check_fail(c, "to_name", "is \"%.100s\", which \"%.60s\" is not for", to.p, from.p);
    return true;
}

/* The picture that an item of a list of pictures is about is one of the task's. */
static bool check_index(struct label_check *c)
{
    struct json_object *index = member_of(c->item, "item_index"), *list;

    list = c->object->list && index ? label_data_of(c, c->object) : NULL;
    if (json_object_is_type(list, json_type_array) &&
        json_object_get_int64(index) >= (int64_t)json_object_array_length(list))
        return check_fail(c, "item_index", "is %lld, but the task has %zu pictures",
            (long long)json_object_get_int64(index), json_object_array_length(list));
    return true;
}

static bool check_common(struct label_check *c)
{
    static const char *const origins[] = {"manual", "prediction", "prediction-changed"};
    struct json_object *origin = member_of(c->item, "origin"), *rotation;

    if (origin && !one_of(origin, origins, ARRAY_LEN(origins)))
        return check_fail(c, "origin", "must be manual, prediction or prediction-changed");
    if (!check_members(c, c->item, item_members, ARRAY_LEN(item_members)))
        return false;
    rotation = member_of(c->item, "image_rotation");
    if (rotation && json_object_get_int64(rotation) % 90)
        return check_fail(c, "image_rotation", "must be 0, 90, 180 or 270");
    return check_index(c);
}

static bool check_item(
    struct label_check *c, struct label_entries *d, struct json_object *type, unsigned flags)
{
    const struct label_type *t = label_type_find(json_str(type));

    if (!t)
        return check_fail(
            c, "type", "\"%.100s\" is not a type known here", json_object_get_string(type));
    c->type = str_of(t->name);
    if (!check_id(c, flags) || !check_tags(c, type) || !check_common(c) || !label_value_check(c, t))
        return false;
    d->v[d->n++] = (struct label_entry){
        .id = c->id,
        .from = json_str(member_of(c->item, "from_name")),
        .to = json_str(member_of(c->item, "to_name")),
        .at = c->index,
        .item_index = json_object_get_int64(member_of(c->item, "item_index")),
        .control = c->control,
        .object = c->object,
        .type = t,
    };
    return true;
}

static int by_id(const void *pa, const void *pb)
{
    const struct label_entry *a = pa, *b = pb;
    int order = str_cmp(a->id, b->id);

    if (order == 0)
        order = str_cmp(a->from, b->from);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

static int by_tags(const void *pa, const void *pb)
{
    const struct label_entry *a = pa, *b = pb;
    int order = str_cmp(a->from, b->from);

    if (order == 0)
        order = str_cmp(a->to, b->to);
    if (order == 0)
        order = (a->item_index > b->item_index) - (a->item_index < b->item_index);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

void label_look_at(
    struct label_check *c, const struct label_entries *d, const struct label_entry *e)
{
    check_up(c, 0);
    check_down(c, "result");
    check_down_at(c, e->at);
    c->index = e->at;
    c->item = json_object_array_get_idx(d->items, e->at);
    c->type = str_of(e->type->name);
    c->id = e->id;
}

/* Items of one id are one region: on one object, and each control speaks once. */
static bool check_regions(struct label_check *c, struct label_entries *d)
{
    qsort(d->v, d->n, sizeof(*d->v), by_id);
    for (size_t i = 0; i < d->n; i++) {
        const struct label_entry *e = &d->v[i], *before = e - 1;
        if (i == 0 || !str_eq(before->id, e->id)) {
            d->regions++;
            continue;
        }
        if (!str_eq(before->to, e->to)) {
            label_look_at(c, d, e);
            return check_fail(
                c, "to_name", "differs from that of item %zu with the same id", before->at);
        }
        if (str_eq(before->from, e->from)) {
            label_look_at(c, d, e);
            return check_fail(
                c, "id", "is that of item %zu too, from the same control", before->at);
        }
    }
    return true;
}

static bool is_whole(const struct label_entry *e)
{
    return e->type->role == LABEL_ABOUT_1 && !e->control->per_region;
}

/* What is said of the whole object is said once. */
static bool check_whole(struct label_check *c, struct label_entries *d)
{
    qsort(d->v, d->n, sizeof(*d->v), by_tags);
    for (size_t i = 1; i < d->n; i++) {
        const struct label_entry *e = &d->v[i], *before = e - 1;
        if (is_whole(e) && str_eq(before->from, e->from) && str_eq(before->to, e->to) &&
            before->item_index == e->item_index) {
            label_look_at(c, d, e);
            return check_fail(c, "from_name", "answers again what item %zu answered", before->at);
        }
    }
    return true;
}

static bool region_exists(const struct label_entries *d, struct str id)
{
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(d->v[mid].id, id);
        if (order == 0)
            return true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static bool check_relation_labels(struct label_check *c, struct json_object *labels)
{
    for (size_t i = 0; i < json_object_array_length(labels); i++) {
        struct json_object *v = json_object_array_get_idx(labels, i);
        if (!json_object_is_type(v, json_type_string))
            return check_fail(c, "labels", "must hold strings");
        if (c->config->relations && c->config->relations->nvalues &&
            !label_value_any(c->config->relations, json_str(v)))
            return check_fail(c, "labels", "has \"%.100s\", which the label config does not have",
                json_object_get_string(v));
    }
    return true;
}

/* Both ends of a relation are regions of this document. entries are by id. */
static bool check_relation(struct label_check *c, const struct label_entries *d)
{
    static const struct label_member members[] = {
        {"from_id", MEMBER_STRING, true, 0, 0},
        {"to_id", MEMBER_STRING, true, 0, 0},
        {"direction", MEMBER_STRING, true, 0, 0},
        {"labels", MEMBER_ARRAY, false, 0, 0},
    };
    static const char *const directions[] = {"right", "left", "bi"};
    static const char *const ends[] = {"from_id", "to_id"};
    struct json_object *labels;

    if (!check_members(c, c->item, members, ARRAY_LEN(members)))
        return false;
    if (!one_of(member_of(c->item, "direction"), directions, ARRAY_LEN(directions)))
        return check_fail(c, "direction", "must be right, left or bi");
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (!region_exists(d, json_str(member_of(c->item, ends[i]))))
            return check_fail(c, ends[i], "is not the id of an item of this document");
    labels = member_of(c->item, "labels");
    return !labels || check_relation_labels(c, labels);
}

/* All items of one kind, relations or the others. */
static bool check_each(
    struct label_check *c, struct label_entries *d, bool relations, unsigned flags)
{
    for (size_t i = 0; i < json_object_array_length(d->items); i++) {
        struct json_object *type;
        bool ok;
        check_up(c, 0);
        check_down(c, "result");
        check_down_at(c, i);
        c->index = i;
        c->item = json_object_array_get_idx(d->items, i);
        c->type = c->id = STR("");
        if (!json_object_is_type(c->item, json_type_object))
            return check_fail(c, NULL, "must be an object");
        type = member_of(c->item, "type");
        if (!json_object_is_type(type, json_type_string))
            return check_fail(c, "type", type ? "must be a string" : "is missing");
        if (str_is(json_str(type), "relation") != relations)
            continue;
        if (relations)
            c->type = STR("relation");
        ok = relations ? check_relation(c, d) : check_item(c, d, type, flags);
        if (!ok)
            return false;
    }
    return true;
}

static bool check_document(struct label_check *c, struct label_entries *d, unsigned flags)
{
    if (!check_each(c, d, false, flags) || !check_regions(c, d) || !check_whole(c, d))
        return false;
    qsort(d->v, d->n, sizeof(*d->v), by_id);
    if (!(flags & LABEL_DOC_PARTIAL) && !label_complete(c, d))
        return false;
    return check_each(c, d, true, flags);
}

static enum err print_canonical(struct label_check *c, struct json_object *result, struct buf *out)
{
    size_t before = out->n;
    enum err e = canon_value(result, out);

    if (e == ERR_INVALID) {
        check_up(c, 0);
        c->item = NULL;
        check_fail(c, "result", "holds a number that JSON cannot say, or is nested too deep");
        return ERR_LABEL_INVALID;
    }
    if (!e && out->n - before > BUF_MAX_LABEL)
        e = ERR_TOO_LARGE;
    return e;
}

enum err label_doc_canon(const struct label_config *config, struct json_object *result,
    struct json_object *data, unsigned flags, struct buf *out, struct label_doc_info *info,
    struct label_problem *problem)
{
    struct label_check c = {.config = config, .data = data, .problem = problem};
    struct label_entries d = {.items = result};
    struct arena *scratch;
    bool ok;

    *problem = (struct label_problem){0};
    if (!json_object_is_type(result, json_type_array)) {
        check_fail(&c, "result", "must be an array");
        return ERR_LABEL_INVALID;
    }
    if (json_object_array_length(result) > LABEL_DOC_ITEMS) {
        check_fail(&c, "result", "has more than %d items", LABEL_DOC_ITEMS);
        return ERR_LABEL_INVALID;
    }
    scratch = c.scratch = arena_new();
    d.v = arena_array(scratch, json_object_array_length(result) + 1, sizeof(*d.v));
    ok = check_document(&c, &d, flags);
    arena_free(scratch);
    if (!ok)
        return ERR_LABEL_INVALID;
    *info = (struct label_doc_info){json_object_array_length(result), d.regions};
    return print_canonical(&c, result, out);
}
