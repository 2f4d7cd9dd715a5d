/* Owns the queues before batched statements. Never holds an item back while its key is idle. */
#include "io/batch.h"

#include <stdlib.h>

enum { BUCKETS = 256 };

struct queue { /* of one key; exists while it has work or a batch is out */
    struct queue *next;
    struct batch_key key;
    struct batch_item *head, **tail;
    bool busy;
};

struct batch_set {
    void *ctx;
    struct queue *buckets[BUCKETS];
};

struct batch_set *batch_set_new(void *ctx)
{
    struct batch_set *s = calloc(1, sizeof(*s));

    BUG_ON(!s);
    s->ctx = ctx;
    return s;
}

void batch_set_free(struct batch_set *s)
{
    for (size_t i = 0; s && i < BUCKETS; i++)
        BUG_ON(s->buckets[i]);
    free(s);
}

static bool same(const struct batch_key *a, const struct batch_key *b)
{
    return a->kind == b->kind && a->tenant == b->tenant && a->project == b->project &&
           a->extra == b->extra;
}

static struct queue **find(struct batch_set *s, const struct batch_key *key)
{
    uint64_t h = (uintptr_t)key->kind;

    h = (h ^ (uint64_t)key->tenant) * 0x9e3779b97f4a7c15U;
    h = (h ^ (uint64_t)key->project) * 0x9e3779b97f4a7c15U;
    h = (h ^ (uint64_t)key->extra) * 0x9e3779b97f4a7c15U;
    struct queue **q = &s->buckets[h >> 56];
    while (*q && !same(&(*q)->key, key))
        q = &(*q)->next;
    return q;
}

/* Moves from the queue what fits into one batch, in order of arrival; the rest keeps its order. */
static void fill(struct queue *q, struct batch *b)
{
    struct batch_item **from = &q->head, **to = &b->items;
    int weight = 0;

    while (*from) {
        struct batch_item *item = *from;
        if (b->n && weight + item->weight > q->key.kind->max_weight)
            break;
        if (b->n && q->key.kind->fits && !q->key.kind->fits(b, item)) {
            from = &item->next;
            continue;
        }
        *from = item->next;
        item->next = NULL;
        *to = item;
        to = &item->next;
        weight += item->weight;
        b->n++;
    }
    if (!*from) /* all have been looked at: the end may have gone */
        q->tail = from;
}

static void start(struct batch_set *s, struct queue *q)
{
    struct batch *b = calloc(1, sizeof(*b));

    BUG_ON(!b);
    b->key = q->key;
    b->arena = arena_new();
    b->ctx = s->ctx;
    b->set = s;
    q->busy = true;
    fill(q, b);
    q->key.kind->run(b);
}

void batch_add(struct batch_set *s, const struct batch_key *key, struct batch_item *item)
{
    struct queue **at = find(s, key), *q = *at;

    if (!q) {
        q = calloc(1, sizeof(*q));
        BUG_ON(!q);
        q->key = *key;
        q->tail = &q->head;
        *at = q;
    }
    item->next = NULL;
    *q->tail = item;
    q->tail = &item->next;
    if (!q->busy)
        start(s, q);
}

void batch_end(struct batch *b)
{
    struct batch_set *s = b->set;
    struct queue **at = find(s, &b->key), *q = *at;

    BUG_ON(!q || !q->busy);
    arena_free(b->arena);
    free(b);
    q->busy = false;
    if (q->head) {
        start(s, q);
        return;
    }
    *at = q->next;
    free(q);
}
