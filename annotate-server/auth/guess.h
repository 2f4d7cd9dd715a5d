/* Guessing a password costs: from one place an account, known or not, may fail ten times, then once
 * a second. */
#ifndef AUTH_GUESS_H
#define AUTH_GUESS_H

#include "annotate-server/http/request.h"

/* Before a password is looked at: counts the try as failed. false: answered 429. *guess is for
 * guess_right(). */
bool guess_begin(struct req *r, struct str email, uint64_t *guess);
/* The password was right: the try costs nothing. */
void guess_right(struct req *r, uint64_t guess);

#endif
