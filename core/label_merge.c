/* Owns the three-way merge. Never decides a conflict: it names it. */
#include "core/label_merge.h"

#include <stdlib.h>

#include "core/canon.h"
#include "core/json_tree.h"
#include "core/label_check.h"
#include "core/label_parts.h"

enum side { BASE, OURS, THEIRS, SIDES };

/* One thing in the three versions, and what becomes of it. */
struct triple {
    const struct label_part *of[SIDES]; /* NULL: not there */
    struct json_object *merged;         /* NULL: dropped */
    size_t at;                          /* in the merged document: ours first, then theirs */
};

struct merge {
    struct arena *mem;
    struct label_parts versions[SIDES];
    struct triple *triples;
    size_t n;
    struct json_object *conflicts;
};

static const struct label_part *any_of(const struct triple *t)
{
    return t->of[BASE] ? t->of[BASE] : t->of[OURS] ? t->of[OURS] : t->of[THEIRS];
}

/* ---- laying the versions side by side */

static void line_up(struct merge *m)
{
    size_t next[SIDES] = {0};

    for (;;) {
        const struct label_part *least = NULL;
        for (size_t i = 0; i < SIDES; i++) {
            const struct label_part *one = &m->versions[i].parts[next[i]];
            if (next[i] < m->versions[i].n && (!least || part_cmp(one, least) < 0))
                least = one;
        }
        if (!least)
            return;
        struct triple *t = &m->triples[m->n++];
        for (size_t i = 0; i < SIDES; i++) {
            const struct label_part *one = &m->versions[i].parts[next[i]];
            if (next[i] < m->versions[i].n && part_cmp(one, least) == 0) {
                t->of[i] = one;
                next[i]++;
            }
        }
        t->at = t->of[OURS] ? t->of[OURS]->at
                            : m->versions[OURS].n + (t->of[THEIRS] ? t->of[THEIRS]->at : 0);
    }
}

/* ---- conflicts */

/* Both sides may have given the same answer an id of their own: the lesser, so that the conflict is
 * the same from either side. */
static struct str id_of(const struct triple *t)
{
    const struct label_part *o = t->of[OURS], *h = t->of[THEIRS];

    if (t->of[BASE] || !o || !h)
        return any_of(t)->id;
    return str_cmp(o->id, h->id) < 0 ? o->id : h->id;
}

static void conflict(struct merge *m, const struct triple *t, struct str id, struct str field,
    struct json_object *const values[SIDES])
{
    static const char *const names[SIDES] = {"base", "ours", "theirs"};
    struct json_object *c = json_object_new_object();
    struct str control = member_str(any_of(t)->item, "from_name");

    json_object_object_add(c, "id", json_object_new_string_len(id.p, (int)id.n));
    json_object_object_add(c, "control", json_object_new_string_len(control.p, (int)control.n));
    json_object_object_add(c, "field", json_object_new_string_len(field.p, (int)field.n));
    for (size_t i = 0; i < SIDES; i++)
        json_object_object_add(c, names[i], json_object_get(values[i]));
    json_object_array_add(m->conflicts, c);
}

static void conflict_items(struct merge *m, const struct triple *t, struct str id, struct str field)
{
    struct json_object *values[SIDES] = {NULL};

    for (size_t i = 0; i < SIDES; i++)
        values[i] = t->of[i] ? t->of[i]->item : NULL;
    conflict(m, t, id, field, values);
}

/* ---- one item */

static struct json_object *copy_of(const struct label_part *p)
{
    struct json_object *copy = NULL;

    BUG_ON(json_object_deep_copy(p->item, &copy, NULL));
    return copy;
}

static bool same(struct arena *mem, struct json_object *a, struct json_object *b)
{
    if (!a || !b)
        return a == b;
    return str_eq(view_canon(mem, a), view_canon(mem, b));
}

static void merge_field(struct merge *m, struct triple *t, struct str field)
{
    struct arena *mem = arena_new();
    struct json_object *v[SIDES] = {NULL};

    for (size_t i = 0; i < SIDES; i++)
        v[i] = t->of[i] ? part_field(t->of[i], field) : NULL;
    if (!same(mem, v[OURS], v[THEIRS]) && !same(mem, v[BASE], v[THEIRS])) {
        if (same(mem, v[BASE], v[OURS]))
            part_set_field(t->of[THEIRS], t->merged, field, v[THEIRS]);
        else if (!part_field_is_making(field))
            conflict(m, t, id_of(t), field, v);
    }
    for (size_t i = 0; i < SIDES; i++)
        json_object_put(v[i]);
    arena_free(mem);
}

static void merge_fields(struct merge *m, struct triple *t)
{
    struct arena *mem = arena_new();
    size_t n;
    struct str *fields = part_fields(mem, t->of, SIDES, &n);

    t->merged = copy_of(t->of[OURS]);
    for (size_t i = 0; i < n; i++)
        merge_field(m, t, fields[i]);
    arena_free(mem);
}

/* What only one side has: added by it, or removed by the other. */
static void merge_item(struct merge *m, struct triple *t)
{
    const struct label_part *one = t->of[OURS] ? t->of[OURS] : t->of[THEIRS];

    if (t->of[OURS] && t->of[THEIRS]) {
        merge_fields(m, t);
        return;
    }
    if (!one || (t->of[BASE] && part_equal(t->of[BASE], one)))
        return;
    t->merged = copy_of(one);
    if (t->of[BASE])
        conflict_items(m, t, one->id, STR("item"));
}

/* ---- the items of one region */

