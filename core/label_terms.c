/* Owns finding the terms in a label document. Never looks at a label config: what was valid once
 * stays findable. */
#include "core/label_terms.h"

#include <stdlib.h>

#include "core/json_tree.h"

/* Members of an item's value that hold terms: "choices", "taxonomy", and "rectanglelabels",
 * "labels", ... */
static bool holds_terms(struct str key)
{
    static const struct str labels = {"labels", 6};

    return str_is(key, "choices") || str_is(key, "taxonomy") ||
           (key.n >= labels.n && str_eq((struct str){key.p + key.n - labels.n, labels.n}, labels));
}

/* A string, or arrays of them (a taxonomy: every step of a path is a term). */
static void collect(struct json_object *v, struct label_terms *out)
{
    if (json_object_is_type(v, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(v); i++)
            collect(json_object_array_get_idx(v, i), out);
        return;
    }
    if (!json_object_is_type(v, json_type_string) || out->n == LABEL_TERMS_MAX)
        return;
    struct str s = {json_object_get_string(v), (size_t)json_object_get_string_len(v)};
    if (s.n >= 1 && s.n <= LABEL_TERM_BYTES)
        out->v[out->n++] = s;
}

static void collect_members(struct json_object *o, struct label_terms *out)
{
    if (!json_object_is_type(o, json_type_object))
        return;
    json_object_object_foreach(o, key, v)
    {
        if (holds_terms(str_of(key)))
            collect(v, out);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Sorts, drops what is equal, and makes the rest the arena's own. */
static void settle(struct arena *a, struct label_terms *out)
{
    size_t n = 0;

    qsort(out->v, out->n, sizeof(*out->v), by_bytes);
    for (size_t i = 0; i < out->n; i++)
        if (i == 0 || !str_eq(out->v[i], out->v[n - 1]))
            out->v[n++] = out->v[i];
    for (size_t i = 0; i < n; i++)
        out->v[i] = arena_str(a, out->v[i]);
    out->n = n;
}

enum err label_terms_read(struct str document, struct arena *a, struct label_terms *out)
{
    struct json_object *items, *value;

    *out = (struct label_terms){arena_array(a, LABEL_TERMS_MAX, sizeof(*out->v)), 0};
    enum err e = json_tree_parse(document, JSON_DEPTH_MAX, &items, NULL);
    if (e)
        return e;
    if (!json_object_is_type(items, json_type_array))
        e = ERR_BAD_JSON;
    for (size_t i = 0; !e && i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);
        collect_members(item, out); /* the labels of a relation stand beside its value */
        if (json_object_object_get_ex(item, "value", &value))
            collect_members(value, out);
    }
    settle(a, out);
    json_object_put(items);
    return e;
}
