/* What tasks can be found by in their head labels: read out of the label documents in blob storage
 * into task_field. */
#ifndef UPKEEP_LABEL_INDEX_H
#define UPKEEP_LABEL_INDEX_H

#include "io/db.h"

/* One round of at most n tasks; *rows = how many. A label that cannot be read for now is read again
 * at the next round; one that is broken has no terms. */
enum err label_index_run(struct db_sync *db, int64_t n, int64_t *rows) MUSTCHECK;

#endif
