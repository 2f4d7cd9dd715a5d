/* Which tasks a release takes, by its frozen filter. */
#ifndef EXPORT_CHOOSE_H
#define EXPORT_CHOOSE_H

#include "io/db.h"

/* Freezes what the filter (JSON, as core/filter.h reads it) takes of the project's tasks with a
 * label into the release, a page at a time, in the caller's transaction. ERR_INVALID for a filter
 * that cannot be read. */
enum err choose_by_filter(struct db_sync *db, int64_t tenant, int64_t release, int64_t project,
    struct str filter) MUSTCHECK;

#endif
