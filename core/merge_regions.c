/* Owns the regions of a merge: clusters across documents and the mean of their places. */
#include <math.h>

#include "core/label_check.h"
#include "core/merge_plan.h"
#include "core/view_shape.h"

#define HALF_ALIKE    0.5
#define ROTATION_STEP 1e-6 /* degrees: what sines and arcs lose on the way is cut off */

static struct json_object *item_of(const struct merge_plan *p, size_t doc, size_t at)
{
    return json_object_array_get_idx(p->set->views[doc]->doc, at);
}

static struct json_object *value_of(const struct merge_plan *p, const struct cluster *c, size_t doc)
{
    return member_of(item_of(p, doc, c->members[doc]->at), "value");
}

/* ---- clusters */

/* Each document's regions join the clusters there are, or found new ones. */
static void add_document(struct merge_plan *p, size_t doc)
{
    static const bool strict[VIEW_KINDS] = {[VIEW_AREA] = true};
    const struct label_view *v = p->set->views[doc];
    struct arena *mem = arena_new();
    struct effort effort = {EFFORT_MOST / p->set->n};
    size_t n = p->nclusters;
    const struct view_region **ours = arena_array(mem, n + 1, sizeof(*ours));
    const struct view_region **theirs = arena_array(mem, v->nregions + 1, sizeof(*theirs));
    struct match *found = arena_array(mem, v->nregions + 1, sizeof(*found));

    for (size_t i = 0; i < n; i++)
        ours[i] = p->clusters[i].members[p->clusters[i].first];
    for (size_t i = 0; i < v->nregions; i++)
        theirs[i] = &v->regions[i];
    region_match(mem, theirs, v->nregions, ours, n, strict, &effort, found);
    for (size_t i = 0; i < v->nregions; i++) {
        bool joins = found[i].partner != MATCH_NONE && found[i].weight >= HALF_ALIKE;
        size_t at = joins ? found[i].partner : p->nclusters++;
        struct cluster *c = &p->clusters[at];
        if (!joins)
            c->first = doc;
        c->members[doc] = &v->regions[i];
        c->count++;
        p->cluster_of[doc][i] = at;
    }
    arena_free(mem);
}

static void form_clusters(struct merge_plan *p)
{
    size_t most = 1;

    for (size_t i = 0; i < p->set->n; i++) {
        size_t n = p->set->views[i]->nregions;
        p->cluster_of[i] = arena_array(p->set->arena, n + 1, sizeof(size_t));
        most += n;
    }
    p->clusters = arena_array(p->set->arena, most, sizeof(*p->clusters));
    for (size_t i = 0; i < p->set->n; i++)
        add_document(p, p->order[i]);
}

/* ---- places */

/* The span that most have takes the lead. */
static void lead_most_frequent(const struct merge_plan *p, struct cluster *c)
{
    size_t best = 0, leader = c->first;

    for (size_t i = 0; i < p->set->n; i++) {
        const struct view_region *one = c->members[p->order[i]];
        size_t like = 0;
        for (size_t k = 0; one && k < p->set->n; k++) {
            const struct view_region *other = c->members[k];
            like += other && other->low == one->low && other->high == one->high;
        }
        if (like > best) {
            best = like;
            leader = p->order[i];
        }
    }
    c->first = leader;
}

/* The mean of a member; from the first on, so that equal numbers have themselves as the mean. */
static bool mean_of(
    const struct merge_plan *p, const struct cluster *c, const char *member, double *out)
{
    double first, sum = 0, v;

    if (!is_number(member_of(value_of(p, c, c->first), member), &first))
        return false;
    for (size_t i = 0; i < p->set->n; i++) {
        if (!c->members[i])
            continue;
        if (!is_number(member_of(value_of(p, c, i), member), &v))
            return false;
        sum += v - first;
    }
    *out = first + sum / (double)c->count;
    return true;
}

/* The mean direction: 350 and 10 degrees are 0, not 180. */
static double mean_rotation(const struct merge_plan *p, const struct cluster *c)
{
    double first = 0, x = 0, y = 0, v;
    bool equal = true;

    (void)is_number(member_of(value_of(p, c, c->first), "rotation"), &first);
    for (size_t i = 0; i < p->set->n; i++) {
        if (!c->members[i])
            continue;
        v = 0;
        (void)is_number(member_of(value_of(p, c, i), "rotation"), &v);
        equal = equal && v == first;
        x += cos(v * (M_PI / 180));
        y += sin(v * (M_PI / 180));
    }
    if (equal)
        return first;
    v = round(atan2(y, x) * (180 / M_PI) / ROTATION_STEP) * ROTATION_STEP;
    return v < 0 ? v + 360 : fabs(v); /* -0 is 0 */
}

/* The same box can be written in several ways (turned by 90 degrees, its sides exchanged), and the
 * mean of those is another box: then the first stands. */
static bool still_the_same(const struct merge_plan *p, const struct cluster *c)
{
    const struct view_region *first = c->members[c->first];
    struct view_region mean = {0};
    struct json_object *item = NULL;
    struct effort effort = {EFFORT_MOST};
    bool same;

    if (json_object_deep_copy(item_of(p, c->first, first->at), &item, NULL))
        return false;
    json_object_object_foreach(c->place, member, number)
        json_object_object_add(member_of(item, "value"), member, json_object_get(number));
    same = view_shape_read(p->set->arena, item, &mean) &&
           region_likeness(&mean, first, &effort) >= HALF_ALIKE;
    json_object_put(item);
    return same;
}

static void average(struct merge_plan *p, struct cluster *c)
{
    static const char *const members[] = {
        "x", "y", "width", "height", "radiusX", "radiusY", "start", "end"};
    struct json_object *place = json_object_new_object();
    double v;

    json_object_array_add(p->kept, place);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (mean_of(p, c, members[i], &v))
            json_object_object_add(place, members[i], json_object_new_double(v));
    if (member_of(value_of(p, c, c->first), "rotation"))
        json_object_object_add(place, "rotation", json_object_new_double(mean_rotation(p, c)));
    c->place = place;
    if (!still_the_same(p, c))
        c->place = NULL;
}

void merge_regions(struct merge_plan *p)
{
    form_clusters(p);
    for (size_t i = 0; i < p->nclusters; i++) {
        struct cluster *c = &p->clusters[i];
        const struct view_region *first = c->members[c->first];
        c->keep = merge_majority(c->count, p->set->n, c->members[p->order[0]] != NULL);
        if (!c->keep)
            continue;
        c->id = merge_id(p, first->id);
        if (first->kind == VIEW_SPAN)
            lead_most_frequent(p, c);
        else if (c->count > 1 && (first->box || (first->kind == VIEW_SEGMENT && !first->frames)))
            average(p, c);
    }
}
