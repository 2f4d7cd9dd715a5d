/* Owns the matching of regions: which may be the same at all (a sweep over where they begin), and
 * how alike they are. */
#include "core/region_match.h"

#include <math.h>
#include <stdlib.h>

#include "core/label_check.h"

/* An edge costs its sorting, so many steps. */
enum { MAX_EDGES = 1 << 20, EDGES_FIRST = 256, EDGE_STEPS = 64 };

/* What the number of matches is worth against the sum of their likenesses, for strict kinds: with
 * as few as MATCH_HUNGARIAN_MAX at a time one match more always weighs more. */
#define LIKENESS_SHARE (1.0 / 1024)

struct side {
    const struct view_region *region;
    uint32_t index;
    bool of_b;
};

struct sweep {
    struct arena *mem;
    const bool *strict;
    struct effort *effort;
    struct match_edge *edges;
    size_t n, cap;
};

/* ---- likeness */

static double span_likeness(const struct view_region *a, const struct view_region *b)
{
    double overlap = fmin(a->high, b->high) - fmax(a->low, b->low);
    double lengths = a->high - a->low + b->high - b->low;

    if (a->low == b->low && a->high == b->high)
        return 1;
    return overlap > 0 ? 2 * overlap / lengths : 0;
}

/* How far off the ends of two segments may be. */
static double collar(const struct view_region *r)
{
    return r->frames ? REGION_COLLAR_FRAMES : REGION_COLLAR;
}

static bool within_collar(const struct view_region *a, const struct view_region *b)
{
    double most = collar(a) + LABEL_EPSILON;

    return fabs(a->low - b->low) <= most && fabs(a->high - b->high) <= most;
}

double region_likeness(
    const struct view_region *a, const struct view_region *b, struct effort *effort)
{
    if (a->kind != b->kind)
        return 0;
    switch (a->kind) {
    case VIEW_AREA:
        return polygon_iou(&a->area, &b->area, effort);
    case VIEW_SPAN:
        return span_likeness(a, b);
    case VIEW_SEGMENT:
        return within_collar(a, b);
    default:
        return sha256_eq(a->same, b->same);
    }
}

double region_overlap(
    const struct view_region *a, const struct view_region *b, struct effort *effort)
{
    bool segments = a->kind == VIEW_SEGMENT && b->kind == VIEW_SEGMENT;

    return segments ? span_likeness(a, b) : region_likeness(a, b, effort);
}

/* 0: they are not to be matched. */
static double weight(
    const struct sweep *s, const struct view_region *a, const struct view_region *b)
{
    static const double same_one[VIEW_KINDS] = {[VIEW_AREA] = REGION_IOU, [VIEW_SPAN] = 1};
    double likeness = region_likeness(a, b, s->effort);

    if (a->kind == VIEW_SEGMENT && likeness > 0) /* the nearer of several */
        return 1 + LIKENESS_SHARE * span_likeness(a, b);
    if (!s->strict[a->kind])
        return likeness;
    return likeness > 0 && likeness >= same_one[a->kind] ? 1 + LIKENESS_SHARE * likeness : 0;
}

/* ---- which may be the same */

static int order_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* 0: regions of one group, which may be the same one. */
static int by_group(const struct view_region *a, const struct view_region *b)
{
    int order = order_int(a->kind, b->kind);

    order = order ? order : str_cmp(a->from, b->from);
    order = order ? order : str_cmp(a->to, b->to);
    order = order ? order : order_int(a->index, b->index);
    order = order ? order : order_int(a->channel, b->channel);
    order = order ? order : str_cmp(a->labels, b->labels);
    if (order == 0 && a->kind == VIEW_SAME)
        order = memcmp(&a->same, &b->same, sizeof(a->same));
    return order;
}

static int by_sweep(const void *pa, const void *pb)
{
    const struct side *a = pa, *b = pb;
    int order = by_group(a->region, b->region);

    if (order == 0)
        order = (a->region->low > b->region->low) - (a->region->low < b->region->low);
    if (order == 0)
        order = a->of_b - b->of_b;
    return order ? order : order_int(a->index, b->index);
}

static void add_edge(struct sweep *s, uint32_t a, uint32_t b, double w)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : EDGES_FIRST;
        struct match_edge *grown = arena_array(s->mem, cap, sizeof(*grown));
        if (s->n)
            memcpy(grown, s->edges, s->n * sizeof(*grown));
        s->edges = grown;
        s->cap = cap;
    }
    s->edges[s->n++] = (struct match_edge){a, b, w};
}

/* Equal regions are paired off in their order. */
static void pair_off(struct sweep *s, const struct side *sides, size_t n)
{
    size_t b = 0;

    while (b < n && !sides[b].of_b)
        b++;
    for (size_t a = 0, i = b; a < b && i < n; a++, i++)
        add_edge(s, sides[a].index, sides[i].index, 1);
}

static double reach(const struct view_region *r)
{
    return r->high + (r->kind == VIEW_SEGMENT ? collar(r) + LABEL_EPSILON : 0);
}

/* Each region meets those of the other side that began before it and still go on. */
static void sweep_group(struct sweep *s, const struct side *sides, size_t n)
{
    struct arena *mem = arena_new();
    const struct side **live[2] = {
        arena_array(mem, n, sizeof(struct side *)), arena_array(mem, n, sizeof(struct side *))};
    size_t nlive[2] = {0, 0};

    for (size_t i = 0; i < n; i++) {
        const struct side *one = &sides[i];
        const struct side **others = live[!one->of_b];
        size_t kept = 0, count = nlive[!one->of_b];
        if (!effort_spend(s->effort, count + 1) || s->n + count > MAX_EDGES)
            break;
        for (size_t k = 0; k < count; k++) {
            const struct side *other = others[k];
            if (reach(other->region) < one->region->low)
                continue;
            others[kept++] = other;
            double w = weight(s, one->region, other->region);
            if (w > 0 && effort_spend(s->effort, EDGE_STEPS))
                add_edge(s, one->of_b ? other->index : one->index,
                    one->of_b ? one->index : other->index, w);
        }
        nlive[!one->of_b] = kept;
        live[one->of_b][nlive[one->of_b]++] = one;
    }
    arena_free(mem);
}

void region_match(struct arena *mem, const struct view_region *const *a, size_t na,
    const struct view_region *const *b, size_t nb, const bool strict[VIEW_KINDS],
    struct effort *effort, struct match *of_a)
{
    struct sweep s = {.mem = mem, .strict = strict, .effort = effort};
    struct side *sides = arena_array(mem, na + nb + 1, sizeof(*sides));

    for (size_t i = 0; i < na; i++)
        sides[i] = (struct side){a[i], (uint32_t)i, false};
    for (size_t i = 0; i < nb; i++)
        sides[na + i] = (struct side){b[i], (uint32_t)i, true};
    qsort(sides, na + nb, sizeof(*sides), by_sweep);
    for (size_t i = 0, end; i < na + nb; i = end) {
        for (end = i + 1; end < na + nb && by_group(sides[i].region, sides[end].region) == 0;)
            end++;
        if (sides[i].region->kind == VIEW_SAME)
            pair_off(&s, sides + i, end - i);
        else
            sweep_group(&s, sides + i, end - i);
    }
    match_best(mem, s.edges, s.n, na, nb, effort, of_a);
}
