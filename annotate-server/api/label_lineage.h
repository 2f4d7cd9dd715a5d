/* What each version of a task's label was made from, as blame walks it. */
#ifndef API_LABEL_LINEAGE_H
#define API_LABEL_LINEAGE_H

#include "annotate-server/api/content.h"
#include "core/label_blame.h"

struct lineage {
    size_t n;                      /* versions, oldest first; the last one is looked at */
    struct blame_version *parents; /* by version */
    struct content *places;        /* by version; their buffers are not used */
    struct str *shown;             /* by version: its object's members, without braces */
    int64_t *ids;                  /* by version */
    bool cut;                      /* there are older ones */
};

/* From the rows of label_ancestry, at most `most` of them; all in the arena. A version comes from
 * its parent and, of a merge, from what was merged; what was restored or adopted comes from the
 * newest version with the same bytes; what a person made comes also from what each model had said
 * by then, newest, as that was shown. ERR_INTERNAL when a row is damaged. */
enum err lineage_read(
    struct arena *a, const PGresult *res, size_t most, struct lineage *l) MUSTCHECK;

#endif
