/* Owns the merged document: it lays down what the plan decided, item by item. */
#include <stdio.h>
#include <stdlib.h>

#include "core/canon.h"
#include "core/label_check.h"
#include "core/merge_plan.h"

static struct json_object *new_str(struct str s)
{
    return json_object_new_string_len(s.p, (int)s.n);
}

static const struct label_type *type_of(struct json_object *item)
{
    return label_type_find(member_str(item, "type"));
}

/* The items that say where the clusters lie, from the document each cluster follows. */
static void plan_regions(struct merge_plan *p, size_t doc)
{
    const struct label_view *v = p->set->views[doc];

    for (size_t i = 0; i < json_object_array_length(v->doc); i++) {
        struct json_object *item = json_object_array_get_idx(v->doc, i);
        const struct label_type *type = type_of(item);
        size_t region = label_view_find(v, member_str(item, "id"));
        if (region == VIEW_NONE || !type || type->role != LABEL_REGION)
            continue;
        const struct cluster *c = &p->clusters[p->cluster_of[doc][region]];
        p->items[doc][i] = (struct planned){.emit = c->keep && c->first == doc, .about = c};
    }
}

/* A copy of an item with the merged id, place and words; NULL: out of memory. */
static struct json_object *copy_item(
    struct merge_plan *p, struct json_object *item, const struct planned *plan)
{
    struct json_object *copy = NULL, *value;
    const struct label_type *type = type_of(item);

    if (json_object_deep_copy(item, &copy, NULL))
        return NULL;
    value = member_of(copy, "value");
    if (plan->about && plan->about->place) {
        json_object_object_foreach(plan->about->place, member, number) if (member_of(value, member))
            json_object_object_add(value, member, json_object_get(number));
    }
    if (plan->said && type && type->key)
        json_object_object_add(value, type->key, json_object_get(plan->said));
    json_object_object_add(
        copy, "id", new_str(plan->about ? plan->about->id : merge_id(p, member_str(item, "id"))));
    return copy;
}

static enum err add_items(struct merge_plan *p, size_t doc, struct json_object *out)
{
    struct json_object *items = p->set->views[doc]->doc;

    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *copy;
        if (!p->items[doc][i].emit)
            continue;
        copy = copy_item(p, json_object_array_get_idx(items, i), &p->items[doc][i]);
        if (!copy)
            return ERR_NO_MEMORY;
        json_object_array_add(out, copy);
    }
    return ERR_OK;
}

/* ---- relations */

struct tie {
    size_t from, to; /* clusters */
    struct str said;
    size_t rank, at;
};

static int by_ends(const struct tie *a, const struct tie *b)
{
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return str_cmp(a->said, b->said);
}

static int by_tie(const void *pa, const void *pb)
{
    const struct tie *a = pa, *b = pb;
    int order = by_ends(a, b);

    if (order == 0)
        order = (a->rank > b->rank) - (a->rank < b->rank);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

static size_t list_ties(const struct merge_plan *p, struct tie *ties)
{
    size_t n = 0;

    for (size_t rank = 0; rank < p->set->n; rank++) {
        const struct label_view *v = p->set->views[p->order[rank]];
        for (size_t i = 0; i < v->nrelations; i++) {
            const struct view_relation *r = &v->relations[i];
            if (r->from == VIEW_NONE || r->to == VIEW_NONE)
                continue;
            size_t from = p->cluster_of[p->order[rank]][r->from];
            size_t to = p->cluster_of[p->order[rank]][r->to];
            if (p->clusters[from].keep && p->clusters[to].keep)
                ties[n++] = (struct tie){from, to, r->said, rank, r->at};
        }
    }
    qsort(ties, n, sizeof(*ties), by_tie);
    return n;
}

static enum err add_relation(
    const struct merge_plan *p, const struct tie *t, struct json_object *out)
{
    struct json_object *copy = NULL;
    const struct label_view *v = p->set->views[p->order[t->rank]];

    if (json_object_deep_copy(json_object_array_get_idx(v->doc, t->at), &copy, NULL))
        return ERR_NO_MEMORY;
    json_object_object_add(copy, "from_id", new_str(p->clusters[t->from].id));
    json_object_object_add(copy, "to_id", new_str(p->clusters[t->to].id));
    json_object_array_add(out, copy);
    return ERR_OK;
}

static enum err add_relations(struct merge_plan *p, struct json_object *out)
{
    struct tie *ties;
    size_t most = 1, n;
    enum err e = ERR_OK;

    for (size_t i = 0; i < p->set->n; i++)
        most += p->set->views[i]->nrelations;
    ties = arena_array(p->set->arena, most, sizeof(*ties));
    n = list_ties(p, ties);
    for (size_t i = 0, end; i < n && !e; i = end) {
        size_t people = 1;
        for (end = i + 1; end < n && by_ends(&ties[i], &ties[end]) == 0; end++)
            people += ties[end].rank != ties[end - 1].rank;
        if (merge_majority(people, p->set->n, ties[i].rank == 0))
            e = add_relation(p, &ties[i], out);
    }
    return e;
}

/* ---- */

static enum err merge_set(struct agreement_set *s, size_t majority, struct buf *out)
{
    struct json_object *merged = json_object_new_array();
    struct merge_plan p = {.set = s,
        .order = {majority},
        .ids = json_object_new_object(),
        .kept = json_object_new_array()};
    enum err e = ERR_OK;

    for (size_t i = 0, n = 1; i < s->n; i++)
        if (i != majority)
            p.order[n++] = i;
    for (size_t i = 0; i < s->n; i++)
        p.items[i] = arena_array(
            s->arena, json_object_array_length(s->views[i]->doc) + 1, sizeof(struct planned));
    merge_regions(&p);
    for (size_t i = 0; i < s->n; i++)
        plan_regions(&p, i);
    merge_answers(&p);
    for (size_t i = 0; i < s->n && !e; i++)
        e = add_items(&p, p.order[i], merged);
    if (!e)
        e = add_relations(&p, merged);
    if (!e)
        e = canon_value(merged, out);
    json_object_put(merged);
    json_object_put(p.ids);
    json_object_put(p.kept);
    return e;
}

enum err agreement_merge(const struct str *docs, size_t n, const struct agreement_metric *metric,
    size_t majority, struct buf *out_canonical)
{
    struct agreement_set s;
    enum err e;

    BUG_ON(majority >= n);
    if (!metric->counts || n == 1)
        return canon_text(docs[majority], JSON_DEPTH_MAX, out_canonical, NULL);
    e = agreement_set_new(docs, n, true, &s);
    if (e)
        return e;
    e = merge_set(&s, majority, out_canonical);
    agreement_set_release(&s);
    return e;
}
