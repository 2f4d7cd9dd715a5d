/* Owns the difference of two versions. Never judges it. */
#include "core/label_diff.h"

#include "core/canon.h"
#include "core/json_tree.h"
#include "core/label_check.h"
#include "core/label_parts.h"
#include "core/region_match.h"

enum list { ADDED, REMOVED, MOVED, RELABELLED, CHANGED, LINKED, UNLINKED, LISTS };

static const char *const list_names[LISTS] = {
    "added", "removed", "moved", "relabelled", "changed", "linked", "unlinked"};

struct diff {
    struct label_parts before, after;
    struct json_object *out;
    struct effort effort;
};

static struct json_object *new_str(struct str s)
{
    return json_object_new_string_len(s.p, (int)s.n);
}

/* A new entry of a list; `id` empty: without. */
static struct json_object *entry(struct diff *d, enum list list, struct str id)
{
    struct json_object *o = json_object_new_object();

    json_object_array_add(member_of(d->out, list_names[list]), o);
    if (id.n)
        json_object_object_add(o, "id", new_str(id));
    return o;
}

static void add_labels(struct json_object *o, const char *name, const struct view_region *r)
{
    struct json_object *labels = NULL;

    if (json_tree_parse(r->labels, JSON_DEPTH_MAX, &labels, NULL) == ERR_OK)
        json_object_object_add(o, name, labels);
}

/* ---- regions */

static void list_region(struct diff *d, enum list list, const struct label_view *v, size_t region)
{
    const struct view_region *r = &v->regions[region];
    struct json_object *item = json_object_array_get_idx(v->doc, r->at);
    struct json_object *o = entry(d, list, r->id);

    json_object_object_add(o, "type", new_str(member_str(item, "type")));
    add_labels(o, "labels", r);
}

static bool place_equal(
    struct arena *mem, struct json_object *before, struct json_object *after, const char *said_key)
{
    const struct label_part a = {.item = before, .said_key = str_of(said_key)};
    const struct label_part b = {.item = after, .said_key = str_of(said_key)};
    struct json_object *from = part_field(&a, STR(PART_PLACE)),
                       *to = part_field(&b, STR(PART_PLACE));
    bool equal = str_eq(view_canon(mem, from), view_canon(mem, to));

    json_object_put(from);
    json_object_put(to);
    return equal;
}

static void add_shift(
    struct json_object *o, const struct view_region *a, const struct view_region *b)
{
    double first = b->low - a->low, second = b->high - a->high;
    struct json_object *shift = json_object_new_array();

    if (a->kind == VIEW_AREA) {
        struct point from = polygon_centre(&a->area), to = polygon_centre(&b->area);
        first = to.x - from.x;
        second = to.y - from.y;
    }
    json_object_array_add(shift, json_object_new_double(first));
    json_object_array_add(shift, json_object_new_double(second));
    json_object_object_add(o, "shift", shift);
}

static void compare_places(struct diff *d, const struct view_region *a, const struct view_region *b)
{
    struct json_object *before = json_object_array_get_idx(d->before.view->doc, a->at);
    struct json_object *after = json_object_array_get_idx(d->after.view->doc, b->at);
    const struct label_type *type = label_type_find(member_str(before, "type"));
    struct arena *mem = arena_new();
    bool equal = place_equal(mem, before, after, type && type->key ? type->key : "");

    arena_free(mem);
    if (equal)
        return;
    struct json_object *o = entry(d, MOVED, a->id);
    bool measured = a->kind == b->kind && a->kind != VIEW_SAME;
    double likeness = measured ? region_overlap(a, b, &d->effort) : 0;
    json_object_object_add(o, "likeness", json_object_new_double(likeness));
    if (measured)
        add_shift(o, a, b);
}

static void compare_regions(struct diff *d)
{
    const struct label_view *a = d->before.view, *b = d->after.view;

    for (size_t i = 0; i < a->nregions; i++) {
        size_t k = label_view_find(b, a->regions[i].id);
        if (k == VIEW_NONE) {
            list_region(d, REMOVED, a, i);
            continue;
        }
        compare_places(d, &a->regions[i], &b->regions[k]);
        if (!str_eq(a->regions[i].labels, b->regions[k].labels)) {
            struct json_object *o = entry(d, RELABELLED, a->regions[i].id);
            add_labels(o, "before", &a->regions[i]);
            add_labels(o, "after", &b->regions[k]);
        }
    }
    for (size_t i = 0; i < b->nregions; i++)
        if (label_view_find(a, b->regions[i].id) == VIEW_NONE)
            list_region(d, ADDED, b, i);
}

