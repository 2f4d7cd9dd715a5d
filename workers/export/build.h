/* Building a release: freeze the items, draw the splits, compute the root, announce it; all in one
 * transaction, so a release is whole or not there, and a killed builder leaves nothing behind. */
#ifndef EXPORT_BUILD_H
#define EXPORT_BUILD_H

#include <stdbool.h>

#include "io/db.h"

/* Takes the oldest release that waits and builds it. *did = there was one. ERR_UNAVAILABLE: the
 * database; try again later. A release that cannot be built is marked failed, with the reason, and
 * is no error here. */
enum err build_next(struct db_sync *db, bool *did) MUSTCHECK;

#endif
