/* Owns Label Studio's shorthand for a prediction: a value alone, or a bare answer, in place of the
 * list of result items. Never judges what it writes out: the label document's check does. */
#include "annotate-server/api/task_import.h"

/* Tags that a bare answer can be meant for, the type of the answer, and how it is written. */
static const struct {
    const char *type;
    enum json_type answer;
    bool list;
} singles[] = {
    {"choices", json_type_string, true},
    {"rating", json_type_int, false},
    {"number", json_type_int, false},
    {"number", json_type_double, false},
    {"datetime", json_type_string, false},
};

static struct json_object *text(struct str s)
{
    return json_object_new_string_len(s.p, (int)s.n);
}

static char *type_of(struct arena *a, const struct label_control *c)
{
    char *type = arena_copy(a, c->type.p, c->type.n);

    for (char *p = type; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    return type;
}

/* A list of one item; takes `value`. */
static struct json_object *item_of(
    const struct label_control *c, const char *type, struct json_object *value)
{
    struct json_object *item = json_object_new_object(), *list = json_object_new_array();

    json_object_object_add(item, "from_name", text(c->name.text));
    json_object_object_add(item, "to_name", text(c->to->object->name.text));
    json_object_object_add(item, "type", json_object_new_string(type));
    json_object_object_add(item, "value", value);
    json_object_array_add(list, item);
    return list;
}

static struct json_object *answer_of(size_t single, struct json_object *answer)
{
    struct json_object *value = json_object_new_object(), *list;

    if (!singles[single].list) {
        json_object_object_add(value, singles[single].type, json_object_get(answer));
        return value;
    }
    list = json_object_new_array();
    json_object_array_add(list, json_object_get(answer));
    json_object_object_add(value, singles[single].type, list);
    return value;
}

struct json_object *import_expand(
    const struct label_config *config, struct arena *a, struct json_object *result)
{
    bool object = json_object_is_type(result, json_type_object);

    for (const struct label_control *c = config->controls; c; c = c->next) {
        const char *type = type_of(a, c);
        if (!c->to || c->name.indexed)
            continue;
        if (object && json_object_object_get_ex(result, type, NULL))
            return item_of(c, type, json_object_get(result));
        for (size_t i = 0; !object && i < ARRAY_LEN(singles); i++)
            if (strcmp(type, singles[i].type) == 0 &&
                json_object_is_type(result, singles[i].answer))
                return item_of(c, type, answer_of(i, result));
    }
    return NULL;
}
