/* Many HTTP requests at once over shared connections: one thread that owns a libcurl multi handle
 * and waits on all sockets together. Callers on any thread hand in a request and wait for its end,
 * so an interface that blocks stays as it is while its transfers share connections, TLS sessions
 * and names. No redirects, no proxy, no .netrc. Never retries, and never logs. */
#ifndef IO_HTTP_MULTI_H
#define IO_HTTP_MULTI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct http_multi;

/* A header of the answer that the caller wants; "" when there was none. */
struct http_field {
    const char *name;
    char value[128];
};

/* One request and its answer. All pointers are the caller's and must live until the call returns.
 */
struct http_exchange {
    const char *method, *url;
    const char *const *headers; /* NULL-terminated "Name: value", or NULL */
    const struct str *parts;    /* the body, in pieces; PUT and POST always have one */
    size_t nparts;
    int connect_ms, stall_s; /* both > 0; slower than 100 bytes/s for stall_s is ERR_TIMEOUT */
    int64_t total_ms;        /* the whole exchange; 0: no limit */
    struct http_field *fields;
    size_t nfields;
    struct buf *into;    /* the body of a 2xx answer is appended; ERR_FULL beyond its maximum */
    struct buf *refusal; /* the beginning of any other answer's body */

    int status;     /* 0 when none came whole */
    int64_t length; /* Content-Length; -1 when there was none */
    char why[160];  /* after an error: what failed, without the address */
};

/* Starts the thread, with all signals blocked in it. NULL when there can be none. The first of a
 * process must be made before other threads are started. */
struct http_multi *http_multi_new(void);
/* The same for addresses that users typed: https alone, and each address is checked when its socket
 * is opened, as io/http_client.h has it. A connection is never shared with one of the other kind.
 */
struct http_multi *http_multi_new_guarded(void);
/* No call may be under way. NULL is fine. */
void http_multi_free(struct http_multi *m);

/* ERR_OK when a whole answer came, whatever its status. Else ERR_UNAVAILABLE (no connection, cut
 * off, a body shorter than announced), ERR_TIMEOUT, ERR_FULL, ERR_INVALID (address or header),
 * ERR_FORBIDDEN (guard), ERR_NO_MEMORY; `into` is as it was then, and after any status but 2xx. */
enum err http_multi_call(struct http_multi *m, struct http_exchange *x) MUSTCHECK;

#endif
