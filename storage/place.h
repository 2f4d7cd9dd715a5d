/* Where a walk through the storage stands, by name, kept in the database. */
#ifndef STORAGE_PLACE_H
#define STORAGE_PLACE_H

#include "io/db.h"

/* Appends it; nothing when the walk has not begun. */
enum err place_get(struct db_sync *db, const char *name, struct buf *place) MUSTCHECK;
enum err place_set(struct db_sync *db, const char *name, const struct buf *place) MUSTCHECK;

#endif
