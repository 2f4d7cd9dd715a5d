/* Owns the slots of a lookup: open addressing, at most half of them taken. */
#include "base/lookup.h"

#include "base/hash.h"

struct lookup_slot {
    struct str key;
    size_t number;
    bool taken;
};

void lookup_init(struct lookup *l, struct arena *a, size_t most)
{
    size_t n = 2;

    while (n / 2 < most)
        n *= 2;
    *l = (struct lookup){arena_array(a, n, sizeof(*l->slots)), n - 1, most};
}

/* Where the key is, or would be. */
static struct lookup_slot *slot_of(const struct lookup *l, struct str key)
{
    size_t i = (size_t)sha256_u64(sha256_of(key)) & l->mask;

    while (l->slots[i].taken && !str_eq(l->slots[i].key, key))
        i = (i + 1) & l->mask;
    return &l->slots[i];
}

size_t lookup_find(const struct lookup *l, struct str key)
{
    const struct lookup_slot *slot = slot_of(l, key);

    return slot->taken ? slot->number : LOOKUP_NONE;
}

void lookup_add(struct lookup *l, struct str key, size_t number)
{
    struct lookup_slot *slot = slot_of(l, key);

    BUG_ON(slot->taken || l->left == 0);
    l->left--;
    *slot = (struct lookup_slot){key, number, true};
}
