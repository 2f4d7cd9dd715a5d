/* One round of a duty that catches up on what has changed: read which, work on them. */
#ifndef UPKEEP_STALE_H
#define UPKEEP_STALE_H

#include "io/db.h"

/* Reads up to n rows of `list`, a statement whose one parameter is that number, and hands them to
 * mend() when there are any; what it has done goes into *rows. */
enum err stale_run(struct db_sync *db, enum statement list, int64_t n,
    enum err (*mend)(struct db_sync *db, const PGresult *stale, struct arena *a, int64_t *rows),
    int64_t *rows) MUSTCHECK;

#endif
