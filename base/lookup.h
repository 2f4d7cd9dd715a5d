/* A lookup: numbers by string, for finding one of many without walking them all. Slots are chosen
 * by SHA-256, so that no choice of strings makes it slow. Never copies a string, never grows. */
#ifndef BASE_LOOKUP_H
#define BASE_LOOKUP_H

#include "base/arena.h"

struct lookup_slot;

struct lookup {
    struct lookup_slot *slots;
    size_t mask; /* slots - 1 */
    size_t left; /* strings that there is room for */
};

#define LOOKUP_NONE SIZE_MAX

/* In the arena, with room for `most` strings. */
void lookup_init(struct lookup *l, struct arena *a, size_t most);
/* LOOKUP_NONE when it is not there. */
size_t lookup_find(const struct lookup *l, struct str key);
/* The key, which is borrowed, must not be there yet. */
void lookup_add(struct lookup *l, struct str key, size_t number);

#endif
