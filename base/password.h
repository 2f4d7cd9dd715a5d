/* Passwords as crypt(3) yescrypt strings. Knows nothing of users; never keeps or logs a password.
 * Both calls cost some 10 ms and 16 MiB on purpose: a server makes them on a work thread. */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
    PASSWORD_MIN = 8,   /* characters of UTF-8 */
    PASSWORD_MAX = 511, /* bytes: crypt(3) looks no further */
    PASSWORD_HASH_SIZE = 384,
};
#define PASSWORD_RULE "must have at least 8 characters and at most 511 bytes"

/* May it be somebody's password? */
bool password_acceptable(const char *plain);

/* Hashes under a fresh random salt into out (size >= PASSWORD_HASH_SIZE). ERR_INVALID when the
 * password is not acceptable. */
enum err password_hash(const char *plain, char *out, size_t size) MUSTCHECK;

/* True when plain is the password of hash. hash NULL, as for an unknown user or one without a
 * password, costs the same work and is false; so is any hash that is not ours. */
bool password_verify(const char *plain, const char *hash);

#endif
