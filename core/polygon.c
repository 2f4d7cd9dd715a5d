/* Owns plane geometry, by cutting the plane into horizontal slabs at every corner and crossing:
 * inside a slab the sides do not cross, so that it falls into trapezoids. Nearly equal heights only
 * make thin slabs; there is no special case to get wrong. */
#include "core/polygon.h"

#include <stdlib.h>

#include "base/err.h"

/* A side that is not level, from its lower end to its upper. */
struct side {
    struct point low, high;
    double at; /* x in the middle of the slab at hand */
    int of;    /* 0: of a, 1: of b */
    int turn;  /* what crossing it from the left adds to the winding number */
};

struct slabs {
    struct side *sides;
    size_t nsides;
    double *heights;
    size_t n, cap;
    struct effort *effort;
};

enum { MAX_HEIGHTS = 1 << 20 };

void polygon_bound(struct polygon *p)
{
    p->low = p->high = p->n ? p->v[0] : (struct point){0, 0};
    for (size_t i = 1; i < p->n; i++) {
        p->low.x = p->v[i].x < p->low.x ? p->v[i].x : p->low.x;
        p->low.y = p->v[i].y < p->low.y ? p->v[i].y : p->low.y;
        p->high.x = p->v[i].x > p->high.x ? p->v[i].x : p->high.x;
        p->high.y = p->v[i].y > p->high.y ? p->v[i].y : p->high.y;
    }
}

bool polygon_equal(const struct polygon *a, const struct polygon *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].x != b->v[i].x || a->v[i].y != b->v[i].y)
            return false;
    return true;
}

struct point polygon_centre(const struct polygon *p)
{
    return (struct point){(p->low.x + p->high.x) / 2, (p->low.y + p->high.y) / 2};
}

static double side_x(const struct side *s, double y)
{
    return s->low.x + (s->high.x - s->low.x) * ((y - s->low.y) / (s->high.y - s->low.y));
}

static void add_sides(struct slabs *s, const struct polygon *p, int of)
{
    for (size_t i = 0; i < p->n; i++) {
        struct point from = p->v[i], to = p->v[i + 1 < p->n ? i + 1 : 0];
        if (from.y < to.y)
            s->sides[s->nsides++] = (struct side){from, to, 0, of, 1};
        else if (from.y > to.y)
            s->sides[s->nsides++] = (struct side){to, from, 0, of, -1};
    }
}

static bool add_height(struct slabs *s, double y)
{
    if (s->n == s->cap) {
        size_t cap = s->cap * 2;
        double *grown = cap <= MAX_HEIGHTS ? realloc(s->heights, cap * sizeof(*grown)) : NULL;
        if (!grown)
            return false;
        s->heights = grown;
        s->cap = cap;
    }
    s->heights[s->n++] = y;
    return true;
}

/* Where two sides cross, if they do: by which of them is on the left at both ends of what they have
 * of height in common. */
static bool add_crossing(struct slabs *s, const struct side *a, const struct side *b)
{
    double low = a->low.y > b->low.y ? a->low.y : b->low.y;
    double high = a->high.y < b->high.y ? a->high.y : b->high.y;
    double first = side_x(a, low) - side_x(b, low), last = side_x(a, high) - side_x(b, high);

    if (!((first < 0 && last > 0) || (first > 0 && last < 0)))
        return true;
    return add_height(s, low + (high - low) * (first / (first - last)));
}

static int by_low(const void *pa, const void *pb)
{
    const struct side *a = pa, *b = pb;

    return (a->low.y > b->low.y) - (a->low.y < b->low.y);
}

static int by_number(const void *pa, const void *pb)
{
    const double *a = pa, *b = pb;

    return (*a > *b) - (*a < *b);
}

static bool find_heights(struct slabs *s)
{
    qsort(s->sides, s->nsides, sizeof(*s->sides), by_low);
    for (size_t i = 0; i < s->nsides; i++) {
        const struct side *a = &s->sides[i];
        size_t j = i + 1;
        if (!add_height(s, a->low.y) || !add_height(s, a->high.y))
            return false;
        for (; j < s->nsides && s->sides[j].low.y < a->high.y; j++)
            if (!effort_spend(s->effort, 1) || !add_crossing(s, a, &s->sides[j]))
                return false;
    }
    qsort(s->heights, s->n, sizeof(*s->heights), by_number);
    return true;
}

/* From left to right; they come nearly sorted from the slab below. */
static void sort_sides(struct side **sides, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct side *one = sides[i];
        size_t j = i;
        for (; j > 0 && sides[j - 1]->at > one->at; j--)
            sides[j] = sides[j - 1];
        sides[j] = one;
    }
}

/* Sums the widths of what is inside along the middle of a slab: exact areas, as sides are straight.
 */
static void add_slab(struct side **sides, size_t n, double height, struct overlap *out)
{
    int winding[2] = {0, 0};

    for (size_t i = 0; i + 1 < n; i++) {
        double area;
        winding[sides[i]->of] += sides[i]->turn;
        area = (sides[i + 1]->at - sides[i]->at) * height;
        if (winding[0])
            out->a += area;
        if (winding[1])
            out->b += area;
        if (winding[0] && winding[1])
            out->both += area;
    }
}

static bool sum_slabs(struct slabs *s, struct side **live, struct overlap *out)
{
    size_t nlive = 0, next = 0;

    for (size_t k = 0; k + 1 < s->n; k++) {
        double low = s->heights[k], high = s->heights[k + 1], middle = low + (high - low) / 2;
        size_t kept = 0;
        if (low == high)
            continue;
        while (next < s->nsides && s->sides[next].low.y <= low)
            live[nlive++] = &s->sides[next++];
        if (!effort_spend(s->effort, nlive))
            return false;
        for (size_t i = 0; i < nlive; i++)
            if (live[i]->high.y >= high)
                live[kept++] = live[i];
        nlive = kept;
        for (size_t i = 0; i < nlive; i++)
            live[i]->at = side_x(live[i], middle);
        sort_sides(live, nlive);
        add_slab(live, nlive, high - low, out);
    }
    return true;
}

bool polygon_overlap(
    const struct polygon *a, const struct polygon *b, struct effort *effort, struct overlap *out)
{
    struct slabs s = {.effort = effort, .cap = 4 * (a->n + b->n) + 1};
    struct side **live = calloc(a->n + b->n + 1, sizeof(struct side *));
    bool ok;

    s.sides = calloc(a->n + b->n + 1, sizeof(*s.sides));
    s.heights = calloc(s.cap, sizeof(*s.heights));
    BUG_ON(!live || !s.sides || !s.heights);
    *out = (struct overlap){0, 0, 0};
    add_sides(&s, a, 0);
    add_sides(&s, b, 1);
    ok = effort_spend(effort, 8 * (s.nsides + 1)) && find_heights(&s) && sum_slabs(&s, live, out);
    free(live);
    free(s.sides);
    free(s.heights);
    return ok;
}

static bool apart(const struct polygon *a, const struct polygon *b)
{
    return a->low.x >= b->high.x || b->low.x >= a->high.x || a->low.y >= b->high.y ||
           b->low.y >= a->high.y;
}

double polygon_iou(const struct polygon *a, const struct polygon *b, struct effort *effort)
{
    struct overlap o;

    if (polygon_equal(a, b))
        return 1;
    if (apart(a, b) || !polygon_overlap(a, b, effort, &o) || o.both <= 0)
        return 0;
    return o.both / (o.a + o.b - o.both);
}
