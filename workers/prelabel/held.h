/* All leases that the worker holds, from claim to end: what the heartbeats extend, and the credits
 * (bytes and items in flight) that say how much more may be claimed. */
#ifndef PRELABEL_HELD_H
#define PRELABEL_HELD_H

#include <pthread.h>

#include "workers/prelabel/item.h"

enum { HELD_MAX = 400, HELD_RECENT = 1024 }; /* below the 500 that one claim may ask to hold */

struct lease {
    int64_t assignment, version;
};

struct held {
    pthread_mutex_t lock;
    pthread_cond_t fewer;
    struct item *first;
    size_t n, bytes;
    size_t max_n, max_bytes;
    struct lease recent[HELD_RECENT]; /* the last that ended: a claim that was on its way then may
                                         bring them once more */
    size_t ended;
};

void held_init(struct held *h, size_t max_n, size_t max_bytes);
void held_release(struct held *h); /* must be empty */

/* How many more items of this route the credits allow, at most `want`; one at least when nothing is
 * held, so that an item bigger than all credit passes alone. */
size_t held_room(struct held *h, const struct route *r, size_t want);
size_t held_count(struct held *h, int64_t project);
/* False when that very lease (assignment and version) is held, or has ended just now. */
bool held_add(struct held *h, struct item *i);
/* The item has ended: forgets and frees it. */
void held_end(struct held *h, struct item *i);

/* All leases held now; max >= max_n. */
size_t held_list(struct held *h, struct lease *out, size_t max);
/* The lease is another's now. */
void held_lost(struct held *h, struct lease l);
/* Until something ended, or ms have passed. */
void held_wait(struct held *h, int ms);
/* Until nothing is held, or ms have passed; true when nothing is. */
bool held_drain(struct held *h, int ms);

#endif
