/* The HTTP/1.1 server of one loop thread: a listener, its connections, what they share. Servers of
 * several threads listen on one port (SO_REUSEPORT) and share `limit` and `files` only. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "annotate-server/http/limit.h"
#include "annotate-server/http/route.h"
#include "annotate-server/http/static.h"

struct http_server;

/* Everything is borrowed and must outlive the server. 0 in a time or a size: its default. */
struct http_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:0"; port 0 = any, see http_server_port() */
    bool exclusive;     /* fail when another process listens there: for the first thread */
    const struct route *routes;
    size_t n_routes;
    struct thread_ctx *ctx; /* given to every request */
    /* Called when the head of a request is in and its route known; authenticates and authorises,
     * now or later, then calls http_gate_pass() or answers. Sets r->who. No byte of a body is read
     * before. NULL: everyone may. */
    void (*gate)(struct req *r);
    /* Called with the whole body in, before the handler of a POST, PUT, PATCH or DELETE (but not of
     * a streamed body); calls http_handler_pass() or answers. NULL: straight to the handler. */
    void (*before)(struct req *r);
    /* Called when a handler's answer has been given, with its status. NULL: nobody asks. */
    void (*after)(struct req *r, int status);
    const struct static_files *files; /* the front end, or NULL */
    struct limit *limit;
    int64_t header_ms, body_ms, idle_ms; /* 10 s, 10 s, 30 s */
    /* Bytes/s below which a body is too slow, and at half of which an answer; 50000. */
    int64_t rate;
    int per_connection; /* requests before a connection is closed; 1000 */
};

/* Starts to listen. ERR_INVALID: no such address; ERR_EXISTS: somebody listens there; ERR_IO. */
enum err http_server_new(
    struct loop *l, const struct http_options *o, struct http_server **out) MUSTCHECK;

int http_server_port(const struct http_server *sv);
size_t http_server_connections(const struct http_server *sv);

/* Lets the request go on: its body is read and its handler called. From the gate, or later. */
void http_gate_pass(struct req *r);

/* Calls the handler. From `before`, or later. */
void http_handler_pass(struct req *r);

/* Stops listening, closes idle connections, lets requests in flight finish (their answers say
 * `Connection: close`). done(arg) is called once: when no connection is left, or after `ms`, when
 * those left have been cut. Never called from inside this function. */
void http_server_drain(struct http_server *sv, int64_t ms, void (*done)(void *), void *arg);

/* Cuts what is left. Whoever still owes an answer (a database pool) must have been freed before:
 * its requests die here. */
void http_server_free(struct http_server *sv);

#endif
