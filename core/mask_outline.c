/* Owns the way around a mask's parts, along the edges of its pixels. */
#include "core/mask_outline.h"

#include <string.h>

/* The four ways along a grid line: right, down, left, up. */
enum way { RIGHT, DOWN, LEFT, UP };

struct walk {
    const struct mask *mask;
    struct mask seen; /* pixels whose upper edge has been walked along */
    struct arena *arena;
    struct point *v;
    size_t n, cap;
};

static bool inside(const struct walk *w, long x, long y)
{
    return x >= 0 && y >= 0 && x < (long)w->mask->width && y < (long)w->mask->height &&
           mask_get(w->mask, (size_t)x, (size_t)y);
}

static void add_corner(struct walk *w, long x, long y)
{
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 64;
        struct point *v = arena_array(w->arena, cap, sizeof(*v));
        if (w->n)
            memcpy(v, w->v, w->n * sizeof(*v));
        w->v = v;
        w->cap = cap;
    }
    w->v[w->n++] = (struct point){(double)x, (double)y};
}

/* At a corner with the part on the right hand: turn left where the part goes on there, else
 * straight on, else right. Parts that touch at a corner only stay apart. */
static enum way turn(const struct walk *w, long x, long y, enum way way)
{
    static const struct {
        long lx, ly, rx, ry; /* the pixels ahead, on the left and on the right */
    } ahead[] = {[RIGHT] = {0, -1, 0, 0},
        [DOWN] = {0, 0, -1, 0},
        [LEFT] = {-1, 0, -1, -1},
        [UP] = {-1, -1, 0, -1}};
    bool left = inside(w, x + ahead[way].lx, y + ahead[way].ly);
    bool right = inside(w, x + ahead[way].rx, y + ahead[way].ry);

    if (!right)
        return (way + 1) % 4;
    return left ? (enum way)((way + 3) % 4) : way;
}

/* Clockwise around the part whose upper edge begins at the corner (x, y). */
static void walk_around(struct walk *w, long x, long y)
{
    static const long dx[] = {1, 0, -1, 0}, dy[] = {0, 1, 0, -1};
    const long from_x = x, from_y = y;
    enum way way = RIGHT, next;

    w->n = w->cap = 0;
    do {
        if (way == RIGHT)
            mask_set(&w->seen, (size_t)x, (size_t)y);
        x += dx[way];
        y += dy[way];
        next = turn(w, x, y, way);
        if (next != way)
            add_corner(w, x, y);
        way = next;
    } while (x != from_x || y != from_y || way != RIGHT);
}

/* Twice the area, positive around a part, negative around a hole. */
static double turning(const struct walk *w)
{
    double sum = 0;

    for (size_t i = 0; i < w->n; i++) {
        struct point a = w->v[i], b = w->v[i + 1 < w->n ? i + 1 : 0];
        sum += a.x * b.y - b.x * a.y;
    }
    return sum;
}

enum err mask_outline(struct arena *a, const struct mask *m, struct mask_parts *out)
{
    struct walk w = {.mask = m, .arena = a};
    enum err e = mask_new(a, m->width, m->height, &w.seen);
    size_t cap = 0;

    *out = (struct mask_parts){0};
    for (size_t y = 0; !e && y < m->height; y++)
        for (size_t x = 0; x < m->width; x++) {
            if (!mask_get(m, x, y) || inside(&w, (long)x, (long)y - 1) || mask_get(&w.seen, x, y))
                continue;
            walk_around(&w, (long)x, (long)y);
            if (turning(&w) < 0) {
                out->holes++;
                continue;
            }
            if (out->n == cap) {
                struct polygon *grown = arena_array(a, cap = cap ? cap * 2 : 8, sizeof(*grown));
                if (out->n)
                    memcpy(grown, out->v, out->n * sizeof(*grown));
                out->v = grown;
            }
            out->v[out->n] = (struct polygon){.v = w.v, .n = w.n};
            polygon_bound(&out->v[out->n++]);
        }
    return e;
}
