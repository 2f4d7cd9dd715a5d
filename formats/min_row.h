/* A task as one flat row, as Label Studio's JSON_MIN and CSV have it: the task's data, then one
 * cell a control of what its items say, then who made the label and when. */
#ifndef FORMATS_MIN_ROW_H
#define FORMATS_MIN_ROW_H

#include "base/lookup.h"
#include "formats/format.h"

struct min_cell {
    struct str name; /* of a data key: between its quotes, escapes and all; else plain */
    struct str json; /* compact */
    const struct label_control *control; /* MIN_SAID */
    enum { MIN_DATA, MIN_SAID, MIN_ABOUT } from;
};

struct min_row {
    struct min_cell *v;
    size_t n;
    struct lookup places; /* of names */
};

/* Everything in the arena. A name comes once: what is said hides a data key of that name, what is
 * about the label hides both. Items of no control (relations) are counted as lost. */
enum err min_row_read(struct exporter *x, const struct export_item *i, struct arena *a,
    struct min_row *row) MUSTCHECK;
/* NULL when there is none. */
struct min_cell *min_row_cell(const struct min_row *row, struct str name);

#endif
