/* Owns the counts behind the coefficients and their formulas. Never keeps a row. */
#include "core/reliability.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"

enum { SLOTS = 4 * RELIABILITY_VALUES, FIRST_SIDE = 16 };
enum table_kind { TABLE_EMPTY, TABLE_NUMBERS, TABLE_TEXTS };

struct value {
    struct str key; /* the text, or the bytes of the number */
    double number;
};

struct row {
    int64_t rater;
    size_t value;
    double number;
};

/* n x n cells, growing with the number of values. */
struct matrix {
    double *cells;
    size_t side;
};

struct reliability {
    struct arena *arena;
    int64_t a, b; /* of Cohen's kappa */
    enum table_kind kind;

    struct value values[RELIABILITY_VALUES];
    size_t nvalues;
    uint32_t slots[SLOTS]; /* hash table: index of the value + 1 */
    bool full;             /* there were more */

    struct row rows[RELIABILITY_RATERS]; /* of the unit at hand */
    size_t nrows;
    int64_t unit;

    struct matrix pairs; /* coincidences of alpha: value with value, within units */
    struct matrix cohen; /* a's value, b's value */
    double units;        /* with two values or more */
    double agreeing;     /* sum over units of the share of their pairs that agree */
    double shift;        /* interval: numbers are summed from the first on, to stay precise */
    double n, sum, sum2; /* interval: of all values of such units */
    double within;       /* interval: sum over units of squared differences / (m - 1) */
};

struct reliability *reliability_new(int64_t a, int64_t b)
{
    struct reliability *r = calloc(1, sizeof(*r));

    BUG_ON(!r);
    r->arena = arena_new();
    r->a = a;
    r->b = b;
    return r;
}

void reliability_free(struct reliability *r)
{
    if (!r)
        return;
    arena_free(r->arena);
    free(r->pairs.cells);
    free(r->cohen.cells);
    free(r);
}

/* ---- values */

static uint64_t hash_key(struct str key)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.p[i]) * 1099511628211u;
    return h ^ h >> 29;
}

/* The number of a value, given at its first coming; RELIABILITY_VALUES when there is no room. */
static size_t value_index(struct reliability *r, struct str key, double number)
{
    size_t slot = hash_key(key) % SLOTS;

    for (; r->slots[slot]; slot = (slot + 1) % SLOTS)
        if (str_eq(r->values[r->slots[slot] - 1].key, key))
            return r->slots[slot] - 1;
    if (r->nvalues == RELIABILITY_VALUES) {
        r->full = true;
        return RELIABILITY_VALUES;
    }
    r->values[r->nvalues] = (struct value){arena_str(r->arena, key), number};
    r->slots[slot] = (uint32_t)++r->nvalues;
    return r->nvalues - 1;
}

static double *cell(struct matrix *m, size_t i, size_t j)
{
    size_t most = i > j ? i : j, side = m->side ? m->side : FIRST_SIDE;
    double *grown;

    if (most < m->side)
        return &m->cells[i * m->side + j];
    while (side <= most)
        side *= 2;
    grown = calloc(side * side, sizeof(*grown));
    BUG_ON(!grown);
    for (size_t k = 0; k < m->side; k++)
        memcpy(grown + k * side, m->cells + k * m->side, m->side * sizeof(*grown));
    free(m->cells);
    *m = (struct matrix){grown, side};
    return &m->cells[i * m->side + j];
}

static double cell_or_0(const struct matrix *m, size_t i, size_t j)
{
    return i < m->side && j < m->side ? m->cells[i * m->side + j] : 0;
}

/* ---- units */

static void count_cohen(struct reliability *r)
{
    const struct row *a = NULL, *b = NULL;

    for (size_t i = 0; i < r->nrows; i++) {
        if (r->rows[i].rater == r->a)
            a = &r->rows[i];
        else if (r->rows[i].rater == r->b)
            b = &r->rows[i];
    }
    if (a && b)
        *cell(&r->cohen, a->value, b->value) += 1;
}

static void count_pairs(struct reliability *r)
{
    double m = (double)r->nrows, agree = 0;

    for (size_t i = 0; i < r->nrows; i++)
        for (size_t j = 0; j < r->nrows; j++) {
            if (i == j)
                continue;
            *cell(&r->pairs, r->rows[i].value, r->rows[j].value) += 1 / (m - 1);
            agree += r->rows[i].value == r->rows[j].value;
        }
    r->agreeing += agree / (m * (m - 1));
}

static void sum_numbers(struct reliability *r)
{
    double m = (double)r->nrows, squares = 0;

    for (size_t i = 0; i < r->nrows; i++) {
        double v = r->rows[i].number - r->shift;
        r->sum += v;
        r->sum2 += v * v;
        for (size_t j = 0; j < r->nrows; j++)
            squares +=
                (r->rows[i].number - r->rows[j].number) * (r->rows[i].number - r->rows[j].number);
    }
    r->n += m;
    r->within += squares / (m - 1);
}

