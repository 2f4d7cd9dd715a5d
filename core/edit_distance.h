/* How far apart two texts are: insertions, deletions and replacements of code points. */
#ifndef CORE_EDIT_DISTANCE_H
#define CORE_EDIT_DISTANCE_H

#include "base/str.h"
#include "core/effort.h"

/* Levenshtein distance in code points, in memory linear in the texts. One step of effort is 64
 * cells of the table, with a and b's common beginning and end cut off first; where that does not
 * reach, all that is left of the longer one counts as different (an upper bound). */
size_t edit_distance(struct str a, struct str b, struct effort *effort);

/* 1 - distance / length of the longer: 0..1; two empty texts: 1. */
double edit_similarity(struct str a, struct str b, struct effort *effort);

#endif
