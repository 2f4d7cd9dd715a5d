/* Owns the comparison of two documents. Never decides what counts: that is the metric's row. */
#include "core/agreement_pair.h"

#include <math.h>
#include <stdlib.h>

#include "core/edit_distance.h"

#define RATING_SCALE 5.0

/* ---- the set: controls get numbers, one for each (name, kind) */

struct named {
    struct str from;
    enum view_kind kind;
    size_t *control; /* where the number goes */
};

static int by_name(const void *pa, const void *pb)
{
    const struct named *a = pa, *b = pb;
    int order = str_cmp(a->from, b->from);

    return order ? order : (a->kind > b->kind) - (a->kind < b->kind);
}

static size_t list_names(struct label_view *v, struct named *names)
{
    size_t n = 0;

    for (size_t i = 0; i < v->nregions; i++)
        names[n++] = (struct named){v->regions[i].from, v->regions[i].kind, &v->regions[i].control};
    for (size_t i = 0; i < v->nanswers; i++)
        names[n++] = (struct named){v->answers[i].from, v->answers[i].kind, &v->answers[i].control};
    return n;
}

/* Relations are one more control, the last. */
static void number_controls(struct agreement_set *s)
{
    size_t n = 0, most = 1;

    for (size_t i = 0; i < s->n; i++)
        most += s->views[i]->nregions + s->views[i]->nanswers;
    struct named *names = arena_array(s->arena, most, sizeof(*names));
    s->kinds = arena_array(s->arena, most, sizeof(*s->kinds));
    for (size_t i = 0; i < s->n; i++)
        n += list_names(s->views[i], names + n);
    qsort(names, n, sizeof(*names), by_name);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_name(&names[i - 1], &names[i]) != 0)
            s->kinds[s->ncontrols++] = names[i].kind;
        *names[i].control = s->ncontrols - 1;
    }
    s->kinds[s->ncontrols++] = VIEW_RELATION;
}

enum err agreement_set_new(
    const struct str *docs, size_t n, bool with_docs, struct agreement_set *s)
{
    BUG_ON(n == 0 || n > AGREEMENT_DOCS);
    *s = (struct agreement_set){.arena = arena_new()};
    for (; s->n < n; s->n++) {
        enum err e = label_view_new(docs[s->n], &s->views[s->n]);
        if (e) {
            agreement_set_release(s);
            return e;
        }
        if (!with_docs)
            label_view_drop(s->views[s->n]);
    }
    number_controls(s);
    return ERR_OK;
}

void agreement_set_release(struct agreement_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        label_view_free(s->views[i]);
    arena_free(s->arena);
    *s = (struct agreement_set){0};
}

bool agreement_counts_any(const struct agreement_set *s, const char *counts)
{
    for (size_t i = 0; i + 1 < s->ncontrols; i++)
        if (counts[s->kinds[i]] != '.')
            return true;
    for (size_t i = 0; i < s->n && counts[VIEW_RELATION] != '.'; i++)
        if (s->views[i]->nrelations)
            return true;
    return false;
}

/* ---- answers */

