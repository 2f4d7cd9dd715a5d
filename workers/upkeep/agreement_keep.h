/* Agreement over whole projects: what people's submissions of one task say of each control, in
 * pairs, and its sums (core/coding.h). */
#ifndef UPKEEP_AGREEMENT_KEEP_H
#define UPKEEP_AGREEMENT_KEEP_H

#include "io/db.h"

/* One round of at most n tasks whose submissions changed; *rows = how many. What storage does not
 * give for now is compared at a later round; a broken document says nothing. */
enum err agreement_keep_run(struct db_sync *db, int64_t n, int64_t *rows) MUSTCHECK;

#endif
