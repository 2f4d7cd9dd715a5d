/* Owns making a loop thread's context, and messages to all of them. Never handles a
 * request. */
#include "annotate-server/context.h"

#include <stdlib.h>

struct thread_ctx *context_new(struct server *s, const struct db_options *db)
{
    struct thread_ctx *c = calloc(1, sizeof(*c));

    BUG_ON(!c);
    c->server = s;
    c->loop = loop_new();
    c->db = db_pool_new(c->loop, db);
    c->batches = batch_set_new(c);
    token_cache_init(&c->tokens, &s->keys);
    memo_init(&c->api_tokens, 4096);
    memo_init(&c->users, 16384);
    memo_init(&c->roles, 16384);
    memo_init(&c->objects, 65536);
    return c;
}

struct db_load context_load(const struct server *s)
{
    struct db_load sum = {0, 0};

    for (int i = 0; i < s->nthreads; i++)
        db_pool_load(s->threads[i]->db, &sum);
    return sum;
}

struct message {
    void (*fn)(struct thread_ctx *, int64_t, int64_t, int64_t);
    struct thread_ctx *to;
    int64_t tenant, a, b;
};

static void deliver(void *arg)
{
    struct message *m = arg;

    m->fn(m->to, m->tenant, m->a, m->b);
    free(m);
}

void context_broadcast(struct server *s, void (*fn)(struct thread_ctx *, int64_t, int64_t, int64_t),
    int64_t tenant, int64_t a, int64_t b)
{
    for (int i = 0; i < s->nthreads; i++) {
        struct message *m = calloc(1, sizeof(*m));
        BUG_ON(!m);
        *m = (struct message){fn, s->threads[i], tenant, a, b};
        loop_post(s->threads[i]->loop, deliver, m);
    }
}
