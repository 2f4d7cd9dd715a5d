/* Hashing everything again: a disk may lose or change what it was given, and who reads a document
 * (ERR_CORRUPT, I6) may come years later. Labels pack by pack, then media; then the walk is over
 * and begins anew. What is missing or corrupt is an error in the log and a row of scrub_finding,
 * until it is found to be good again. */
#ifndef STORAGE_SCRUB_H
#define STORAGE_SCRUB_H

#include "io/db.h"
#include "storage/blob.h"

struct scrub {
    struct db_sync *db; /* the worker's role */
    struct blob_store *blobs;
    struct buf place;        /* "" before the first and after the last object */
    int64_t labels, media;   /* hashed so far */
    int64_t bytes, findings; /* read so far; found missing or corrupt */
    struct sha256_ctx *hash; /* of media that are read in steps: */
    struct sha256 media_id;  /* which, */
    int64_t media_tenant;    /* whose */
    int64_t off;             /* and how far */
};

/* place: where to begin, as an earlier walk left it. */
void scrub_init(struct scrub *s, struct db_sync *db, struct blob_store *blobs, struct str place);
void scrub_release(struct scrub *s);

/* One pack, or at most SCRUB_STEP bytes of media. *read: bytes. The walk is over when the place is
 * "" again. An error is the database's, or the store's when it does not answer: the same step again
 * later. */
enum { SCRUB_STEP = 1 << 20 };
enum err scrub_step(struct scrub *s, int64_t *read) MUSTCHECK;

#endif