static bool has(const struct triple *t, size_t n, enum side side)
{
    for (size_t i = 0; i < n; i++)
        if (t[i].of[side])
            return true;
    return false;
}

/* One side removed the region. If the other did not touch it, it is gone; else all that the other
 * has of it stays. */
static void merge_removed(struct merge *m, struct triple *t, size_t n, enum side keeper)
{
    bool touched = false;

    for (size_t i = 0; i < n && !touched; i++)
        touched = !t[i].of[BASE] || !t[i].of[keeper] || !part_equal(t[i].of[BASE], t[i].of[keeper]);
    if (!touched)
        return;
    for (size_t i = 0; i < n; i++)
        if (t[i].of[keeper])
            t[i].merged = copy_of(t[i].of[keeper]);
    conflict_items(m, t, any_of(t)->id, STR("region"));
}

/* Items about a region repeat its place. One that a side added goes where the region is now. */
static void follow_region(struct triple *t, size_t n)
{
    struct json_object *place = NULL;

    for (size_t i = 0; i < n && !place; i++)
        if (t[i].merged && any_of(&t[i])->makes_region)
            place = member_of(t[i].merged, "value");
    for (size_t i = 0; i < n && json_object_is_type(place, json_type_object); i++) {
        const struct label_part *added = t[i].of[OURS] ? t[i].of[OURS] : t[i].of[THEIRS];
        bool one_side = !t[i].of[OURS] != !t[i].of[THEIRS];
        if (!t[i].merged || t[i].of[BASE] || !one_side || added->makes_region)
            continue;
        struct json_object *value = member_of(t[i].merged, "value");
        json_object_object_foreach(
            place, name, v) if (!str_is(added->said_key, name) && member_of(value, name))
            json_object_object_add(value, name, json_object_get(v));
    }
}

static void merge_region(struct merge *m, struct triple *t, size_t n)
{
    bool ours = has(t, n, OURS), theirs = has(t, n, THEIRS);

    if (has(t, n, BASE) && ours != theirs) {
        merge_removed(m, t, n, ours ? OURS : THEIRS);
        return;
    }
    for (size_t i = 0; i < n; i++)
        merge_item(m, &t[i]);
    follow_region(t, n);
}

static bool one_region(const struct triple *a, const struct triple *b)
{
    return any_of(a)->kind == PART_ITEM && any_of(b)->kind == PART_ITEM &&
           str_eq(any_of(a)->id, any_of(b)->id);
}

/* ---- the document */

static int by_place(const void *pa, const void *pb)
{
    const struct triple *a = pa, *b = pb;

    return (a->at > b->at) - (a->at < b->at);
}

/* A relation needs both of its ends. */
static bool closed(struct merge *m, const struct triple *t, struct json_object *ids)
{
    static const char *const ends[] = {"from_id", "to_id"};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct str id = member_str(t->merged, ends[i]);
        if (json_object_object_get_ex(ids, id.p, NULL))
            continue;
        conflict_items(m, t, id, STR("relation"));
        return false;
    }
    return true;
}

static enum err write_merged(struct merge *m, struct buf *out)
{
    struct json_object *list = json_object_new_array(), *ids = json_object_new_object();
    enum err e;

    qsort(m->triples, m->n, sizeof(*m->triples), by_place);
    for (size_t i = 0; i < m->n; i++)
        if (m->triples[i].merged && any_of(&m->triples[i])->kind != PART_RELATION)
            json_object_object_add(ids, member_str(m->triples[i].merged, "id").p, NULL);
    for (size_t i = 0; i < m->n; i++) {
        struct triple *t = &m->triples[i];
        if (t->merged && (any_of(t)->kind != PART_RELATION || closed(m, t, ids)))
            json_object_array_add(list, json_object_get(t->merged));
    }
    e = canon_value(list, out);
    json_object_put(list);
    json_object_put(ids);
    return e;
}

static enum err merge_versions(struct merge *m, struct buf *merged)
{
    size_t most = 1;

    for (size_t i = 0; i < SIDES; i++)
        most += m->versions[i].n;
    m->triples = arena_array(m->mem, most, sizeof(*m->triples));
    line_up(m);
    for (size_t i = 0, end; i < m->n; i = end) {
        for (end = i + 1; end < m->n && one_region(&m->triples[i], &m->triples[end]);)
            end++;
        merge_region(m, m->triples + i, end - i);
    }
    enum err e = write_merged(m, merged);
    for (size_t i = 0; i < m->n; i++)
        json_object_put(m->triples[i].merged);
    return e;
}

enum err label_merge(struct str base, struct str ours, struct str theirs, struct buf *merged,
    struct buf *conflicts, size_t *nconflicts)
{
    struct merge m = {.mem = arena_new(), .conflicts = json_object_new_array()};
    const struct str texts[SIDES] = {base, ours, theirs};
    enum err e = ERR_OK;

    for (size_t i = 0; i < SIDES && !e; i++)
        e = label_parts_new(texts[i], &m.versions[i]);
    if (!e && (str_eq(ours, theirs) || str_eq(base, theirs)))
        e = canon_text(ours, JSON_DEPTH_MAX, merged, NULL);
    else if (!e && str_eq(base, ours))
        e = canon_text(theirs, JSON_DEPTH_MAX, merged, NULL);
    else if (!e)
        e = merge_versions(&m, merged);
    if (!e)
        e = canon_value(m.conflicts, conflicts);
    *nconflicts = json_object_array_length(m.conflicts);
    for (size_t i = 0; i < SIDES; i++)
        label_parts_release(&m.versions[i]);
    json_object_put(m.conflicts);
    arena_free(m.mem);
    return e;
}
