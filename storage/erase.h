/* Erasure of label documents out of packs: their bytes are overwritten with blanks, at once. Every
 * other document stays where it is, so nobody who reads one notices. Copies are erased as well: in
 * merged packs that are kept for the grace period, in packs that a crash left without a row, and
 * documents of live packs that no row names. All of it under pack_lock(), with the worker's role.
 */
#ifndef STORAGE_ERASE_H
#define STORAGE_ERASE_H

#include "io/db.h"
#include "storage/pack.h"

struct erase_place {
    int64_t off, bytes;
};

/* Overwrites these ranges of a pack; what lies beyond its end, or in a pack that is not there, is
 * gone already. */
enum err erase_places(struct blob_store *s, int64_t tenant, struct pack_id id,
    const struct erase_place *places, size_t n) MUSTCHECK;

struct erase_walk {
    struct db_sync *db;
    struct blob_store *blobs;
    int64_t tenant;
    int64_t found; /* copies erased so far */
    bool wait;     /* somebody may be at work with the next pack: the same step again later */
};

/* Looks for copies of erased documents in the next packs behind `place`, which it moves on: ""
 * before the first and again after the last. A store that cannot list has been looked at. */
enum err erase_copies(struct erase_walk *w, struct buf *place) MUSTCHECK;

#endif
