/* Owns choosing the index walk that serves a filter. Never decides a match: the walk may give more
 * than matches, and filter_match() looks at all of it. */
#include <math.h>

#include "base/utf8.h"
#include "core/filter_tree.h"

/* The walks a condition can be served by, the narrowest first. */
enum preference {
    BEST_EXTERNAL, /* one task */
    BEST_HOLDER,   /* what people hold now */
    BEST_PREFIX,   /* of external_id */
    BEST_DATA,     /* a data path equal to a value */
    BEST_LABEL,
    BEST_NUMBER, /* score, agreement, equal or within a range; a data path within one */
    BEST_BEGIN,  /* a data path's prefix */
    BEST_ANNOTATOR,
    BEST_NONE
};

struct choice {
    enum preference best;
    const struct filter_test *test;
};

static bool is_range(enum filter_op op)
{
    return op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE;
}

static enum preference served_by(const struct filter_test *t, bool by_id)
{
    bool one = t->op == OP_EQ || (t->op == OP_IN && t->nvalues == 1);

    switch (t->field) {
    case FIELD_EXTERNAL_ID:
        return one ? BEST_EXTERNAL : t->op == OP_PREFIX && !by_id ? BEST_PREFIX : BEST_NONE;
    case FIELD_ASSIGNEE:
        return BEST_HOLDER;
    case FIELD_ANNOTATOR:
        return one ? BEST_ANNOTATOR : BEST_NONE;
    case FIELD_LABEL:
        return one ? BEST_LABEL : BEST_NONE;
    case FIELD_SCORE:
    case FIELD_AGREEMENT:
    case FIELD_DATA:
        if (one)
            return t->field == FIELD_DATA ? BEST_DATA : BEST_NUMBER;
        if (by_id)
            return BEST_NONE;
        return is_range(t->op) ? BEST_NUMBER : t->op == OP_PREFIX ? BEST_BEGIN : BEST_NONE;
    default:
        return BEST_NONE;
    }
}

static unsigned states_of(const struct filter_test *t)
{
    unsigned bits = 0;

    for (size_t i = 0; i < t->nvalues; i++)
        bits |= 1u << t->values[i].whole;
    return bits;
}

/* Looks at every condition that a match must meet: those under `and` alone. */
static void consider(
    const struct filter_node *n, bool by_id, struct choice *c, struct filter_plan *plan)
{
    if (n->kind == NODE_AND)
        for (size_t i = 0; i < n->nchildren; i++)
            consider(n->children[i], by_id, c, plan);
    if (n->kind != NODE_TEST)
        return;
    if (n->test.field == FIELD_STATE || n->test.field == FIELD_STAGE)
        plan->states &= states_of(&n->test);
    enum preference p = served_by(&n->test, by_id);
    if (p < c->best)
        *c = (struct choice){p, &n->test};
}

/* Narrows a range of numbers by the other conditions on the same field. Bounds are inclusive: the
 * matcher sees to the rest. */
static void narrow(
    const struct filter_node *n, const struct filter_test *chosen, struct filter_plan *plan)
{
    const struct filter_test *t = &n->test;

    if (n->kind == NODE_AND)
        for (size_t i = 0; i < n->nchildren; i++)
            narrow(n->children[i], chosen, plan);
    if (n->kind != NODE_TEST || t->slot != chosen->slot || t->op == OP_IN ||
        t->values[0].v.kind != FILTER_NUMBER)
        return;
    double v = t->values[0].v.number;
    if (t->op != OP_LT && t->op != OP_LE)
        plan->least = fmax(plan->least, v);
    if (t->op != OP_GT && t->op != OP_GE)
        plan->most = fmin(plan->most, v);
}

/* The least text above all that begin with `prefix`, in the order of bytes, which is that of code
 * points; when there is none, a text above all that can be. */
static struct str after_prefix(struct arena *a, struct str prefix)
{
    static const char last[] = "\xf4\x8f\xbf\xbf";
    size_t n = prefix.n;
    char *out = arena_alloc(a, n + sizeof(last));

    memcpy(out, prefix.p, n);
    while (n) {
        size_t begin = n - 1;
        while (begin && ((unsigned char)out[begin] & 0xc0) == 0x80)
            begin--;
        uint32_t c = utf8_decode(out + begin, (int)(n - begin));
        n = begin;
        if (c < 0x10ffff) {
            c = c == 0xd7ff ? 0xe000 : c + 1;
            return (struct str){out, n + utf8_encode(c, out + n)};
        }
    }
    memcpy(out, last, sizeof(last));
    return (struct str){out, sizeof(last) - 1};
}

static void walk_people(const struct filter_test *t, struct arena *a, struct filter_plan *plan)
{
    int64_t *users = arena_array(a, t->nvalues, sizeof(*users));

    for (size_t i = 0; i < t->nvalues; i++)
        users[i] = t->values[i].whole;
    plan->walk = t->field == FIELD_ASSIGNEE ? FILTER_BY_HOLDER : FILTER_BY_ANNOTATOR;
    plan->users = users;
    plan->nusers = t->nvalues;
}

static void walk_field(
    const struct filter *f, const struct filter_test *t, struct arena *a, struct filter_plan *plan)
{
    const struct filter_value *v = &t->values[0].v;

    plan->by_id = t->op == OP_EQ || t->op == OP_IN;
    plan->field = t->slot < 0 ? STR("label") : str_of(f->slots[t->slot]);
    if (v->kind == FILTER_NUMBER) {
        plan->walk = FILTER_BY_NUMBER;
        if (plan->by_id)
            plan->least = plan->most = v->number;
        else
            narrow(f->root, t, plan);
        return;
    }
    plan->walk = FILTER_BY_TEXT;
    plan->low = v->text;
    plan->high = t->op == OP_PREFIX ? after_prefix(a, v->text) : v->text;
}

void filter_plan(const struct filter *f, struct arena *a, bool by_id, struct filter_plan *plan)
{
    struct choice c = {BEST_NONE, NULL};

    *plan = (struct filter_plan){.walk = FILTER_BY_STATE,
        .by_id = true,
        .states = (1u << TASK_STATE_COUNT) - 1 - (1u << TASK_NONE),
        .least = -INFINITY,
        .most = INFINITY};
    if (f->root)
        consider(f->root, by_id, &c, plan);
    switch (c.best) {
    case BEST_NONE:
        break;
    case BEST_EXTERNAL:
    case BEST_PREFIX:
        plan->walk = FILTER_BY_EXTERNAL;
        plan->by_id = c.best == BEST_EXTERNAL;
        plan->low = c.test->values[0].v.text;
        plan->high = plan->by_id ? plan->low : after_prefix(a, plan->low);
        break;
    case BEST_HOLDER:
    case BEST_ANNOTATOR:
        walk_people(c.test, a, plan);
        break;
    default:
        walk_field(f, c.test, a, plan);
    }
}
