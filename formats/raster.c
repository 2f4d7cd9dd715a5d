/* Owns which pixels a shape covers. */
#include "formats/raster.h"

#include <math.h>
#include <stdlib.h>

/* Where an outline crosses the middle of a row. */
struct crossing {
    double x;
    int turn; /* 1 downwards, -1 upwards */
};

/* A side of an outline, from above; a level one crosses nothing. */
struct side {
    struct point high, low;
    int turn;
};

/* A stretch of a mask. */
struct run {
    uint32_t y;
    struct stretch stretch;
};

struct raster {
    const struct shape *shape;
    size_t width, height;
    struct side *sides;         /* of an outline, by where they begin */
    struct side *active;        /* those that the row at hand can cross */
    struct crossing *crossings; /* with them */
    size_t nsides, nactive;
    const struct run *runs; /* of a mask, by row */
    size_t nruns;
    size_t next;         /* side or run that is not looked at yet */
    struct stretch *row; /* as many as a row can have */
};

/* ---- masks */

/* The first pixel from x on whose bit is `set`. */
static size_t seek(const struct mask *m, size_t x, size_t y, bool set)
{
    unsigned char skip = set ? 0 : 0xff;

    while (x < m->width) {
        if (x % 8 == 0 && m->bits[y * m->stride + x / 8] == skip)
            x += 8;
        else if (mask_get(m, x, y) == set)
            return x;
        else
            x++;
    }
    return m->width;
}

/* Counts them when `runs` is NULL. *widest: how many there are in one row at most. */
static size_t find_runs(const struct mask *m, struct run *runs, size_t *widest)
{
    size_t n = 0;

    *widest = 0;
    for (size_t y = 0; y < m->height; y++) {
        size_t before = n;
        for (size_t x = seek(m, 0, y, true), end; x < m->width; x = seek(m, end, y, true)) {
            end = seek(m, x, y, false);
            if (runs)
                runs[n] = (struct run){(uint32_t)y, {(uint32_t)x, (uint32_t)end}};
            n++;
        }
        *widest = n - before > *widest ? n - before : *widest;
    }
    return n;
}

/* The mask's bits go at once; its runs are as many as were drawn. */
static enum err begin_mask(struct arena *a, struct raster *r)
{
    struct arena *scratch = arena_new();
    struct mask m;
    size_t widest = 0;
    enum err e = shape_mask(scratch, r->shape, &m);

    if (!e) {
        r->nruns = find_runs(&m, NULL, &widest);
        struct run *runs = arena_array(a, r->nruns + 1, sizeof(*runs));
        (void)find_runs(&m, runs, &widest);
        r->runs = runs;
        r->row = arena_array(a, widest + 1, sizeof(*r->row));
    }
    arena_free(scratch);
    return e;
}

static size_t mask_row(struct raster *r, size_t y)
{
    size_t n = 0;

    while (r->next < r->nruns && r->runs[r->next].y < y)
        r->next++;
    while (r->next < r->nruns && r->runs[r->next].y == y)
        r->row[n++] = r->runs[r->next++].stretch;
    return n;
}

/* ---- outlines */

/* The pixels whose centres lie from one to the other. */
static bool between(const struct raster *r, double from, double to, struct stretch *out)
{
    double width = (double)r->width, first = ceil(from - 0.5), behind = ceil(to - 0.5);

    first = first > 0 ? first : 0;
    behind = behind < width ? behind : width;
    if (!(first < behind))
        return false;
    *out = (struct stretch){(uint32_t)first, (uint32_t)behind};
    return true;
}

static int by_x(const void *pa, const void *pb)
{
    const struct crossing *a = pa, *b = pb;

    return (a->x > b->x) - (a->x < b->x);
}

static int by_height(const void *pa, const void *pb)
{
    const struct side *a = pa, *b = pb;

    return (a->high.y > b->high.y) - (a->high.y < b->high.y);
}

