/* Garbage collection: objects that no row needs go after a grace period. What a crash or a lost
 * race left behind (an object is durable before its row commits, I6), packs whose documents were
 * merged into others or erased, media whose upload never came to its row.
 * A pack goes in two steps: it is marked dead in the database and, when the grace period is over
 * and nothing refers to it still, marked as taken; then its object is removed and its row. Media
 * have a name that comes again: they go only if not stored anew since, which the store itself sees
 * to. Keys of other kinds are left alone. For workers and the CLI, with the worker's role. */
#ifndef STORAGE_COLLECT_H
#define STORAGE_COLLECT_H

#include "io/db.h"
#include "storage/blob.h"

enum {
    COLLECT_OBJECTS = 500,     /* of one call */
    COLLECT_GRACE_MIN_S = 900, /* longer than any write takes from its object to its row */
};

struct collect {
    struct db_sync *db;
    struct blob_store *blobs;
    int64_t grace_s;
    bool dry_run; /* only looks: counts, and changes nothing */
};

struct collected {
    int64_t seen;         /* objects looked at */
    int64_t packs, media; /* found that nothing needs: packs to be removed, media removed */
    int64_t bytes;        /* of those */
    int64_t removed;      /* packs removed for good */
    int64_t waiting;      /* dead packs whose grace period is not over (dry_run only) */
};

/* Looks at the next COLLECT_OBJECTS of the store behind `place`, which it moves on: "" before the
 * first and again after the last. Adds to *sum. ERR_NOT_IMPLEMENTED: the store cannot list. */
enum err collect_walk(struct collect *c, struct buf *place, struct collected *sum) MUSTCHECK;

/* Removes at most COLLECT_OBJECTS packs that are dead for the grace period; *n: how many. */
enum err collect_dead(struct collect *c, struct collected *sum, int64_t *n) MUSTCHECK;

#endif