static void close_unit(struct reliability *r)
{
    if (r->nrows > 1) {
        r->units++;
        sum_numbers(r);
        if (!r->full) {
            count_cohen(r);
            count_pairs(r);
        }
    }
    r->nrows = 0;
}

static enum err add_row(
    struct reliability *r, int64_t unit, int64_t rater, struct str key, double number)
{
    if (r->kind != TABLE_EMPTY && unit < r->unit)
        return ERR_INVALID;
    if (unit != r->unit)
        close_unit(r);
    for (size_t i = 0; i < r->nrows; i++)
        if (r->rows[i].rater == rater)
            return ERR_INVALID;
    if (r->nrows == RELIABILITY_RATERS)
        return ERR_TOO_LARGE;
    r->unit = unit;
    r->rows[r->nrows++] = (struct row){rater, value_index(r, key, number), number};
    return ERR_OK;
}

enum err reliability_add(struct reliability *r, int64_t unit, int64_t rater, double v)
{
    double number = v == 0 ? 0 : v; /* -0 is 0 */
    enum err e;

    if (!isfinite(v) || r->kind == TABLE_TEXTS)
        return ERR_INVALID;
    if (r->kind == TABLE_EMPTY)
        r->shift = number;
    e = add_row(r, unit, rater, (struct str){(const char *)&number, sizeof(number)}, number);
    if (!e)
        r->kind = TABLE_NUMBERS;
    return e;
}

enum err reliability_add_text(struct reliability *r, int64_t unit, int64_t rater, struct str v)
{
    enum err e;

    if (r->kind == TABLE_NUMBERS)
        return ERR_INVALID;
    e = add_row(r, unit, rater, v, 0);
    if (!e)
        r->kind = TABLE_TEXTS;
    return e;
}

/* ---- pairs that were counted elsewhere */

/* The numbers of two values in the table; false when there is no room. */
static bool find_both(struct reliability *r, struct str v, struct str w, double number_v,
    double number_w, size_t *i, size_t *j)
{
    *i = value_index(r, v, number_v);
    *j = value_index(r, w, number_w);
    return *i < RELIABILITY_VALUES && *j < RELIABILITY_VALUES;
}

static enum err find_numbers(struct reliability *r, double v, double w, size_t *i, size_t *j)
{
    v = v == 0 ? 0 : v; /* -0 is 0 */
    w = w == 0 ? 0 : w;
    if (!isfinite(v) || !isfinite(w) || r->kind == TABLE_TEXTS)
        return ERR_INVALID;
    r->kind = TABLE_NUMBERS;
    return find_both(r, (struct str){(const char *)&v, sizeof(v)},
               (struct str){(const char *)&w, sizeof(w)}, v, w, i, j)
               ? ERR_OK
               : ERR_TOO_LARGE;
}

static enum err find_texts(struct reliability *r, struct str v, struct str w, size_t *i, size_t *j)
{
    if (r->kind == TABLE_NUMBERS)
        return ERR_INVALID;
    r->kind = TABLE_TEXTS;
    return find_both(r, v, w, 0, 0, i, j) ? ERR_OK : ERR_TOO_LARGE;
}

static enum err add_pairs(
    struct reliability *r, enum err found, size_t i, size_t j, int64_t raters, int64_t n)
{
    double m = (double)raters, share = 2 * (double)n / (m * (m - 1));

    if (found)
        return found;
    if (raters < 2)
        return ERR_INVALID;
    *cell(&r->pairs, i, j) += (double)n / (m - 1);
    *cell(&r->pairs, j, i) += (double)n / (m - 1);
    r->units += share;
    if (i == j)
        r->agreeing += share;
    return ERR_OK;
}

enum err reliability_add_pairs(struct reliability *r, double v, double w, int64_t raters, int64_t n)
{
    size_t i = 0, j = 0;
    enum err e = find_numbers(r, v, w, &i, &j);

    return add_pairs(r, e, i, j, raters, n);
}

enum err reliability_add_pairs_text(
    struct reliability *r, struct str v, struct str w, int64_t raters, int64_t n)
{
    size_t i = 0, j = 0;
    enum err e = find_texts(r, v, w, &i, &j);

    return add_pairs(r, e, i, j, raters, n);
}

enum err reliability_add_cohen(struct reliability *r, double v, double w, int64_t n)
{
    size_t i = 0, j = 0;
    enum err e = find_numbers(r, v, w, &i, &j);

    if (!e)
        *cell(&r->cohen, i, j) += (double)n;
    return e;
}

enum err reliability_add_cohen_text(struct reliability *r, struct str v, struct str w, int64_t n)
{
    size_t i = 0, j = 0;
    enum err e = find_texts(r, v, w, &i, &j);

    if (!e)
        *cell(&r->cohen, i, j) += (double)n;
    return e;
}

/* ---- coefficients */

/* Values with their weight in a matrix, in ascending order. */
struct margin {
    size_t value;
    double number, row, column; /* sums of the value's row and column */
    double below;               /* row sums of all lesser values */
};

static int by_number(const void *pa, const void *pb)
{
    const struct margin *a = pa, *b = pb;

    return (a->number > b->number) - (a->number < b->number);
}

