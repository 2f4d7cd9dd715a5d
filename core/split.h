/* Which part of a release (train, val, test, ...) an item belongs to: by hash, so that adding items
 * never moves old ones, and items with the same group key (a patient, a scene, a video) stay
 * together. h = the first 8 bytes, big-endian, of SHA-256(salt, 0x00, key); parts are ranges of h /
 * 2^64. */
#ifndef CORE_SPLIT_H
#define CORE_SPLIT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { SPLIT_PARTS = 16, SPLIT_NAME = 64 };

struct split_part {
    char name[SPLIT_NAME + 1];
    double ratio;
    uint64_t below; /* h < below; the last part takes the rest */
};

struct split {
    int n;
    struct split_part parts[SPLIT_PARTS];
};

/* train 0.8, val 0.1, test 0.1 */
void split_default(struct split *s);
/* A JSON object such as {"train":0.8,"val":0.2}: names of [A-Za-z0-9_-]{1,64}, ratios over 0 that
 * add up to 1. The order of the members counts (the first part takes the lowest hashes), so keep
 * the text as it was given. ERR_INVALID with a JSON pointer (>= 128 bytes) and a reason (>= 128
 * bytes). */
enum err split_parse(struct split *s, struct str json, char *pointer, char *why) MUSTCHECK;
/* The index of the part of s->parts. `key` is the group key, or the task key where there is no
 * group.
 */
int split_of(const struct split *s, struct str salt, struct str key);

#endif