static void begin_outline(struct arena *a, struct raster *r)
{
    struct polygon p = shape_outline(a, r->shape);

    r->sides = arena_array(a, p.n + 1, sizeof(*r->sides));
    r->active = arena_array(a, p.n + 1, sizeof(*r->active));
    r->crossings = arena_array(a, p.n + 1, sizeof(*r->crossings));
    r->row = arena_array(a, p.n + 1, sizeof(*r->row));
    for (size_t i = 0; i < p.n; i++) {
        struct point from = p.v[i], to = p.v[i + 1 < p.n ? i + 1 : 0];
        if (from.y < to.y)
            r->sides[r->nsides++] = (struct side){from, to, 1};
        else if (from.y > to.y)
            r->sides[r->nsides++] = (struct side){to, from, -1};
    }
    qsort(r->sides, r->nsides, sizeof(*r->sides), by_height);
}

static size_t cross(struct raster *r, double y)
{
    size_t n = 0;

    while (r->next < r->nsides && r->sides[r->next].high.y <= y)
        r->active[r->nactive++] = r->sides[r->next++];
    for (size_t i = 0; i < r->nactive; i++) {
        struct side s = r->active[i];
        if (s.low.y <= y)
            continue;
        r->active[n] = s;
        r->crossings[n++] = (struct crossing){
            s.high.x + (y - s.high.y) / (s.low.y - s.high.y) * (s.low.x - s.high.x), s.turn};
    }
    r->nactive = n;
    qsort(r->crossings, n, sizeof(*r->crossings), by_x);
    return n;
}

static size_t outline_row(struct raster *r, double y)
{
    size_t n = 0, crossings = cross(r, y);
    int turns = 0;

    for (size_t i = 0; i + 1 < crossings; i++) {
        struct stretch one;
        turns += r->crossings[i].turn;
        if (turns == 0 || !between(r, r->crossings[i].x, r->crossings[i + 1].x, &one))
            continue;
        if (n > 0 && r->row[n - 1].to >= one.from)
            r->row[n - 1].to = one.to > r->row[n - 1].to ? one.to : r->row[n - 1].to;
        else
            r->row[n++] = one;
    }
    return n;
}

/* ---- ellipses */

/* A dx² + 2B dx dy + C dy² = 1, solved for dx. */
static size_t ellipse_row(struct raster *r, double y)
{
    const struct shape *s = r->shape;
    double angle = s->rotation * (M_PI / 180), c = cos(angle), n = sin(angle), dy = y - s->y;
    double across = 1 / (s->w * s->w), down = 1 / (s->h * s->h);
    double A = c * c * across + n * n * down, B = c * n * (across - down),
           C = n * n * across + c * c * down;
    double root = B * B * dy * dy - A * (C * dy * dy - 1);

    if (!(root >= 0) || !isfinite(A))
        return 0;
    root = sqrt(root);
    return between(r, s->x + (-B * dy - root) / A, s->x + (-B * dy + root) / A, r->row);
}

/* ---- any */

enum err raster_new(
    struct arena *a, const struct shape *s, size_t width, size_t height, struct raster **out)
{
    struct raster *r = arena_alloc(a, sizeof(*r));
    bool fits = s->kind != SHAPE_MASK || ((size_t)s->width == width && (size_t)s->height == height);
    enum err e = ERR_OK;

    *r = (struct raster){.shape = s, .width = width, .height = height};
    *out = NULL;
    if (s->kind == SHAPE_LINE || s->kind == SHAPE_POINT || s->kind == SHAPE_OTHER || !fits)
        return ERR_OK;
    if (s->kind == SHAPE_MASK) {
        e = begin_mask(a, r);
    } else if (s->kind == SHAPE_ELLIPSE) {
        r->row = arena_array(a, 1, sizeof(*r->row));
    } else {
        begin_outline(a, r);
    }
    *out = e ? NULL : r;
    return e;
}

size_t raster_row(struct raster *r, size_t y, const struct stretch **out)
{
    double middle = (double)y + 0.5;

    *out = r->row;
    if (r->shape->kind == SHAPE_MASK)
        return mask_row(r, y);
    return r->shape->kind == SHAPE_ELLIPSE ? ellipse_row(r, middle) : outline_row(r, middle);
}
