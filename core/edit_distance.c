/* Owns the edit distance, bit by bit: 64 rows of the table are one word (Myers 1999, in the form of
 * Hyyro 2003), and a strip of 64 rows hands the next one only how its last row grows. */
#include "core/edit_distance.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"

enum { WORD = 64, SLOTS = 128 };

struct text {
    uint32_t *v;
    size_t n;
};

static struct text decode(struct str s)
{
    struct text t = {malloc((s.n + 1) * sizeof(*t.v)), 0};

    BUG_ON(!t.v);
    for (size_t i = 0; i < s.n;) {
        int n = utf8_length(s.p + i, s.p + s.n);
        t.v[t.n++] = n > 0 ? utf8_decode(s.p + i, n) : (unsigned char)s.p[i];
        i += n > 0 ? (size_t)n : 1;
    }
    return t;
}

/* Which of 64 characters are c, as bits: a small hash table, never more than half full. */
struct where {
    uint32_t key[SLOTS];
    uint64_t bits[SLOTS];
};

static size_t slot_of(const struct where *w, uint32_t c)
{
    size_t i = (c * 2654435761u) >> 25;

    while (w->bits[i] && w->key[i] != c)
        i = (i + 1) % SLOTS;
    return i;
}

static void where_fill(struct where *w, const uint32_t *rows, size_t n)
{
    memset(w, 0, sizeof(*w));
    for (size_t i = 0; i < n; i++) {
        size_t slot = slot_of(w, rows[i]);
        w->key[slot] = rows[i];
        w->bits[slot] |= (uint64_t)1 << i;
    }
}

/* Rows of the table from one word: grow[j] is how the row above grows from column j to j + 1 (-1, 0
 * or 1), and becomes the same of the strip's last row. */
static void strip(const uint32_t *rows, size_t n, const struct text *columns, int8_t *grow)
{
    struct where w;
    uint64_t up = ~(uint64_t)0, down = 0, last = (uint64_t)1 << (n - 1);

    where_fill(&w, rows, n);
    for (size_t j = 0; j < columns->n; j++) {
        uint64_t same = w.bits[slot_of(&w, columns->v[j])];
        uint64_t step = same | down;
        if (grow[j] < 0)
            same |= 1;
        uint64_t across = (((same & up) + up) ^ up) | same;
        uint64_t more = down | ~(across | up), less = up & across;
        int8_t out = (int8_t)(((more & last) != 0) - ((less & last) != 0));
        more = more << 1 | (grow[j] > 0);
        less = less << 1 | (grow[j] < 0);
        up = less | ~(step | more);
        down = more & step;
        grow[j] = out;
    }
}

static size_t table(const struct text *rows, const struct text *columns)
{
    int8_t *grow = malloc(columns->n + 1);
    size_t distance = rows->n;

    BUG_ON(!grow);
    memset(grow, 1, columns->n);
    for (size_t i = 0; i < rows->n; i += WORD)
        strip(rows->v + i, rows->n - i < WORD ? rows->n - i : WORD, columns, grow);
    for (size_t j = 0; j < columns->n; j++)
        distance += (size_t)(ptrdiff_t)grow[j];
    free(grow);
    return distance;
}

static size_t distance_of(struct text a, struct text b, struct effort *effort)
{
    while (a.n && b.n && a.v[a.n - 1] == b.v[b.n - 1]) {
        a.n--;
        b.n--;
    }
    while (a.n && b.n && *a.v == *b.v) {
        a.v++, a.n--;
        b.v++, b.n--;
    }
    struct text *few = a.n < b.n ? &a : &b, *many = a.n < b.n ? &b : &a;
    if (few->n == 0 || !effort_spend(effort, (few->n + WORD - 1) / WORD * many->n))
        return many->n;
    return table(few, many);
}

static size_t measure(struct str a, struct str b, struct effort *effort, size_t *longer)
{
    struct text ta = decode(a), tb = decode(b);
    size_t distance = distance_of(ta, tb, effort);

    *longer = ta.n > tb.n ? ta.n : tb.n;
    free(ta.v);
    free(tb.v);
    return distance;
}

size_t edit_distance(struct str a, struct str b, struct effort *effort)
{
    size_t longer;

    return measure(a, b, effort, &longer);
}

double edit_similarity(struct str a, struct str b, struct effort *effort)
{
    size_t longer, distance = measure(a, b, effort, &longer);

    return longer ? 1 - (double)distance / (double)longer : 1;
}
