/* Owns what makes two items of two versions the same thing, and the fields of an item. */
#include "core/label_parts.h"

#include <stdlib.h>

#include "core/canon.h"
#include "core/label_check.h"

static int by_key(const void *pa, const void *pb)
{
    const struct label_part *a = pa, *b = pb;
    int order = (a->kind > b->kind) - (a->kind < b->kind);

    order = order ? order : str_cmp(a->key, b->key);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

int part_cmp(const struct label_part *a, const struct label_part *b)
{
    int order = (a->kind > b->kind) - (a->kind < b->kind);

    order = order ? order : str_cmp(a->key, b->key);
    return order ? order : (a->nth > b->nth) - (a->nth < b->nth);
}

/* No string of a document holds a NUL. */
static struct str key_of(struct arena *arena, const struct str *parts, size_t n)
{
    struct str key;
    struct buf b;

    buf_init(&b, BUF_MAX_LABEL);
    for (size_t i = 0; i < n; i++) {
        buf_str(&b, parts[i]);
        buf_putc(&b, '\0');
    }
    key = arena_str(arena, buf_view(&b));
    buf_release(&b);
    return key;
}

static void read_part(struct label_parts *p, struct json_object *item, size_t at)
{
    struct label_part *part = &p->parts[p->n++];
    const struct label_type *type = label_type_find(member_str(item, "type"));
    struct str id = member_str(item, "id"), from = member_str(item, "from_name");
    bool of_region = label_view_find(p->view, id) != VIEW_NONE;
    struct str index = view_canon(p->view->arena, member_of(item, "item_index"));

    *part = (struct label_part){.kind = PART_ITEM,
        .id = id,
        .makes_region = type && type->role == LABEL_REGION,
        .said_key = str_of(type && type->key ? type->key : ""),
        .item = item,
        .at = at};
    if (str_is(member_str(item, "type"), "relation"))
        part->kind = PART_RELATION;
    else if (type && type->role == LABEL_ABOUT_1 && !of_region)
        part->kind = PART_WHOLE;
    const struct str keys[][3] = {
        [PART_ITEM] = {id, from, STR("")},
        [PART_WHOLE] = {from, member_str(item, "to_name"), index},
        [PART_RELATION] = {member_str(item, "from_id"), member_str(item, "to_id"), STR("")},
    };
    part->key = key_of(p->view->arena, keys[part->kind], 3);
}

enum err label_parts_new(struct str text, struct label_parts *out)
{
    enum err e;

    *out = (struct label_parts){0};
    e = label_view_new(text, &out->view);
    if (e)
        return e;
    size_t n = json_object_array_length(out->view->doc);
    out->parts = arena_array(out->view->arena, n + 1, sizeof(*out->parts));
    for (size_t i = 0; i < n; i++)
        read_part(out, json_object_array_get_idx(out->view->doc, i), i);
    qsort(out->parts, n, sizeof(*out->parts), by_key);
    for (size_t i = 1; i < n; i++) {
        struct label_part *one = &out->parts[i], *before = one - 1;
        if (one->kind == before->kind && str_eq(one->key, before->key))
            one->nth = before->nth + 1;
    }
    return ERR_OK;
}

void label_parts_release(struct label_parts *p)
{
    label_view_free(p->view);
    *p = (struct label_parts){0};
}

/* ---- fields */

bool part_field_is_making(struct str field)
{
    static const char *const making[] = {"id", "origin", "score", "lead_time"};

    for (size_t i = 0; i < ARRAY_LEN(making); i++)
        if (str_is(field, making[i]))
            return true;
    return false;
}

static bool is_said(const struct label_part *p, struct str field)
{
    return p->said_key.n && str_eq(p->said_key, field);
}

struct json_object *part_field(const struct label_part *p, struct str field)
{
    struct json_object *value = member_of(p->item, "value"), *place;

    if (is_said(p, field))
        return json_object_get(member_of(value, p->said_key.p));
    if (!str_is(field, PART_PLACE))
        return json_object_get(member_of(p->item, field.p));
    if (!json_object_is_type(value, json_type_object))
        return NULL;
    place = json_object_new_object();
    json_object_object_foreach(value, name, v) if (!is_said(p, str_of(name)))
        json_object_object_add(place, name, json_object_get(v));
    return place;
}

static void set_place(const struct label_part *p, struct json_object *item, struct json_object *to)
{
    struct json_object *value = json_object_new_object();
    struct json_object *said = member_of(member_of(item, "value"), p->said_key.p);

    if (to) {
        json_object_object_foreach(to, name, v)
            json_object_object_add(value, name, json_object_get(v));
    }
    if (said)
        json_object_object_add(value, p->said_key.p, json_object_get(said));
    json_object_object_add(item, "value", value);
}

void part_set_field(const struct label_part *p, struct json_object *item, struct str field,
    struct json_object *value)
{
    struct json_object *o = item;

    if (is_said(p, field)) {
        if (!json_object_is_type(member_of(item, "value"), json_type_object))
            json_object_object_add(item, "value", json_object_new_object());
        o = member_of(item, "value");
    }
    if (str_is(field, PART_PLACE))
        set_place(p, item, value);
    else if (value)
        json_object_object_add(o, field.p, json_object_get(value));
    else
        json_object_object_del(o, field.p);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static size_t list_fields(struct arena *mem, const struct label_part *p, struct str *out)
{
    size_t n = 0;

    json_object_object_foreach(p->item, name, v)
    {
        (void)v;
        if (!str_is(str_of(name), "value"))
            out[n++] = arena_str(mem, str_of(name));
    }
    out[n++] = STR(PART_PLACE);
    if (p->said_key.n)
        out[n++] = p->said_key;
    return n;
}

struct str *part_fields(
    struct arena *mem, const struct label_part *const *parts, size_t n, size_t *count)
{
    size_t most = 0, all = 0;
    struct str *list;

    for (size_t i = 0; i < n; i++)
        most += parts[i] ? (size_t)json_object_object_length(parts[i]->item) + 2 : 0;
    list = arena_array(mem, most + 1, sizeof(*list));
    for (size_t i = 0; i < n; i++)
        if (parts[i])
            all += list_fields(mem, parts[i], list + all);
    qsort(list, all, sizeof(*list), by_text);
    *count = 0;
    for (size_t i = 0; i < all; i++)
        if (i == 0 || !str_eq(list[i], list[*count - 1]))
            list[(*count)++] = list[i];
    return list;
}

bool part_equal(const struct label_part *a, const struct label_part *b)
{
    struct arena *mem = arena_new();
    bool equal = str_eq(view_canon(mem, a->item), view_canon(mem, b->item));

    arena_free(mem);
    return equal;
}
