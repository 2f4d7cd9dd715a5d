/* Owns the counts of open connections. Never closes one. */
#include "annotate-server/http/limit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Addresses in use, an open hash table with room for twice the connections. */
struct place {
    uint64_t address; /* 0: never used */
    int open;
};

struct limit {
    _Atomic int open;
    int max, per_address;
    pthread_mutex_t lock; /* guards the table */
    size_t mask, used;    /* used: places with an address, whether open or not */
    struct place *table;
};

static size_t table_size(int max)
{
    size_t n = 16;

    while (n < (size_t)max * 4)
        n *= 2;
    return n;
}

struct limit *limit_new(int max, int per_address)
{
    struct limit *l = calloc(1, sizeof(*l));

    BUG_ON(!l || max < 1);
    l->max = max;
    l->per_address = per_address;
    pthread_mutex_init(&l->lock, NULL);
    if (per_address > 0) {
        l->mask = table_size(max) - 1;
        l->table = calloc(l->mask + 1, sizeof(l->table[0]));
        BUG_ON(!l->table);
    }
    return l;
}

void limit_free(struct limit *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->table);
    free(l);
}

bool limit_full(const struct limit *l)
{
    return atomic_load_explicit(&l->open, memory_order_relaxed) >= l->max;
}

uint64_t limit_address(const struct sockaddr *sa)
{
    uint64_t v = 0;

    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        v = in->sin_addr.s_addr;
        v |= 1ULL << 32; /* never 0 */
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
        memcpy(&v, in6->sin6_addr.s6_addr, sizeof(v));
        v = v ? v : 1;
    }
    return v;
}

static struct place *place_of(struct limit *l, uint64_t address)
{
    size_t i = (size_t)((address * 0x9e3779b97f4a7c15ULL) >> 20) & l->mask;

    while (l->table[i].address && l->table[i].address != address)
        i = (i + 1) & l->mask;
    return &l->table[i];
}

/* Forgets addresses without connections: rebuilds the table from those that have some. */
static void sweep(struct limit *l)
{
    struct place *old = l->table;

    l->table = calloc(l->mask + 1, sizeof(l->table[0]));
    BUG_ON(!l->table);
    l->used = 0;
    for (size_t i = 0; i <= l->mask; i++) {
        if (old[i].open == 0)
            continue;
        *place_of(l, old[i].address) = old[i];
        l->used++;
    }
    free(old);
}

static bool take_address(struct limit *l, uint64_t address)
{
    bool ok = false;

    pthread_mutex_lock(&l->lock);
    if (l->used > l->mask / 2)
        sweep(l);
    struct place *p = place_of(l, address);
    if (p->open < l->per_address) {
        if (!p->address) {
            p->address = address;
            l->used++;
        }
        p->open++;
        ok = true;
    }
    pthread_mutex_unlock(&l->lock);
    return ok;
}

enum err limit_enter(struct limit *l, const struct sockaddr *from, struct limit_key *key)
{
    return limit_take(l, limit_address(from), key);
}

enum err limit_take(struct limit *l, uint64_t address, struct limit_key *key)
{
    key->address = l->per_address > 0 ? address : 0;
    if (atomic_fetch_add_explicit(&l->open, 1, memory_order_relaxed) >= l->max) {
        atomic_fetch_sub_explicit(&l->open, 1, memory_order_relaxed);
        return ERR_BUSY;
    }
    if (key->address && !take_address(l, key->address)) {
        atomic_fetch_sub_explicit(&l->open, 1, memory_order_relaxed);
        return ERR_RATE;
    }
    return ERR_OK;
}

void limit_leave(struct limit *l, struct limit_key key)
{
    atomic_fetch_sub_explicit(&l->open, 1, memory_order_relaxed);
    if (!key.address)
        return;
    pthread_mutex_lock(&l->lock);
    place_of(l, key.address)->open--;
    pthread_mutex_unlock(&l->lock);
}
