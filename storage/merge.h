/* Many small packs become one: a busy hour leaves a pack for each batch of submissions, and what
 * reads a whole project wants few large objects. One bounded step a call: read and verify, write
 * one new pack, move the rows in one guarded statement. The old packs are dead then and go after
 * the grace period (collect.h). Whatever stops it, every document has a row that finds it (I1, I6);
 * at worst a new pack is left over that nothing needs. */
#ifndef STORAGE_MERGE_H
#define STORAGE_MERGE_H

#include "io/db.h"
#include "storage/blob.h"

struct merge_limits {
    int64_t packs_min; /* a tenant with fewer small packs is left alone */
    int64_t age_s;     /* packs that are younger are left alone */
};

/* One merge for one tenant; *packs: how many became one, 0 when there was nothing to do. A pack
 * that cannot be read whole is left as it is, with an error in the log, and not tried again. */
enum err merge_packs(struct db_sync *db, struct blob_store *blobs, const struct merge_limits *l,
    int64_t *packs) MUSTCHECK;

#endif
