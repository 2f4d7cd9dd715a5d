/* Removes what uploads in parts leave behind: parts of those that are complete, and all of those
 * that nobody has touched for a day. */
#ifndef UPKEEP_UPLOAD_SWEEP_H
#define UPKEEP_UPLOAD_SWEEP_H

#include "io/db.h"

/* A round; at most `most` parts. For struct job. */
enum err upload_sweep_run(struct db_sync *db, int64_t most, int64_t *rows) MUSTCHECK;

#endif
