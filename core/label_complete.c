/* Owns what a finished document must hold as a whole: required answers, where their questions are
 * shown (visibleWhen), and how often a label may be used (maxUsages). Never looks into a value
 * beyond what was said: label_value.c has. An answer to a question that is not shown is kept. */
#include "core/label_entries.h"

/* All items of one id, side by side in the list; none: the whole document is looked at. */
struct region {
    const struct label_entry *first;
    size_t n;
};

static bool in_list(struct str list, struct str value)
{
    struct str part;

    while (str_split(&list, ',', &part))
        if (str_eq(str_trim(part), value))
            return true;
    return false;
}

static struct json_object *said_of(const struct label_entries *d, const struct label_entry *e)
{
    struct json_object *item = json_object_array_get_idx(d->items, e->at);

    return e->type->key ? member_of(member_of(item, "value"), e->type->key) : NULL;
}

/* Whether one of what the item says is in the list; of a path its last step counts. */
static bool says_one_of(const struct label_entries *d, const struct label_entry *e, struct str list)
{
    struct json_object *said = said_of(d, e);

    if (list.n == 0)
        return true;
    if (!json_object_is_type(said, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(said); i++) {
        struct json_object *v = json_object_array_get_idx(said, i);
        if (json_object_is_type(v, json_type_array))
            v = json_object_array_get_idx(v, json_object_array_length(v) - 1);
        if (json_object_is_type(v, json_type_string) && in_list(list, json_str(v)))
            return true;
    }
    return false;
}

/* The control of that name, as the config writes it. */
static const struct label_control *named(const struct label_check *c, struct str name)
{
    for (const struct label_control *at = c->config->controls; at; at = at->next)
        if (str_eq(at->name.text, name))
            return at;
    return label_control_find(c->config, name);
}

/* Whether one of the items comes from the control (NULL: any that fits) and says one of the list.
 */
static bool has_said(const struct label_entries *d, struct region items,
    const struct label_control *from, struct str list)
{
    for (size_t i = 0; i < items.n; i++)
        if ((!from || items.first[i].control == from) && says_one_of(d, &items.first[i], list))
            return true;
    return false;
}

/* A question about one region that depends on another about regions looks at the same region. */
static bool is_of_region(const struct label_check *c, const struct label_condition *when)
{
    const struct label_control *of;

    if (when->when != SHOWN_CHOICE && when->when != SHOWN_NO_CHOICE)
        return true;
    of = named(c, when->tag);
    return of && of->per_region;
}

static bool is_chosen(const struct label_check *c, const struct label_entries *d,
    struct region region, const struct label_condition *when)
{
    const struct label_control *of = named(c, when->tag);
    struct region all = {d->v, d->n};

    return of && has_said(d, region.n && of->per_region ? region : all, of, when->choices);
}

static bool is_marked(const struct label_check *c, const struct label_entries *d,
    struct region region, const struct label_condition *when)
{
    const struct label_control *of = named(c, when->tag);

    return when->tag.n && !of ? false : has_said(d, region, of, when->labels);
}

static bool holds(const struct label_check *c, const struct label_entries *d, struct region region,
    const struct label_condition *when)
{
    switch (when->when) {
    case SHOWN_REGION:
        return region.n && is_marked(c, d, region, when);
    case SHOWN_NO_REGION:
        return region.n == 0;
    case SHOWN_CHOICE:
        return is_chosen(c, d, region, when);
    case SHOWN_NO_CHOICE:
        return !is_chosen(c, d, region, when);
    case SHOWN_ON:
        break;
    }
    return region.n == 0 || is_marked(c, d, region, when);
}

/* What the conditions say that look at one region, or those that do not. */
static bool is_shown(const struct label_check *c, const struct label_entries *d,
    const struct label_control *control, struct region region, bool of_region)
{
    for (const struct label_condition *when = control->shown; when; when = when->next)
        if (is_of_region(c, when) == of_region && !holds(c, d, region, when))
            return false;
    return true;
}

/* ---- required */

static bool fail_required(struct label_check *c, const struct label_control *control)
{
    struct str text = label_attr(&control->attrs, "requiredMessage");

    if (text.n)
        return check_fail(c, NULL, "%.*s", STR_FMT(text));
    return check_fail(c, NULL, "<%.*s name=\"%.*s\"> is required", STR_FMT(control->type),
        STR_FMT(control->name.text));
}

static bool asked_of(const struct label_control *control, const struct label_entry *region)
{
    if (region->type->role != LABEL_REGION)
        return false;
    for (const struct label_target *t = control->to; t; t = t->next)
        if (t->object == region->object)
            return true;
    return false;
}

/* Every region on the control's object has an item of it. */
static bool required_of_regions(
    struct label_check *c, const struct label_entries *d, const struct label_control *control)
{
    if (!is_shown(c, d, control, (struct region){0}, false))
        return true;
    for (size_t i = 0; i < d->n;) {
        struct region r = {&d->v[i], 0};
        const struct label_entry *asked = NULL;
        bool said = false;
        for (; i < d->n && str_eq(d->v[i].id, r.first->id); i++, r.n++) {
            if (asked_of(control, &d->v[i]))
                asked = &d->v[i];
            said |= d->v[i].control == control;
        }
        if (asked && !said && is_shown(c, d, control, r, true)) {
            label_look_at(c, d, asked);
            return fail_required(c, control);
        }
    }
    return true;
}

/* How many pictures a list shows; 0: not known. */
static size_t pictures(const struct label_check *c, const struct label_object *object)
{
    struct json_object *list = label_data_of(c, object);

    return object->list && json_object_is_type(list, json_type_array)
               ? json_object_array_length(list)
               : 0;
}

static bool is_answered(
    const struct label_entries *d, const struct label_control *control, size_t picture, bool any)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].control == control && (any || d->v[i].item_index == (int64_t)picture))
            return true;
    return false;
}

