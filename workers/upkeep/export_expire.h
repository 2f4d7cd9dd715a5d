/* Removing exports whose time is over. */
#ifndef UPKEEP_EXPORT_EXPIRE_H
#define UPKEEP_EXPORT_EXPIRE_H

#include "io/db.h"

/* At most n; *rows = how many. Storage that does not answer leaves them for the next round. */
enum err export_expire_run(struct db_sync *db, int64_t n, int64_t *rows) MUSTCHECK;

#endif
