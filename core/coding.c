/* Owns the step from documents to codings. How alike two answers or regions are is
 * agreement_pair.c's. */
#include "core/coding.h"

#include <math.h>

#include "core/agreement_pair.h"

#define ALL_BY_TYPE "sssssssss"
#define FARTHEST    1e30 /* beyond, a number is no measure, and sums of squares stay finite */

static const char *const kind_names[VIEW_KINDS] = {
    "areas", "spans", "segments", "regions", "choices", "text", "number", "other", "relations"};

/* One control of the set, and who says what of it. */
struct asked {
    struct str name;
    const struct view_answer *answers[AGREEMENT_DOCS]; /* of the whole object; NULL: none */
    size_t nanswers[AGREEMENT_DOCS];                   /* all, those about regions too */
    bool plain;  /* at most one answer each, about the whole object */
    bool rating; /* of numbers: all are ratings */
};

static struct str bounded(struct arena *a, struct str s)
{
    char hex[SHA256_HEX + 1];

    if (s.n <= CODING_TEXT)
        return arena_str(a, s);
    sha256_hex(sha256_of(s), hex);
    return str_of(arena_printf(a, "sha256:%s", hex));
}

static void look_up(const struct agreement_set *s, size_t control, struct asked *c)
{
    *c = (struct asked){.plain = s->kinds[control] > VIEW_SAME, .rating = true};
    for (size_t d = 0; d < s->n; d++) {
        const struct label_view *v = s->views[d];
        for (size_t i = 0; i < v->nregions; i++)
            if (v->regions[i].control == control)
                c->name = v->regions[i].from;
        for (size_t i = 0; i < v->nanswers; i++) {
            const struct view_answer *answer = &v->answers[i];
            if (answer->control != control)
                continue;
            c->name = answer->from;
            c->answers[d] = answer;
            c->plain = c->plain && ++c->nanswers[d] == 1 && answer->region == VIEW_NONE;
            c->rating = c->rating && answer->rating;
        }
    }
}

static int count_raters(const struct agreement_set *s, const struct asked *c)
{
    int n = 0;

    if (!c->plain)
        return (int)s->n;
    for (size_t d = 0; d < s->n; d++)
        n += c->answers[d] != NULL;
    return n;
}

static void say_values(struct coding *out, const struct asked *c, struct arena *a)
{
    const struct view_answer *x = c->answers[out->a], *y = c->answers[out->b];

    out->numbers =
        x->kind == VIEW_NUMBER && fabs(x->number) <= FARTHEST && fabs(y->number) <= FARTHEST;
    out->number_a = x->number;
    out->number_b = y->number;
    if (x->kind == VIEW_CHOICES || (x->kind == VIEW_NUMBER && c->rating)) {
        out->value_a = bounded(a, x->said);
        out->value_b = bounded(a, y->said);
    }
}

/* The pairs of one control; scores[pair * ncontrols + control], pairs in the order of documents. */
static size_t add_control(const struct agreement_set *s, size_t control, const double *scores,
    struct arena *a, struct coding *out)
{
    struct asked c;
    size_t n = 0, pair = 0;

    look_up(s, control, &c);
    int raters = count_raters(s, &c);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = i + 1; j < s->n; j++, pair++) {
            double score = scores[pair * s->ncontrols + control];
            if (c.plain && !(c.answers[i] && c.answers[j]))
                continue;
            out[n] = (struct coding){.control = bounded(a, c.name),
                .kind = kind_names[s->kinds[control]],
                .a = i,
                .b = j,
                .raters = raters,
                .first = n == 0,
                .score = llround((score < 0 ? 1 : score) * CODING_MILLION)}; /* neither used it */
            if (s->kinds[control] == VIEW_NUMBER && c.rating)
                out[n].kind = "rating";
            if (c.plain)
                say_values(&out[n], &c, a);
            n++;
        }
    return n;
}

enum err coding_read(
    const struct str *docs, size_t n, struct arena *a, struct coding **out, size_t *nout)
{
    size_t pairs = n < 2 ? 0 : n * (n - 1) / 2, pair = 0;
    struct agreement_set s;

    *out = NULL;
    *nout = 0;
    if (pairs == 0)
        return ERR_OK;
    enum err e = agreement_set_new(docs, n, false, &s);
    if (e)
        return e;
    double *scores = arena_array(s.arena, pairs * s.ncontrols, sizeof(*scores));
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++, pair++)
            agreement_pair_controls(&s, s.views[i], s.views[j], ALL_BY_TYPE,
                (struct effort){EFFORT_MOST / pairs}, scores + pair * s.ncontrols);
    *out = arena_array(a, pairs * s.ncontrols, sizeof(**out));
    for (size_t i = 0; i + 1 < s.ncontrols; i++) /* the last are relations, of no control */
        *nout += add_control(&s, i, scores, a, *out + *nout);
    agreement_set_release(&s);
    return ERR_OK;
}
