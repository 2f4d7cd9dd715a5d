/* A hash table from texts to numbers that keeps no text: a key is 128 bits of its SHA-256, so two
 * keys are one only by an accident that does not happen. */
#ifndef CLI_DIGEST_MAP_H
#define CLI_DIGEST_MAP_H

#include <stdbool.h>

#include "base/str.h"

struct digest_map {
    struct digest_slot *slots; /* 2^k of them, at most half in use */
    size_t cap, n;
};

void digest_map_init(struct digest_map *m);
void digest_map_release(struct digest_map *m);

/* The number of key; *fresh when it was not there, and the number is 0 then. Good until the next
 * call. */
int64_t *digest_map_at(struct digest_map *m, struct str key, bool *fresh);

#endif
