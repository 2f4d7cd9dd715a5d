/* Owns the numbering of labels. */
#include "formats/classes.h"

#include <stdlib.h>

#include "core/label_check.h"

/* A label of the config on its way to its number. */
struct candidate {
    struct str name;
    int64_t category; /* INT64_MAX: it has none */
    size_t at;
};

static void grow(struct classes *c)
{
    size_t cap = c->cap ? c->cap * 2 : 64;
    struct str *names = arena_array(c->arena, cap, sizeof(*names));

    for (size_t i = 0; i < c->n; i++)
        names[i] = c->names[i];
    c->names = names;
    c->cap = cap;
    lookup_init(&c->numbers, c->arena, cap);
    for (size_t i = 0; i < c->n; i++)
        lookup_add(&c->numbers, names[i], i);
}

size_t classes_known(const struct classes *c, struct str label)
{
    return lookup_find(&c->numbers, label);
}

size_t classes_find(struct classes *c, struct str label)
{
    size_t number = classes_known(c, label);

    if (number != SIZE_MAX || c->n == CLASSES_MAX)
        return number;
    if (c->n == c->cap)
        grow(c);
    number = c->n++;
    c->names[number] = arena_str(c->arena, label);
    lookup_add(&c->numbers, c->names[number], number);
    return number;
}

static int by_category(const void *pa, const void *pb)
{
    const struct candidate *a = pa, *b = pb;

    if (a->category != b->category)
        return a->category < b->category ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static const struct label_type *type_of(const struct label_control *control)
{
    char name[64];
    size_t n = control->type.n < sizeof(name) ? control->type.n : 0;

    for (size_t i = 0; i < n; i++)
        name[i] = (char)(control->type.p[i] | 0x20); /* ASCII letters only */
    return label_type_find((struct str){name, n});
}

bool classes_of_keypoints(const struct label_control *control)
{
    return str_is(control->type, "KeyPointLabels");
}

bool classes_of_regions(const struct label_control *control)
{
    const struct label_type *type = type_of(control);

    return type && type->role == LABEL_REGION && !classes_of_keypoints(control);
}

bool classes_of_choices(const struct label_control *control)
{
    return str_is(control->type, "Choices") || str_is(control->type, "Taxonomy");
}

void classes_init(struct classes *c, struct arena *a, const struct label_config *config,
    bool (*of)(const struct label_control *control))
{
    struct candidate *all;
    size_t n = 0, total = 0;

    *c = (struct classes){.arena = a};
    grow(c);
    for (const struct label_control *k = config->controls; k; k = k->next)
        total += k->nvalues;
    all = arena_array(a, total + 1, sizeof(*all));
    for (const struct label_control *k = config->controls; k; k = k->next)
        for (const struct label_value *v = of(k) ? k->values : NULL; v; v = v->next) {
            all[n] = (struct candidate){v->value, INT64_MAX, n};
            if (!str_int(label_attr(&v->attrs, "category"), &all[n].category))
                all[n].category = INT64_MAX;
            n++;
        }
    qsort(all, n, sizeof(*all), by_category);
    for (size_t i = 0; i < n; i++)
        (void)classes_find(c, all[i].name);
}
