/* How many client connections may be open, in all and from one address. Shared by all loop
 * threads. */
#ifndef HTTP_LIMIT_H
#define HTTP_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct limit;

/* max: all together; per_address: from one IPv4 address or IPv6 /64, 0 = no such limit. */
struct limit *limit_new(int max, int per_address);
void limit_free(struct limit *l);

bool limit_full(const struct limit *l);

/* The number of an address: an IPv4 address or an IPv6 /64; 0 for anything else. */
uint64_t limit_address(const struct sockaddr *from);

/* What a connection counts against; keep it until limit_leave(). */
struct limit_key {
    uint64_t address; /* 0: not counted by address */
};

/* Takes a place. ERR_BUSY: no more in all; ERR_RATE: no more from this address. */
enum err limit_enter(struct limit *l, const struct sockaddr *from, struct limit_key *key) MUSTCHECK;
/* The same for anything else that is counted, by a number that is not 0. */
enum err limit_take(struct limit *l, uint64_t address, struct limit_key *key) MUSTCHECK;
void limit_leave(struct limit *l, struct limit_key key);

#endif
