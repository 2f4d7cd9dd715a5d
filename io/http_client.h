/* A small blocking HTTP client (libcurl) for workers and the CLI: one object = one keep-alive
 * connection set with one base address and one token. Never logs the token, a body or a header;
 * never follows a redirect of the API.
 *
 * Not thread-safe: a thread has its own client. libcurl is set up by the
 * first client of a process, which must be made before threads are started. */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct sockaddr;
struct http_client;

/* All zero = the defaults named here. Strings are copied by http_client_open(). */
struct http_client_options {
    const char *base;          /* "http://host:port[/prefix]"; NULL only with guard */
    const char *token_file;    /* read once, trimmed; NULL or "": no Authorization header */
    int connect_ms;            /* 5000 */
    int total_ms;              /* 60000 for http_client_call(), beyond any wait_s asked for */
    int stall_s;               /* 30: a transfer slower than 100 bytes/s for so long is given up */
    int tries;                 /* 4: the first one and its retries */
    size_t max_body;           /* BUF_MAX_REPLY; more is ERR_FULL. Of a download only when set */
    bool guard;                /* for addresses that users typed: see below */
    const atomic_bool *cancel; /* once true, calls and pauses end early with ERR_UNAVAILABLE */
};

/* The answer to one call. Initialise once with http_answer_init(), reuse for many calls, release
 * at the end. */
struct http_answer {
    int status;
    struct buf body;        /* empty after a download */
    char etag[80];          /* with its quotes; "" when there was none */
    char content_type[128]; /* "" when there was none */
    int64_t retry_after_s;  /* -1 when there was none */
    char why[160];          /* after a transport error: what failed, without the address's query */
};

void http_answer_init(struct http_answer *a);
void http_answer_release(struct http_answer *a);
/* ERR_OK for 2xx; else the error whose slug the problem+json names, else one of that status. */
enum err http_answer_err(const struct http_answer *a) MUSTCHECK;
/* The problem's "detail", or its title, into out; for messages to a person. */
void http_answer_detail(const struct http_answer *a, char *out, size_t size);

/* NULL when base is no http(s) address or the token file cannot be used; the reason is logged. */
struct http_client *http_client_new(const char *base, const char *token_file);
struct http_client *http_client_open(const struct http_client_options *o);
void http_client_free(struct http_client *c);

/* One request. path begins with '/' and is appended to the base. headers: NULL, or a
 * NULL-terminated array of "Name: value" (e.g. "If-Match: \"3\""). body.p NULL = none.
 * content_type NULL = application/json when there is a body (uploads:
 * application/octet-stream).
 * ERR_OK when a whole answer came, whatever its status. Else ERR_UNAVAILABLE (no connection, cut
 * off), ERR_TIMEOUT, ERR_FULL (answer longer than max_body), ERR_FORBIDDEN (guard), ERR_INVALID
 * (address or header not usable), ERR_NO_MEMORY.
 * Retried with growing, jittered pauses: 429 and 503 (Retry-After is honoured up to 30 s), failed
 * connects, and lost answers of GET, HEAD, PUT, DELETE and of requests with an Idempotency-Key. */
enum err http_client_call(struct http_client *c, const char *method, const char *path,
    const char *const *headers, struct str body, const char *content_type,
    struct http_answer *out) MUSTCHECK;

/* Bytes to send. read() fills up to n bytes and returns how many, 0 at the end, -1 to give up. */
struct http_source {
    ptrdiff_t (*read)(void *arg, void *p, size_t n);
    void *arg;
    int64_t size; /* -1 = unknown: sent in chunks */
};
/* A source that reads *fd from its present offset; fd is borrowed. */
struct http_source http_source_fd(int *fd, int64_t size);

/* Where bytes go. An error stops the transfer and is what the call returns. */
struct http_sink {
    enum err (*write)(void *arg, const void *p, size_t n);
    void *arg;
};

/* Streams a body of any size; the answer is bounded as usual. Only a failed connect is retried:
 * the source cannot be read twice. No total timeout; stall_s still holds. */
enum err http_client_upload(struct http_client *c, const char *method, const char *path,
    const char *const *headers, const char *content_type, const struct http_source *from,
    struct http_answer *out) MUSTCHECK;

/* Streams the body of a 2xx answer to `to`; another status puts its (bounded) body into out->body
 * and sends nothing to `to`. Retries as http_client_call() until the first byte was written. A
 * body that is cut short is ERR_UNAVAILABLE, never a success. */
enum err http_client_download(struct http_client *c, const char *path, const char *const *headers,
    const struct http_sink *to, struct http_answer *out) MUSTCHECK;

/* fn(arg, done, total) now and then during uploads and downloads, in bytes; total -1 = unknown. */
void http_client_progress(
    struct http_client *c, void (*fn)(void *arg, int64_t done, int64_t total), void *arg);

/* The guard, for addresses that users typed. With options.guard, `path` is a whole https://
 * address; no token, proxy, netrc or other scheme is used, at most 3 redirects are followed, and
 * each address of each hop is checked when its socket is opened, so that DNS rebinding changes
 * nothing. This is that check: true for public unicast addresses only. */
bool http_guard_allows(const struct sockaddr *addr);

#endif
