/* Whose turn it is to write of what lies in a tenant's packs: merge and erasure exclude each other,
 * for a document that is erased while it is merged would be written again. A lock of the database's
 * session: it goes with the connection. */
#ifndef STORAGE_PACK_LOCK_H
#define STORAGE_PACK_LOCK_H

#include "io/db.h"

/* Waits for nobody: *held false when another has it. */
enum err pack_lock(struct db_sync *db, int64_t tenant, bool *held) MUSTCHECK;
enum err pack_unlock(struct db_sync *db, int64_t tenant) MUSTCHECK;

#endif
