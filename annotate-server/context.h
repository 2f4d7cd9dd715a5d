/* What a loop thread has: its loop, its database pool, its batches and memories; and what the
 * process shares. Handlers reach all of it through req->ctx. Nothing here is locked: a context
 * belongs to its thread, the server's members are read-only after start or thread-safe themselves.
 */
#ifndef SERVER_CONTEXT_H
#define SERVER_CONTEXT_H

#include "annotate-server/auth/rate.h"
#include "annotate-server/auth/token_cache.h"
#include "annotate-server/memo.h"
#include "io/batch.h"
#include "io/db.h"
#include "io/loop.h"
#include "io/work.h"
#include "storage/blob.h"

struct http_server;
struct project;
struct park;
struct events;
struct limit;
struct queue_head;
struct wake;

enum { MAX_THREADS = 64, PROJECT_BUCKETS = 256 };

struct server {
    struct blob_store blobs;
    struct work_pool *work;
    struct key_set keys;
    struct rate users, tenants, failed_logins;
    struct limit *streams; /* of events, a person */
    struct wake *wake;     /* between servers; NULL: alone */
    int nthreads;
    struct thread_ctx *threads[MAX_THREADS];
};

struct thread_ctx {
    struct server *server;
    struct loop *loop;
    struct db_pool *db;
    struct batch_set *batches;
    struct http_server *http;
    struct token_cache tokens;
    struct memo api_tokens; /* (tenant, id, hash, hash) -> user, admin */
    struct memo users;      /* (tenant, user) -> admin, disabled, token epoch (auth/gate.c) */
    uint64_t user_changes;  /* grows when a user is forgotten: what was asked before is not kept */
    struct memo roles;      /* (tenant, project, user) -> role */
    struct memo objects;    /* (tenant, kind, id) -> project; never changes */
    struct project *projects[PROJECT_BUCKETS];
    struct park *park;              /* claims that wait for work */
    struct events *events;          /* who listens to events */
    struct queue_head *queue_heads; /* api/queue_head.h */
};

/* For the life of the process. Its waiting list is park_init()'s. */
struct thread_ctx *context_new(struct server *s, const struct db_options *db);

/* Runs fn(ctx, tenant, a, b) in every loop thread, this one included: for forgetting and waking. */
void context_broadcast(struct server *s, void (*fn)(struct thread_ctx *, int64_t, int64_t, int64_t),
    int64_t tenant, int64_t a, int64_t b);

/* What all loop threads have to do for people in the database (io/db.h). */
struct db_load context_load(const struct server *s);

#endif
