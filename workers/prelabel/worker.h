/* The worker's threads: claim (the main thread) -> fetch and decode -> infer -> post, and the
 * heartbeats apart. Items move by queues; every item that was claimed ends in held_end(), whatever
 * happens to it, or its lease runs out with the process. */
#ifndef PRELABEL_WORKER_H
#define PRELABEL_WORKER_H

#include "workers/prelabel/queue.h"
#include "workers/prelabel/sandbox.h"
#include "workers/prelabel/server.h"

enum { WORKER_FETCHERS = 2, WORKER_HEARTBEAT_S = SERVER_LEASE_S / 3 };

struct counters {
    _Atomic int64_t claimed, posted, failed, released, lost;
};

struct worker {
    const char *server, *token_file;
    struct lanes lanes;
    struct queue fetch, infer, post;
    struct held held;
    struct counters count;
    atomic_bool stop;   /* claim no more */
    atomic_bool abort;  /* do not even finish: calls under way end early */
    atomic_bool broken; /* the device is gone */
    size_t batch;
};

struct fetcher {
    struct worker *w;
    struct sandbox *sandbox;
    struct http_client *api, *outside;
    struct buf file;
};

/* Thread bodies. A client is made before threads start, one each. */
void *fetch_thread(void *fetcher);
struct stage { /* of the threads that only talk to the API, or to nobody */
    struct worker *w;
    struct http_client *api;
};
void *infer_thread(void *stage);
void *post_thread(void *stage);
void *heartbeat_thread(void *stage);

/* Claims until w->stop. */
void claim_loop(struct worker *w, struct http_client *api);

#endif
