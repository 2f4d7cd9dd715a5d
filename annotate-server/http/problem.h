/* An error as application/problem+json (RFC 9457). */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/buf.h"
#include "base/err.h"

#define PROBLEM_TYPE "application/problem+json"

struct problem { /* NULL: no such member */
    enum err err;
    const char *request_id, *pointer, *detail;
    const char *extra; /* members without braces */
};

void problem_print(struct buf *out, const struct problem *p);

#endif
