/* What several documents of one task say together: which of their regions are one, and how each
 * question is decided. The steps of agreement_merge(). */
#ifndef CORE_MERGE_PLAN_H
#define CORE_MERGE_PLAN_H

#include "core/agreement_pair.h"

/* Regions of several documents that are one region. */
struct cluster {
    const struct view_region *members[AGREEMENT_DOCS]; /* by document; NULL: it has none */
    size_t first;                                      /* the document that is followed */
    size_t count;
    bool keep;
    struct str id;             /* in the merged document */
    struct json_object *place; /* members of the value to set; NULL: as the first has them */
};

/* What becomes of one item of one document. */
struct planned {
    bool emit;
    const struct cluster *about; /* NULL: the whole object */
    struct json_object *said;    /* NULL: as the item has it */
};

struct merge_plan {
    struct agreement_set *set;
    size_t order[AGREEMENT_DOCS]; /* of documents, the one that speaks for the most first */
    struct cluster *clusters;
    size_t nclusters;
    size_t *cluster_of[AGREEMENT_DOCS];    /* by document and region */
    struct planned *items[AGREEMENT_DOCS]; /* by document and item */
    struct json_object *ids;               /* those given away, as keys */
    struct json_object *kept;              /* owns places and saids */
};

/* Most of n, or half with the document that speaks for the most. */
bool merge_majority(size_t count, size_t n, bool with_first);

/* An id nobody has yet: `wish`, or one drawn from it. */
struct str merge_id(struct merge_plan *p, struct str wish);

/* merge_regions.c: forms the clusters and decides which stay and where they lie. */
void merge_regions(struct merge_plan *p);
/* merge_answers.c: decides the answers, about the whole object and about the clusters that stay. */
void merge_answers(struct merge_plan *p);

#endif
