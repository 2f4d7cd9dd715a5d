/* Exports of releases into blob storage, as jobs: ordered at the server, made here. */
#ifndef EXPORT_JOB_H
#define EXPORT_JOB_H

#include "base/hash.h"
#include "io/db.h"

/* Makes the oldest export that waits, or that whoever made it left behind. *did: there was one.
 * An export that cannot be made ends as failed with the reason; ERR_UNAVAILABLE and the like leave
 * it to be begun again when its lease has passed. */
enum err job_next(struct db_sync *db, bool *did) MUSTCHECK;

#endif