static double jaccard(const struct view_answer *a, const struct view_answer *b)
{
    size_t both = 0, i = 0, j = 0;

    while (i < a->nset && j < b->nset) {
        int order = str_cmp(a->set[i], b->set[j]);
        both += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    size_t either = a->nset + b->nset - both;
    return either ? (double)both / (double)either : 1;
}

static double nearness(const struct view_answer *a, const struct view_answer *b)
{
    double scale = fmax(fabs(a->number), fabs(b->number));
    double likeness;

    if (a->rating)
        scale = fmax(scale, RATING_SCALE);
    if (a->number == b->number)
        return 1;
    likeness = 1 - fabs(a->number / scale - b->number / scale);
    return likeness > 0 ? likeness : 0;
}

double answer_likeness(
    const struct view_answer *a, const struct view_answer *b, bool exact, struct effort *effort)
{
    if (!exact && a->kind == VIEW_CHOICES)
        return jaccard(a, b);
    if (!exact && a->kind == VIEW_NUMBER)
        return nearness(a, b);
    if (!exact && a->kind == VIEW_TEXT)
        return edit_similarity(a->text, b->text, effort);
    return str_eq(a->said, b->said);
}

/* ---- the pair */

struct pair {
    struct arena *mem;
    const struct label_view *a, *b;
    const char *counts;
    struct effort *effort;
    struct match *of_a; /* regions of b, by those of a */
    bool *taken;        /* regions of b that have a partner */
    bool left_out;      /* something that counts is said about a region without a partner */
    struct sum {
        double got, of;
    } * sums; /* by control */
};

static const struct view_region **pointers(struct arena *mem, const struct label_view *v)
{
    const struct view_region **list = arena_array(mem, v->nregions + 1, sizeof(*list));

    for (size_t i = 0; i < v->nregions; i++)
        list[i] = &v->regions[i];
    return list;
}

static bool is_exact(const struct pair *p, enum view_kind kind)
{
    return p->counts[kind] == 'x';
}

static void compare_regions(struct pair *p)
{
    bool strict[VIEW_KINDS];

    for (size_t i = 0; i < VIEW_KINDS; i++)
        strict[i] = is_exact(p, (enum view_kind)i);
    region_match(p->mem, pointers(p->mem, p->a), p->a->nregions, pointers(p->mem, p->b),
        p->b->nregions, strict, p->effort, p->of_a);
    for (size_t i = 0; i < p->b->nregions; i++)
        p->sums[p->b->regions[i].control].of += 1;
    for (size_t i = 0; i < p->a->nregions; i++) {
        struct sum *sum = &p->sums[p->a->regions[i].control];
        sum->of += 1;
        if (p->of_a[i].partner == MATCH_NONE)
            continue;
        sum->got += 2 * fmin(p->of_a[i].weight, 1);
        p->taken[p->of_a[i].partner] = true;
    }
}

/* An answer and what it is about, in terms of b's regions. */
struct about {
    const struct view_answer *answer;
    size_t region;
};

static int by_about(const void *pa, const void *pb)
{
    const struct about *a = pa, *b = pb;
    const struct view_answer *x = a->answer, *y = b->answer;

    if (x->control != y->control)
        return x->control < y->control ? -1 : 1;
    if (a->region != b->region)
        return a->region < b->region ? -1 : 1;
    if (!str_eq(x->to, y->to))
        return str_cmp(x->to, y->to);
    return (x->index > y->index) - (x->index < y->index);
}

static int by_about_and_place(const void *pa, const void *pb)
{
    const struct about *a = pa, *b = pb;
    int order = by_about(pa, pb);

    return order ? order : (a->answer->at > b->answer->at) - (a->answer->at < b->answer->at);
}

static size_t partner_of(const struct pair *p, size_t region)
{
    uint32_t partner = region == VIEW_NONE ? MATCH_NONE : p->of_a[region].partner;

    return partner == MATCH_NONE ? VIEW_NONE : partner;
}

/* Those about the whole object, and about regions that both have. */
static size_t list_answers(struct pair *p, const struct label_view *v, struct about *list)
{
    size_t n = 0;

    for (size_t i = 0; i < v->nanswers; i++) {
        struct about one = {&v->answers[i], v->answers[i].region};
        bool known = true;
        if (one.region != VIEW_NONE && v == p->a) {
            one.region = partner_of(p, one.region);
            known = one.region != VIEW_NONE;
        } else if (one.region != VIEW_NONE) {
            known = p->taken[one.region];
        }
        if (known)
            list[n++] = one;
        else if (p->counts[one.answer->kind] != '.')
            p->left_out = true;
    }
    qsort(list, n, sizeof(*list), by_about_and_place);
    return n;
}

static void compare_answers(struct pair *p)
{
    struct about *a = arena_array(p->mem, p->a->nanswers + 1, sizeof(*a));
    struct about *b = arena_array(p->mem, p->b->nanswers + 1, sizeof(*b));
    size_t na = list_answers(p, p->a, a), nb = list_answers(p, p->b, b);

    for (size_t i = 0, j = 0; i < na || j < nb;) {
        int order = i == na ? 1 : j == nb ? -1 : by_about(&a[i], &b[j]);
        const struct view_answer *one = order <= 0 ? a[i].answer : b[j].answer;
        struct sum *sum = &p->sums[one->control];
        sum->of += 1;
        if (order == 0 && p->counts[one->kind] != '.')
            sum->got += answer_likeness(one, b[j].answer, is_exact(p, one->kind), p->effort);
        i += order <= 0;
        j += order >= 0;
    }
}

static int by_ends(const void *pa, const void *pb)
{
    const struct view_relation *a = pa, *b = pb;

    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return str_cmp(a->said, b->said);
}

static void compare_relations(struct pair *p, struct sum *sum)
{
    size_t na = p->a->nrelations, nb = p->b->nrelations;
    struct view_relation *a = arena_array(p->mem, na + 1, sizeof(*a));
    struct view_relation *b = arena_array(p->mem, nb + 1, sizeof(*b));

    if (nb)
        memcpy(b, p->b->relations, nb * sizeof(*b));
    for (size_t i = 0; i < na; i++)
        a[i] = (struct view_relation){partner_of(p, p->a->relations[i].from),
            partner_of(p, p->a->relations[i].to), p->a->relations[i].said, p->a->relations[i].at};
    qsort(a, na, sizeof(*a), by_ends);
    qsort(b, nb, sizeof(*b), by_ends);
    for (size_t i = 0, j = 0; i < na && j < nb;) {
        int order = by_ends(&a[i], &b[j]);
        if (order == 0 && a[i].from != VIEW_NONE && a[i].to != VIEW_NONE)
            sum->got += 2;
        i += order <= 0;
        j += order >= 0;
    }
    sum->of += (double)(na + nb);
}

static void compare(struct pair *p, size_t ncontrols)
{
    p->of_a = arena_array(p->mem, p->a->nregions + 1, sizeof(*p->of_a));
    p->taken = arena_array(p->mem, p->b->nregions + 1, sizeof(*p->taken));
    p->sums = arena_array(p->mem, ncontrols, sizeof(*p->sums));
    compare_regions(p);
    compare_answers(p);
    compare_relations(p, &p->sums[ncontrols - 1]);
}

double agreement_pair(const struct agreement_set *s, const struct label_view *a,
    const struct label_view *b, const char *counts, struct effort effort)
{
    struct pair p = {.mem = arena_new(), .a = a, .b = b, .counts = counts, .effort = &effort};
    double score = 0;
    size_t n = 0;

    compare(&p, s->ncontrols);
    for (size_t i = 0; i < s->ncontrols; i++) {
        if (p.sums[i].of == 0 || counts[s->kinds[i]] == '.')
            continue;
        score += p.sums[i].got / p.sums[i].of;
        n++;
    }
    arena_free(p.mem);
    if (n == 0)
        return !p.left_out;
    return score / (double)n;
}

void agreement_pair_controls(const struct agreement_set *s, const struct label_view *a,
    const struct label_view *b, const char *counts, struct effort effort, double *scores)
{
    struct pair p = {.mem = arena_new(), .a = a, .b = b, .counts = counts, .effort = &effort};

    compare(&p, s->ncontrols);
    for (size_t i = 0; i < s->ncontrols; i++)
        scores[i] = p.sums[i].of > 0 ? p.sums[i].got / p.sums[i].of : -1;
    arena_free(p.mem);
}
