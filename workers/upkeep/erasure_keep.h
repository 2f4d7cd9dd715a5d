/* Carrying out orders of erasure, step by step (docs/storage.md). */
#ifndef UPKEEP_ERASURE_KEEP_H
#define UPKEEP_ERASURE_KEEP_H

#include "io/db.h"

/* A round: at most `most` steps, *rows = how many. A step is bounded and may be done twice, so
 * whatever stops it, another worker goes on where it was. For struct job. */
enum err erasure_keep_run(struct db_sync *db, int64_t most, int64_t *rows) MUSTCHECK;

#endif
