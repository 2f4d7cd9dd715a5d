/* Taking deleted releases away. */
#ifndef EXPORT_REMOVE_H
#define EXPORT_REMOVE_H

#include "io/db.h"

/* A bounded part of one deleted release. *did: there was something to take away. */
enum err remove_next(struct db_sync *db, bool *did) MUSTCHECK;

#endif
