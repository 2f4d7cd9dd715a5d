/* Owns whose a key point is. */
#include "formats/keypoints.h"

struct extent {
    struct point low, high;
    bool known;
};

/* The upright boxes of what can have key points, each measured once. What has no label is not
 * written, and so has none. */
static struct extent *measure(struct arena *a, const struct picture *picture)
{
    struct extent *all = arena_array(a, picture->nshapes + 1, sizeof(*all));

    for (size_t i = 0; i < picture->nshapes; i++) {
        const struct shape *s = picture->shapes[i];
        struct arena *scratch = arena_new(); /* a mask is large */
        if (s->nlabels && s->kind != SHAPE_POINT && s->kind != SHAPE_LINE)
            all[i].known = shape_bound(scratch, s, &all[i].low, &all[i].high);
        arena_free(scratch);
    }
    return all;
}

static bool around(const struct extent *e, const struct shape *point)
{
    return point->x >= e->low.x && point->x <= e->high.x && point->y >= e->low.y &&
           point->y <= e->high.y;
}

static const struct shape *owner_of(
    const struct picture *picture, const struct extent *all, const struct shape *point)
{
    const struct shape *best = NULL, *within = point->within;
    double least = 0;

    if (point->parent.n)
        return within && within->place < picture->nshapes &&
                       picture->shapes[within->place] == within && all[within->place].known
                   ? within
                   : NULL;
    for (size_t i = 0; i < picture->nshapes; i++) {
        const struct shape *s = picture->shapes[i];
        if (!all[i].known || !around(&all[i], point))
            continue;
        double area = (all[i].high.x - all[i].low.x) * (all[i].high.y - all[i].low.y);
        if (!best || area < least)
            best = s, least = area;
    }
    return best;
}

const struct shape **keypoints_owners(
    struct exporter *x, struct arena *a, const struct picture *picture)
{
    const struct shape **owners = arena_array(a, picture->nshapes + 1, sizeof(*owners));
    struct extent *all = NULL;

    for (size_t i = 0; i < picture->nshapes; i++) {
        const struct shape *s = picture->shapes[i];
        if (s->kind != SHAPE_POINT)
            continue;
        if (!all)
            all = measure(a, picture);
        owners[i] = s->nlabels ? owner_of(picture, all, s) : NULL;
        if (!owners[i])
            picture_lost(x, s);
    }
    return owners;
}

size_t keypoints_collect(struct exporter *x, const struct picture *picture,
    const struct shape *const *owners, const struct shape *owner, const struct classes *names,
    const struct shape **points)
{
    size_t found = 0;

    for (size_t i = 0; i < picture->nshapes; i++) {
        const struct shape *s = picture->shapes[i];
        if (owners[i] != owner)
            continue;
        size_t at = classes_known(names, s->labels[0]);
        for (size_t k = 1; k < s->nlabels; k++)
            export_lost(x, "labels");
        if (at == SIZE_MAX || points[at]) {
            export_lost(x, "keypoints");
            continue;
        }
        points[at] = s;
        found++;
    }
    return found;
}
