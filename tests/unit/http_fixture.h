/* A server of a few routes on 127.0.0.1 in a thread of its own, and a client of raw sockets. */
#ifndef TESTS_UNIT_HTTP_FIXTURE_H
#define TESTS_UNIT_HTTP_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "annotate-server/http/metrics.h"
#include "annotate-server/http/server.h"
#include "t.h"

/* What the handlers have seen; one server a test process. */
struct fx {
    struct loop *loop;
    struct http_server *sv;
    struct limit *limit;
    pthread_t thread;
    int port;
    _Atomic int closed;     /* on_close calls */
    _Atomic int handled;    /* handler calls */
    _Atomic int drained;    /* calls of drain's done */
    _Atomic int64_t body;   /* bytes that upload handlers have got */
    _Atomic int64_t queued; /* bytes that a stream has written */
    _Atomic int stopped;    /* times that a stream was told to wait */
};
extern struct fx fx;

extern const struct route fx_routes[];
extern const size_t fx_route_count;
/* By the Authorization header: "no" is refused, "later" passes after 30 ms. */
void fx_gate(struct req *r);

/* Starts it; o may be NULL or hold deadlines, caps and files (the rest is filled in). */
void fx_start(const struct http_options *o);
/* Drains it (cutting after 200 ms), frees all. */
void fx_stop(void);
/* Starts a drain and returns. */
void fx_drain(int64_t ms);
/* Open connections, asked in the loop's thread. */
size_t fx_connections(void);

int fx_connect(void);
void fx_send(int fd, const char *text);
void fx_send_n(int fd, const void *p, size_t n);
/* Reads up to the end, or until `ms` have passed in silence; NUL-terminated, static per call of a
 * ring of 8. */
const char *fx_read(int fd, int ms);
/* One whole answer by its Content-Length; "" at the end of the connection or after 3 s. */
const char *fx_answer(int fd);
/* True when the peer has closed (orderly or not) within ms. */
bool fx_is_closed(int fd, int ms);

/* A connection of its own: sends, closes its half, reads to the end. */
const char *fx_talk(const char *text);
/* The status of the first answer in a text; 0 if it is none. */
int fx_status(const char *answer);
/* How many answers a text holds. */
int fx_count(const char *answers);
void fx_sleep(int ms);
/* Waits up to 3 s until *v >= want. */
bool fx_until(_Atomic int *v, int want);

#endif
