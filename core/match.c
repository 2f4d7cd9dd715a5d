/* Owns one-to-one matching by weight. Knows nothing of what is matched. */
#include "core/match.h"

#include <math.h>
#include <stdlib.h>

struct matching {
    uint32_t *root;  /* union-find over na + nb nodes */
    uint32_t *place; /* of a node in its component's matrix; MATCH_NONE: not yet */
    struct match *of_a;
    bool *taken; /* of nb */
    size_t na;
    struct effort *effort;
};

static uint32_t root_of(uint32_t *root, uint32_t node)
{
    while (root[node] != node) {
        root[node] = root[root[node]];
        node = root[node];
    }
    return node;
}

/* The edges of a component side by side; a component is known by its root, kept in order[]. */
struct placed {
    struct match_edge edge;
    uint32_t component;
};

static int by_component(const void *pa, const void *pb)
{
    const struct placed *a = pa, *b = pb;

    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    if (a->edge.weight != b->edge.weight)
        return a->edge.weight > b->edge.weight ? -1 : 1;
    if (a->edge.a != b->edge.a)
        return a->edge.a < b->edge.a ? -1 : 1;
    return (a->edge.b > b->edge.b) - (a->edge.b < b->edge.b);
}

static void join(struct matching *m, const struct match_edge *edge)
{
    m->of_a[edge->a] = (struct match){edge->b, edge->weight};
    m->taken[edge->b] = true;
}

static void greedy(struct matching *m, const struct placed *edges, size_t n)
{
    for (size_t i = 0; i < n; i++) /* heaviest first */
        if (m->of_a[edges[i].edge.a].partner == MATCH_NONE && !m->taken[edges[i].edge.b])
            join(m, &edges[i].edge);
}

/* Rows and columns of the matrix are numbered from 1; 0 is the column where a row starts from. */
struct hungarian {
    size_t rows, columns;
    const double *cost; /* rows x columns, to be made least */
    double *row_price, *column_price, *slack;
    size_t *row_of, *back;
    bool *done;
};

/* Grows the tree of tight edges from the row in column 0 to the nearest free column. */
static size_t grow(struct hungarian *h)
{
    size_t at = 0;

    for (size_t j = 0; j <= h->columns; j++) {
        h->slack[j] = INFINITY;
        h->done[j] = false;
    }
    do {
        size_t row = h->row_of[at], next = 0;
        double least = INFINITY;
        h->done[at] = true;
        for (size_t j = 1; j <= h->columns; j++) {
            if (h->done[j])
                continue;
            double reduced =
                h->cost[(row - 1) * h->columns + j - 1] - h->row_price[row] - h->column_price[j];
            if (reduced < h->slack[j]) {
                h->slack[j] = reduced;
                h->back[j] = at;
            }
            if (h->slack[j] < least) {
                least = h->slack[j];
                next = j;
            }
        }
        for (size_t j = 0; j <= h->columns; j++) {
            if (h->done[j]) {
                h->row_price[h->row_of[j]] += least;
                h->column_price[j] -= least;
            } else {
                h->slack[j] -= least;
            }
        }
        at = next;
    } while (h->row_of[at]);
    return at;
}

/* rows <= columns; row_of[j] becomes the row of column j, 0: none. */
static void solve(struct hungarian *h)
{
    for (size_t row = 1; row <= h->rows; row++) {
        h->row_of[0] = row;
        for (size_t at = grow(h); at;) {
            size_t before = h->back[at];
            h->row_of[at] = h->row_of[before];
            at = before;
        }
    }
}

static void hungarian(
    struct matching *m, const struct placed *edges, size_t n, size_t na, size_t nb)
{
    bool turned = na > nb;
    size_t rows = turned ? nb : na, columns = turned ? na : nb;
    struct arena *mem = arena_new();
    double *cost = arena_array(mem, rows * columns, sizeof(*cost));
    const struct placed **at = arena_array(mem, rows * columns, sizeof(*at));
    struct hungarian h = {.rows = rows,
        .columns = columns,
        .cost = cost,
        .row_price = arena_array(mem, rows + 1, sizeof(double)),
        .column_price = arena_array(mem, columns + 1, sizeof(double)),
        .slack = arena_array(mem, columns + 1, sizeof(double)),
        .row_of = arena_array(mem, columns + 1, sizeof(size_t)),
        .back = arena_array(mem, columns + 1, sizeof(size_t)),
        .done = arena_array(mem, columns + 1, sizeof(bool))};

    for (size_t i = 0; i < n; i++) {
        uint32_t a = m->place[edges[i].edge.a], b = m->place[m->na + edges[i].edge.b];
        size_t cell = turned ? b * columns + a : a * columns + b;
        cost[cell] = -edges[i].edge.weight;
        at[cell] = &edges[i];
    }
    solve(&h);
    for (size_t j = 1; j <= columns; j++) {
        const struct placed *edge = h.row_of[j] ? at[(h.row_of[j] - 1) * columns + j - 1] : NULL;
        if (edge)
            join(m, &edge->edge);
    }
    arena_free(mem);
}

static uint32_t place(struct matching *m, size_t node, size_t *count)
{
    if (m->place[node] == MATCH_NONE)
        m->place[node] = (uint32_t)(*count)++;
    return m->place[node];
}

static void match_component(struct matching *m, const struct placed *edges, size_t n)
{
    size_t na = 0, nb = 0;

    for (size_t i = 0; i < n; i++) {
        place(m, edges[i].edge.a, &na);
        place(m, m->na + edges[i].edge.b, &nb);
    }
    size_t few = na < nb ? na : nb, many = na < nb ? nb : na;
    if (n == 1 || many > MATCH_HUNGARIAN_MAX || !effort_spend(m->effort, few * few * many))
        greedy(m, edges, n);
    else
        hungarian(m, edges, n, na, nb);
}

void match_best(struct arena *mem, struct match_edge *edges, size_t n, size_t na, size_t nb,
    struct effort *effort, struct match *of_a)
{
    struct matching m = {.of_a = of_a, .na = na, .effort = effort};
    struct placed *placed = arena_array(mem, n + 1, sizeof(*placed));

    m.root = arena_array(mem, na + nb + 1, sizeof(*m.root));
    m.place = arena_array(mem, na + nb + 1, sizeof(*m.place));
    m.taken = arena_array(mem, nb + 1, sizeof(*m.taken));
    for (size_t i = 0; i < na; i++)
        of_a[i] = (struct match){MATCH_NONE, 0};
    memset(m.place, 0xff, (na + nb) * sizeof(*m.place));
    for (size_t i = 0; i < na + nb; i++)
        m.root[i] = (uint32_t)i;
    for (size_t i = 0; i < n; i++)
        m.root[root_of(m.root, edges[i].a)] = root_of(m.root, (uint32_t)na + edges[i].b);
    for (size_t i = 0; i < n; i++)
        placed[i] = (struct placed){edges[i], root_of(m.root, edges[i].a)};
    qsort(placed, n, sizeof(*placed), by_component);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && placed[end].component == placed[i].component;)
            end++;
        match_component(&m, placed + i, end - i);
    }
}
