/* Owns reading the lists of facts. Never decides a match: that is core/filter. */
#include "core/filter_facts.h"

#include "core/label_check.h"

void filter_facts_slots(struct filter_facts *t, struct json_object *fields)
{
    size_t n = fields ? json_object_array_length(fields) : 0;

    for (size_t i = 0; i < n && i < FILTER_TESTS; i++) {
        struct json_object *v = json_object_array_get_idx(fields, i);
        if (json_object_is_type(v, json_type_string))
            t->slot[i] = (struct filter_value){.kind = FILTER_STRING, .text = json_str(v)};
        else if (v)
            t->slot[i] =
                (struct filter_value){.kind = FILTER_NUMBER, .number = json_object_get_double(v)};
    }
}

void filter_facts_labels(struct filter_facts *t, struct arena *a, struct json_object *labels)
{
    size_t n = labels ? json_object_array_length(labels) : 0;
    struct str *v = arena_array(a, n, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        v[i] = json_str(json_object_array_get_idx(labels, i));
    t->labels = v;
    t->nlabels = n;
}
