/* A budget of elementary steps, so that comparing hostile documents ends. Deterministic: it counts
 * steps, never time. What the budget does not reach counts as disagreement. */
#ifndef CORE_EFFORT_H
#define CORE_EFFORT_H

#include <stdbool.h>
#include <stddef.h>

/* What comparing the documents of one task may take: about a second. */
enum { EFFORT_MOST = 400000000 };

struct effort {
    size_t left;
};

/* False, and nothing spent, when `steps` are more than what is left: smaller work may still fit. */
static inline bool effort_spend(struct effort *e, size_t steps)
{
    if (steps > e->left)
        return false;
    e->left -= steps;
    return true;
}

#endif
