/* Pairing things of two sides one to one, so that the sum of the weights is the greatest: the
 * Hungarian method, where it is affordable. */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H

#include <stdint.h>

#include "base/arena.h"
#include "core/effort.h"

enum { MATCH_HUNGARIAN_MAX = 300 };
#define MATCH_NONE UINT32_MAX

struct match_edge {
    uint32_t a, b; /* one of na, one of nb; a pair comes once */
    double weight; /* > 0 */
};

struct match {
    uint32_t partner; /* MATCH_NONE: nobody */
    double weight;    /* of the edge to it */
};

/* of_a[i]: the partner of i; na entries. What hangs together by edges is solved by
 * itself: exactly up to MATCH_HUNGARIAN_MAX on its larger side, beyond that, or where the effort
 * does not reach, greedily from the heaviest edge down (at least half of the best sum). Sorts
 * `edges`. Memory for the work comes from `mem`. */
void match_best(struct arena *mem, struct match_edge *edges, size_t n, size_t na, size_t nb,
    struct effort *effort, struct match *of_a);

#endif