/* ---- fields */

static void list_change(struct diff *d, const struct label_part *p, struct str field,
    struct json_object *before, struct json_object *after)
{
    struct json_object *o = entry(d, CHANGED, p->id);

    json_object_object_add(o, "control", new_str(member_str(p->item, "from_name")));
    json_object_object_add(o, "field", new_str(field));
    json_object_object_add(o, "before", json_object_get(before));
    json_object_object_add(o, "after", json_object_get(after));
}

/* Where a region lies and what it is labelled has been told; items about it repeat its place. */
static bool is_told(const struct diff *d, const struct label_part *p, struct str field)
{
    if (part_field_is_making(field))
        return true;
    if (str_is(field, PART_PLACE))
        return label_view_find(d->before.view, p->id) != VIEW_NONE;
    return p->makes_region && str_eq(field, p->said_key);
}

static void compare_fields(struct diff *d, const struct label_part *a, const struct label_part *b)
{
    const struct label_part *parts[] = {a, b};
    struct arena *mem = arena_new();
    size_t n;
    struct str *fields = part_fields(mem, parts, 2, &n);

    for (size_t i = 0; i < n; i++) {
        struct json_object *before, *after;
        if (is_told(d, a, fields[i]))
            continue;
        before = part_field(a, fields[i]);
        after = part_field(b, fields[i]);
        if (!str_eq(view_canon(mem, before), view_canon(mem, after)))
            list_change(d, a, fields[i], before, after);
        json_object_put(before);
        json_object_put(after);
    }
    arena_free(mem);
}

static void list_link(struct diff *d, enum list list, const struct label_part *p)
{
    struct json_object *o = entry(d, list, STR(""));

    json_object_object_add(o, "from_id", new_str(member_str(p->item, "from_id")));
    json_object_object_add(o, "to_id", new_str(member_str(p->item, "to_id")));
}

/* An item that only one version has. One that makes a region, or is about a region that came or
 * went as a whole, has been told. */
static void list_lone(struct diff *d, const struct label_part *p, bool came)
{
    size_t then = label_view_find(d->before.view, p->id);
    size_t now = label_view_find(d->after.view, p->id);
    struct json_object *said;

    if (p->kind == PART_RELATION) {
        list_link(d, came ? LINKED : UNLINKED, p);
        return;
    }
    if (p->makes_region || (then == VIEW_NONE) != (now == VIEW_NONE))
        return;
    said = part_field(p, p->said_key.n ? p->said_key : STR(PART_PLACE));
    list_change(
        d, p, p->said_key.n ? p->said_key : STR("value"), came ? NULL : said, came ? said : NULL);
    json_object_put(said);
}

static void compare_parts(struct diff *d)
{
    const struct label_parts *a = &d->before, *b = &d->after;

    for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
        int order = i == a->n ? 1 : k == b->n ? -1 : part_cmp(&a->parts[i], &b->parts[k]);
        if (order < 0) {
            list_lone(d, &a->parts[i], false);
        } else if (order > 0) {
            list_lone(d, &b->parts[k], true);
        } else if (a->parts[i].kind != PART_RELATION) {
            compare_fields(d, &a->parts[i], &b->parts[k]);
        } else if (!part_equal(&a->parts[i], &b->parts[k])) {
            list_lone(d, &a->parts[i], false);
            list_lone(d, &b->parts[k], true);
        }
        i += order <= 0;
        k += order >= 0;
    }
}

enum err label_diff(struct str before, struct str after, struct buf *out)
{
    struct diff d = {.out = json_object_new_object(), .effort = {EFFORT_MOST}};
    enum err e = label_parts_new(before, &d.before);

    if (!e)
        e = label_parts_new(after, &d.after);
    if (!e) {
        for (size_t i = 0; i < LISTS; i++)
            json_object_object_add(d.out, list_names[i], json_object_new_array());
        compare_regions(&d);
        compare_parts(&d);
        e = canon_value(d.out, out);
    }
    label_parts_release(&d.before);
    label_parts_release(&d.after);
    json_object_put(d.out);
    return e;
}
