/* Joining two people's changes to one label document: a three-way merge by region id against the
 * version that both began from. */
#ifndef CORE_LABEL_MERGE_H
#define CORE_LABEL_MERGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* What only one side changed is taken from it; what both changed alike is taken once. A region only
 * one side added is always there. The fields of an item: its place as one, its labels or answer,
 * each other member. Both changed a field, each in his own way; one removed a region that the
 * other changed; both answered a question anew: conflicts. There `merged` holds ours (what one side
 * removed and the other changed: the change), for a person to go on from: not to be kept as it is.
 * How an item came about (origin, score, lead_time) is no conflict: ours.
 *
 * Appends the merged document, canonical, and the conflicts as a JSON array:
 *   {"base":..., "control":"box", "field":"place", "id":"r1", "ours":..., "theirs":...}
 * `field` is "region" when one side removed all of it, "item" when one of its items, "relation"
 * when `id` is the missing end of a relation; null stands for what is not there. The same conflicts
 * come, sides exchanged, when ours and theirs are. *nconflicts: how many. ERR_INVALID when a
 * document is no array of objects; else buf_err(). The merged document is not checked against the
 * config. */
enum err label_merge(struct str base, struct str ours, struct str theirs, struct buf *merged,
    struct buf *conflicts, size_t *nconflicts) MUSTCHECK;

#endif
