/* Owns the table of digest_map.h. Never forgets a key. */
#include "cli/digest_map.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"

enum { FIRST = 1024 };

struct digest_slot {
    uint64_t key[2]; /* both 0: free */
    int64_t value;
};

void digest_map_init(struct digest_map *m)
{
    *m = (struct digest_map){0};
}

void digest_map_release(struct digest_map *m)
{
    free(m->slots);
    digest_map_init(m);
}

static struct digest_slot *find(struct digest_slot *slots, size_t cap, const uint64_t key[2])
{
    size_t i = key[0] & (cap - 1);

    while ((slots[i].key[0] || slots[i].key[1]) &&
           (slots[i].key[0] != key[0] || slots[i].key[1] != key[1]))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void grow(struct digest_map *m)
{
    size_t cap = m->cap ? 2 * m->cap : FIRST;
    struct digest_slot *slots = calloc(cap, sizeof(*slots));

    BUG_ON(!slots);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key[0] || m->slots[i].key[1])
            *find(slots, cap, m->slots[i].key) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

int64_t *digest_map_at(struct digest_map *m, struct str key, bool *fresh)
{
    struct sha256 hash = sha256_of(key);
    uint64_t k[2];

    memcpy(k, hash.b, sizeof(k));
    if (2 * m->n >= m->cap)
        grow(m);
    struct digest_slot *slot = find(m->slots, m->cap, k);
    *fresh = !slot->key[0] && !slot->key[1];
    if (*fresh) {
        memcpy(slot->key, k, sizeof(k));
        m->n++;
    }
    return &slot->value;
}
