/* A small memory of answers from the database: four numbers to one, for a time. Direct-mapped and
 * of fixed size, so it cannot grow (I9): a newer answer takes an older one's place. One a loop
 * thread, never shared. */
#ifndef SERVER_MEMO_H
#define SERVER_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memo_key {
    int64_t a, b, c, d;
};

struct memo {
    struct memo_slot *slots;
    size_t mask;
};

/* slots: a power of two. */
void memo_init(struct memo *m, size_t slots);
void memo_release(struct memo *m);
bool memo_get(const struct memo *m, struct memo_key key, int64_t *value);
void memo_put(struct memo *m, struct memo_key key, int64_t value, int64_t ttl_ms);
void memo_forget(struct memo *m, struct memo_key key);

#endif
