/* Keeping the storage, a bounded step a round: collection (storage/collect.h), the merge of small
 * packs (storage/merge.h), hashing again (storage/scrub.h). */
#ifndef UPKEEP_STORAGE_KEEP_H
#define UPKEEP_STORAGE_KEEP_H

#include "io/db.h"

/* Looks at the next objects of the store, removes some packs that are dead for long enough. *rows:
 * how many it removed. Any number of workers may: they share the place of the walk. */
enum err storage_collect_run(struct db_sync *db, int64_t unused, int64_t *rows) MUSTCHECK;

/* Makes one pack of small ones, if a tenant has packs_min of them. *rows: how many it was. */
enum err storage_merge_run(struct db_sync *db, int64_t packs_min, int64_t *rows) MUSTCHECK;

/* Hashes again as much as --scrub-rate-kb allows in a second. *rows: objects. */
enum err storage_scrub_run(struct db_sync *db, int64_t unused, int64_t *rows) MUSTCHECK;

#endif
