/* Owns the fixed table of memo.h. Never allocates after memo_init. */
#include "annotate-server/memo.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"

struct memo_slot {
    struct memo_key key;
    int64_t value, until_us; /* until_us 0: empty */
};

void memo_init(struct memo *m, size_t slots)
{
    BUG_ON(slots == 0 || (slots & (slots - 1)));
    m->slots = calloc(slots, sizeof(*m->slots));
    BUG_ON(!m->slots);
    m->mask = slots - 1;
}

void memo_release(struct memo *m)
{
    free(m->slots);
    m->slots = NULL;
}

static struct memo_slot *slot(const struct memo *m, struct memo_key k)
{
    uint64_t h = (uint64_t)k.a;

    h = (h ^ (uint64_t)k.b) * 0x9e3779b97f4a7c15U;
    h = (h ^ (uint64_t)k.c) * 0x9e3779b97f4a7c15U;
    h = (h ^ (uint64_t)k.d) * 0x9e3779b97f4a7c15U;
    h ^= h >> 32;
    return &m->slots[h & m->mask];
}

static bool same(struct memo_key x, struct memo_key y)
{
    return x.a == y.a && x.b == y.b && x.c == y.c && x.d == y.d;
}

bool memo_get(const struct memo *m, struct memo_key key, int64_t *value)
{
    const struct memo_slot *s = slot(m, key);

    if (!s->until_us || !same(s->key, key) || s->until_us < clock_mono_us())
        return false;
    *value = s->value;
    return true;
}

void memo_put(struct memo *m, struct memo_key key, int64_t value, int64_t ttl_ms)
{
    *slot(m, key) = (struct memo_slot){key, value, clock_mono_us() + ttl_ms * 1000};
}

void memo_forget(struct memo *m, struct memo_key key)
{
    struct memo_slot *s = slot(m, key);

    if (same(s->key, key))
        s->until_us = 0;
}