static bool required_of_whole(
    struct label_check *c, const struct label_entries *d, const struct label_control *control)
{
    size_t n = control->per_item && control->to ? pictures(c, control->to->object) : 0;
    size_t at = 0;

    for (int of_region = 0; of_region < 2; of_region++)
        if (!is_shown(c, d, control, (struct region){0}, of_region))
            return true;
    while (at < n && is_answered(d, control, at, false))
        at++;
    if (n ? at == n : is_answered(d, control, 0, true))
        return true;
    check_up(c, 0);
    check_down(c, "result");
    c->item = NULL;
    if (n == 0)
        return fail_required(c, control);
    return check_fail(c, NULL,
        "<%.*s name=\"%.*s\"> is required of each picture; that with "
        "item_index %zu has none",
        STR_FMT(control->type), STR_FMT(control->name.text), at);
}

static bool check_required(struct label_check *c, const struct label_entries *d)
{
    for (const struct label_control *at = c->config->controls; at; at = at->next)
        if (at->required &&
            !(at->per_region ? required_of_regions(c, d, at) : required_of_whole(c, d, at)))
            return false;
    return true;
}

/* ---- maxUsages */

/* The most that the label, or else its control, allows; 0: any number. */
static int64_t most(const struct label_control *control, const struct label_value *v)
{
    int64_t n;
    struct str own = label_attr(&v->attrs, "maxUsages");

    if (!str_int(own.n ? own : label_attr(&control->attrs, "maxUsages"), &n))
        return 0;
    return n > 0 ? n : 0;
}

static bool is_limited(const struct label_control *control)
{
    for (const struct label_value *v = control->values; v; v = v->next)
        if (most(control, v))
            return true;
    return false;
}

/* Counts what one item says of the control's values. */
static bool count_item(struct label_check *c, const struct label_entries *d,
    const struct label_control *control, const struct label_entry *e, int64_t *used)
{
    struct json_object *said = said_of(d, e);

    for (size_t i = 0; said && i < json_object_array_length(said); i++) {
        struct json_object *v = json_object_array_get_idx(said, i);
        const struct label_value *value;
        if (json_object_is_type(v, json_type_array)) /* a path: its last step is what was chosen */
            v = json_object_array_get_idx(v, json_object_array_length(v) - 1);
        value = label_value_any(control, json_str(v));
        if (!value || most(control, value) == 0 || ++used[value->index] <= most(control, value))
            continue;
        label_look_at(c, d, e);
        check_down(c, "value");
        check_down(c, e->type->key);
        check_down_at(c, i);
        return check_fail(c, NULL, "\"%.*s\" is used more often than %lld times (maxUsages)",
            STR_FMT(value->value), (long long)most(control, value));
    }
    return true;
}

/* An item that borrows labels of a <Labels> on its object uses them up, too. */
static bool draws_on(const struct label_control *control, const struct label_entry *e)
{
    if (e->control == control)
        return true;
    return e->control->nvalues == 0 && e->type->role == LABEL_REGION && asked_of(control, e);
}

static bool check_usages(struct label_check *c, const struct label_entries *d)
{
    for (const struct label_control *at = c->config->controls; at; at = at->next) {
        int64_t *used;
        bool ok = true;
        if (!is_limited(at))
            continue;
        used = arena_array(c->scratch, at->nvalues, sizeof(*used));
        for (size_t i = 0; i < d->n && ok; i++)
            if (draws_on(at, &d->v[i]) &&
                json_object_is_type(said_of(d, &d->v[i]), json_type_array))
                ok = count_item(c, d, at, &d->v[i], used);
        if (!ok)
            return false;
    }
    return true;
}

bool label_complete(struct label_check *c, const struct label_entries *d)
{
    return check_required(c, d) && check_usages(c, d);
}