/* Those values that occur in it; the sum of all cells. */
static size_t margins_of(
    const struct reliability *r, const struct matrix *m, struct margin *margins, double *total)
{
    size_t n = 0;

    *total = 0;
    for (size_t i = 0; i < r->nvalues; i++) {
        struct margin one = {.value = i, .number = r->values[i].number};
        for (size_t j = 0; j < r->nvalues; j++) {
            one.row += cell_or_0(m, i, j);
            one.column += cell_or_0(m, j, i);
        }
        if (one.row > 0 || one.column > 0)
            margins[n++] = one;
    }
    if (r->kind == TABLE_NUMBERS)
        qsort(margins, n, sizeof(*margins), by_number);
    for (size_t i = 0; i < n; i++) {
        margins[i].below = *total;
        *total += margins[i].row;
    }
    return n;
}

/* The squared distance of two values, a below b (Krippendorff 2011). */
static double distance(enum reliability_level level, const struct margin *a, const struct margin *b)
{
    double d = 1;

    switch (level) {
    case LEVEL_NOMINAL:
        break;
    case LEVEL_ORDINAL:
        d = b->below + b->row - a->below - (a->row + b->row) / 2;
        break;
    case LEVEL_INTERVAL:
        d = a->number - b->number;
        break;
    case LEVEL_RATIO:
        d = a->number + b->number == 0 ? 0 : (a->number - b->number) / (a->number + b->number);
        break;
    }
    return d * d;
}

static enum err alpha_by_pairs(struct reliability *r, enum reliability_level level, double *out)
{
    struct margin *margins = calloc(r->nvalues + 1, sizeof(*margins));
    double total, observed = 0, expected = 0;
    size_t n;

    BUG_ON(!margins);
    n = margins_of(r, &r->pairs, margins, &total);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double d = distance(level, &margins[i], &margins[j]);
            observed += d * cell_or_0(&r->pairs, margins[i].value, margins[j].value);
            expected += d * margins[i].row * margins[j].row;
        }
    free(margins);
    if (!(expected > 0))
        return ERR_NOT_FOUND;
    *out = 1 - (total - 1) * observed / expected;
    return ERR_OK;
}

/* Squared differences of all pairs come from two sums, so that any number of values will do. */
enum err reliability_alpha_of_sums(double n, double spread, double within, double *out)
{
    if (!(spread > 0) || !isfinite(spread))
        return ERR_NOT_FOUND;
    *out = 1 - (n - 1) * within / (2 * spread);
    return ERR_OK;
}

static enum err alpha_by_sums(const struct reliability *r, double *out)
{
    return reliability_alpha_of_sums(r->n, r->n * r->sum2 - r->sum * r->sum, r->within, out);
}

enum err reliability_alpha(struct reliability *r, enum reliability_level level, double *out)
{
    close_unit(r);
    if (level != LEVEL_NOMINAL && r->kind == TABLE_TEXTS)
        return ERR_INVALID;
    if (r->full)
        return level == LEVEL_INTERVAL ? alpha_by_sums(r, out) : ERR_TOO_LARGE;
    return alpha_by_pairs(r, level, out);
}

enum err reliability_fleiss(struct reliability *r, double *out)
{
    double total = 0, chance = 0, row;

    close_unit(r);
    if (r->full)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < r->nvalues; i++) {
        row = 0;
        for (size_t j = 0; j < r->nvalues; j++)
            row += cell_or_0(&r->pairs, i, j);
        total += row;
        chance += row * row;
    }
    if (total == 0 || chance >= total * total)
        return ERR_NOT_FOUND;
    chance /= total * total;
    *out = (r->agreeing / r->units - chance) / (1 - chance);
    return ERR_OK;
}

static double kappa_weight(enum kappa_weights weights, size_t i, size_t j)
{
    double d = i > j ? (double)(i - j) : (double)(j - i);

    switch (weights) {
    case KAPPA_NOMINAL:
        return i != j;
    case KAPPA_LINEAR:
        return d;
    case KAPPA_QUADRATIC:
        break;
    }
    return d * d;
}

enum err reliability_cohen(struct reliability *r, enum kappa_weights weights, double *out)
{
    struct margin *margins;
    double total, observed = 0, expected = 0;
    size_t n;

    close_unit(r);
    if (weights != KAPPA_NOMINAL && r->kind == TABLE_TEXTS)
        return ERR_INVALID;
    if (r->full)
        return ERR_TOO_LARGE;
    margins = calloc(r->nvalues + 1, sizeof(*margins));
    BUG_ON(!margins);
    n = margins_of(r, &r->cohen, margins, &total);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double w = kappa_weight(weights, i, j);
            observed += w * cell_or_0(&r->cohen, margins[i].value, margins[j].value);
            expected += w * margins[i].row * margins[j].column;
        }
    free(margins);
    if (!(expected > 0))
        return ERR_NOT_FOUND;
    *out = 1 - total * observed / expected;
    return ERR_OK;
}
