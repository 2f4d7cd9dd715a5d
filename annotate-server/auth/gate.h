/* The one gate before every handler: who asks (token), which project it is about, and whether the
 * role may (routes.c). Sets r->who and r->project. Answers 401, 403, 404 itself; 404 also for
 * whatever belongs to another tenant (I8). */
#ifndef AUTH_GATE_H
#define AUTH_GATE_H

#include "annotate-server/http/route.h"

/* struct http_options.gate. */
void gate_check(struct req *r);

/* A role changed: forget it in every thread. */
void gate_forget_role(struct thread_ctx *c, int64_t tenant, int64_t project, int64_t user);
void gate_forget_token(struct thread_ctx *c);
/* A user was changed: forget who they are, in this thread; for context_broadcast(). */
void gate_forget_user(struct thread_ctx *c, int64_t tenant, int64_t user, int64_t unused);
/* An assignment's project is known without a look-up: claims tell. */
void gate_learn(
    struct thread_ctx *c, int64_t tenant, enum object kind, int64_t id, int64_t project);

/* 429 with Retry-After. */
void rate_fail(struct req *r, int64_t wait_ms, const char *what);

bool role_parse(struct str name, enum role *out);
const char *role_name(enum role role);
/* The MAY_* bit of a role. */
unsigned role_may(enum role role);

#endif
