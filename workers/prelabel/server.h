/* What the worker says to the API and hears from it, call by call. Each function uses the caller's
 * own client. Errors: those of http_client_call(), and http_answer_err() of an answer that is no
 * success; ERR_BAD_JSON for one that is not what docs/api.md promises. */
#ifndef PRELABEL_SERVER_H
#define PRELABEL_SERVER_H

#include "io/http_client.h"
#include "workers/prelabel/held.h"

enum { SERVER_PROJECTS = 256, SERVER_LEASE_S = 120, SERVER_POST = 100 };

/* The projects in which we have the role `model`, at most SERVER_PROJECTS of them. */
enum err server_projects(struct http_client *c, int64_t *out, size_t *n) MUSTCHECK;
/* The label config and its version; the caller releases `config`. */
enum err server_project(struct http_client *c, int64_t project, struct buf *config) MUSTCHECK;

/* Claims until `count` are held and calls fn for each of the answer. address.p is NULL when the
 * task has no text in the route's field. */
enum err server_claim(struct http_client *c, struct route *r, size_t count, int wait_s,
    void (*fn)(void *arg, struct route *r, int64_t assignment, int64_t version, int64_t task,
        struct str address),
    void *arg) MUSTCHECK;

/* Extends n leases and calls lost(arg, lease) for each that is another's by now. */
enum err server_heartbeat(struct http_client *c, const struct lease *leases, size_t n,
    void (*lost)(void *arg, struct lease l), void *arg) MUSTCHECK;

/* Posts the fates FATE_LABEL and FATE_FAILED of items of one project. result[i] is ERR_OK, or why
 * the i-th was not taken. Safe to repeat. */
enum err server_post(
    struct http_client *c, struct item *const *items, size_t n, enum err *result) MUSTCHECK;

enum err server_release(struct http_client *c, const struct item *i) MUSTCHECK;

/* The bytes of a picture: ours (/v1/assets/…) with `api`, any other https address with `outside`,
 * which is guarded. ERR_INVALID for addresses of other kinds. */
enum err server_fetch(struct http_client *api, struct http_client *outside, const char *address,
    struct buf *out) MUSTCHECK;

#endif
