/* Owns the votes of a merge: which of several people's answers to one question stands. */
#include <stdlib.h>

#include "core/json_tree.h"
#include "core/label_check.h"
#include "core/merge_plan.h"

/* One person's answer, and what it answers. */
struct vote {
    const struct view_answer *answer;
    size_t doc, rank; /* rank: place in the plan's order */
    size_t cluster;   /* VIEW_NONE: about the whole object */
    size_t nth;       /* of a person's several answers to the question */
};

static int order_size(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int by_question(const struct vote *a, const struct vote *b)
{
    int order = order_size(a->cluster, b->cluster);

    order = order ? order : order_size(a->answer->control, b->answer->control);
    order = order ? order : str_cmp(a->answer->to, b->answer->to);
    if (order == 0)
        order = (a->answer->index > b->answer->index) - (a->answer->index < b->answer->index);
    return order;
}

static int by_person(const void *pa, const void *pb)
{
    const struct vote *a = pa, *b = pb;
    int order = by_question(a, b);

    order = order ? order : order_size(a->rank, b->rank);
    return order ? order : order_size(a->answer->at, b->answer->at);
}

static int by_turn(const void *pa, const void *pb)
{
    const struct vote *a = pa, *b = pb;
    int order = by_question(a, b);

    order = order ? order : order_size(a->nth, b->nth);
    return order ? order : order_size(a->rank, b->rank);
}

static size_t list_votes(const struct merge_plan *p, struct vote *votes)
{
    size_t n = 0;

    for (size_t rank = 0; rank < p->set->n; rank++) {
        size_t doc = p->order[rank];
        const struct label_view *v = p->set->views[doc];
        for (size_t i = 0; i < v->nanswers; i++) {
            const struct view_answer *a = &v->answers[i];
            size_t cluster = a->region == VIEW_NONE ? VIEW_NONE : p->cluster_of[doc][a->region];
            if (cluster == VIEW_NONE || p->clusters[cluster].keep)
                votes[n++] = (struct vote){a, doc, rank, cluster, 0};
        }
    }
    qsort(votes, n, sizeof(*votes), by_person);
    for (size_t i = 1; i < n; i++)
        if (votes[i].doc == votes[i - 1].doc && by_question(&votes[i], &votes[i - 1]) == 0)
            votes[i].nth = votes[i - 1].nth + 1;
    qsort(votes, n, sizeof(*votes), by_turn);
    return n;
}

/* ---- deciding one question; the votes come by rank */

static const struct vote *most_frequent(const struct vote *votes, size_t n)
{
    const struct vote *best = votes;
    size_t most = 0;

    for (size_t i = 0; i < n; i++) {
        size_t like = 0;
        for (size_t k = 0; k < n; k++)
            like += str_eq(votes[i].answer->said, votes[k].answer->said);
        if (like > most) {
            most = like;
            best = &votes[i];
        }
    }
    return best;
}

static int by_number(const void *pa, const void *pb)
{
    const struct vote *a = *(const struct vote *const *)pa, *b = *(const struct vote *const *)pb;

    if (a->answer->number != b->answer->number)
        return a->answer->number < b->answer->number ? -1 : 1;
    return order_size(a->rank, b->rank);
}

/* An answer that somebody gave, so of even numbers the lower of the two in the middle. */
static const struct vote *median(const struct vote *votes, size_t n)
{
    const struct vote *sorted[AGREEMENT_DOCS];

    for (size_t i = 0; i < n; i++)
        sorted[i] = &votes[i];
    qsort(sorted, n, sizeof(sorted[0]), by_number);
    return sorted[(n - 1) / 2];
}

struct choice {
    struct str text;
    bool of_first;
};

static int by_text(const void *pa, const void *pb)
{
    return str_cmp(((const struct choice *)pa)->text, ((const struct choice *)pb)->text);
}

/* Each choice that most made; NULL when there is none. */
static struct json_object *most_chosen(struct merge_plan *p, const struct vote *votes, size_t n)
{
    struct json_object *list = json_object_new_array();
    struct choice *choices;
    size_t count = 0;

    json_object_array_add(p->kept, list);
    for (size_t i = 0; i < n; i++)
        count += votes[i].answer->nset;
    choices = arena_array(p->set->arena, count + 1, sizeof(*choices));
    count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < votes[i].answer->nset; k++)
            choices[count++] = (struct choice){votes[i].answer->set[k], i == 0};
    qsort(choices, count, sizeof(*choices), by_text);
    for (size_t i = 0, end; i < count; i = end) {
        struct json_object *one;
        bool of_first = false;
        for (end = i; end < count && str_eq(choices[end].text, choices[i].text); end++)
            of_first = of_first || choices[end].of_first;
        if (merge_majority(end - i, n, of_first) &&
            json_tree_parse(choices[i].text, JSON_DEPTH_MAX, &one, NULL) == ERR_OK)
            json_object_array_add(list, one);
    }
    return json_object_array_length(list) ? list : NULL;
}

static bool any_several(const struct vote *votes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (votes[i].answer->nset > 1)
            return true;
    return false;
}

static void decide(struct merge_plan *p, const struct vote *votes, size_t n)
{
    const struct cluster *about = votes->cluster == VIEW_NONE ? NULL : &p->clusters[votes->cluster];
    const struct vote *best = most_frequent(votes, n);
    struct json_object *said = NULL;
    bool first_has = votes->rank == 0 || (about && votes->doc == about->first);

    if (!merge_majority(n, about ? about->count : p->set->n, first_has))
        return;
    if (votes->answer->kind == VIEW_NUMBER)
        best = median(votes, n);
    if (votes->answer->kind == VIEW_CHOICES && any_several(votes, n))
        said = most_chosen(p, votes, n);
    p->items[best->doc][best->answer->at] =
        (struct planned){.emit = true, .about = about, .said = said};
}

void merge_answers(struct merge_plan *p)
{
    size_t most = 1, n;
    struct vote *votes;

    for (size_t i = 0; i < p->set->n; i++)
        most += p->set->views[i]->nanswers;
    votes = arena_array(p->set->arena, most, sizeof(*votes));
    n = list_votes(p, votes);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1;
             end < n && by_question(&votes[i], &votes[end]) == 0 && votes[end].nth == votes[i].nth;)
            end++;
        decide(p, votes + i, end - i);
    }
}
