/* One client connection and the one request that it may have in flight. Private to http/.
 *
 * States of a connection (conn.c alone changes them):
 *
 *   HEAD ──whole head──▶ HELD ──body wanted──▶ BODY ──whole body──▶ HELD
 *    ▲                    │                                          │
 *    └──────── answered, written, to be kept ◀────────────────────────┤
 *                         └── answered, to be closed ──▶ FLUSH ──▶ LINGER ──▶ CLOSED
 *
 * In HELD nothing is read (back-pressure), but the end of the peer is noticed: the socket is
 * watched edge-triggered, with EPOLLRDHUP. The next request begins only when the last answer has
 * left, so pipelined requests are answered in order and a client that never reads holds one answer
 * at most. CLOSED connections wait for the request that still owes its answer. Nothing is freed but
 * in conn_run(), which is never entered twice for one connection. */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <sys/queue.h>

#include "annotate-server/http/gzip.h"
#include "annotate-server/http/limit.h"
#include "annotate-server/http/metrics.h"
#include "annotate-server/http/parser.h"
#include "annotate-server/http/server.h"
#include "io/loop.h"

struct json_tokener;
struct evconnlistener;

enum {
    CONN_READ_SIZE = 64 << 10,     /* one read; also the most that is kept of pipelined requests */
    CONN_OUT_MAX = REQ_STREAM_CAP, /* a stream's unsent bytes before its writer must wait */
    CONN_OUT_LOW = 64 << 10,       /* below this the writer goes on */
    CONN_DISCARD_MAX = 64 << 10,   /* a refused body that is read over to keep the connection */
    CONN_LINGER_MS = 2000,
};

enum conn_state { CONN_HEAD, CONN_HELD, CONN_BODY, CONN_FLUSH, CONN_LINGER, CONN_CLOSED };

struct exchange;

struct conn {
    LIST_ENTRY(conn) all;
    STAILQ_ENTRY(conn) ready;
    struct http_server *sv;
    int fd;
    enum conn_state state;
    struct limit_key key;
    struct event *ev;
    struct timer timer;
    int64_t input_us;  /* deadline of what is awaited from the client; 0 = none */
    int64_t output_us; /* deadline of output that does not move; 0 = none */
    int64_t armed_us;  /* when the timer will fire; 0 = stopped */
    int64_t given;     /* bytes to the kernel since output_us was set, and what it held then */
    struct parser parser;
    struct buf in; /* read, not yet parsed: in.p + in_off */
    size_t in_off;
    size_t scanned; /* head_find()'s mark */
    struct evbuffer *out;
    struct exchange *x; /* the request in flight */
    int served;
    bool readable; /* the socket may have bytes */
    bool drained;  /* the last read was short */
    bool hangup;   /* FIN seen: nothing will follow what is there */
    bool close;    /* after this answer */
    bool is_ready; /* on the server's ready list */
    bool running;  /* in conn_run() */
    bool again;    /* woken meanwhile */
};

/* One request on its way. */
struct exchange {
    struct req r;
    struct conn *conn;
    struct head head;
    struct buf body;                 /* BODY_JSON, as it comes */
    const struct req_stream *stream; /* BODY_STREAM, once the handler wants it */
    int64_t max_body;                /* -1: any */
    int64_t received;                /* bytes of content so far */
    int64_t body_us;                 /* when the body was first waited for */
    int64_t paused_us;               /* when the handler paused it; 0 = it flows */
    bool passed; /* by the gate: till then the gate owes the answer, then we, then the handler */
    bool body_done;
    bool discard;  /* the rest of the body is read over */
    bool handled;  /* the handler has been called */
    bool told;     /* on_close has been called */
    bool answered; /* completely, as far as the handler is concerned */
    bool streaming, chunked;
    bool page;       /* a file of the front end: its own default headers */
    enum err broken; /* answer this in place of whatever the handler says */
    int status;
    void (*on_drain)(struct req *r);
    struct buf extra;  /* the handler's own headers, ready to be sent */
    unsigned replaced; /* default headers that it has set itself */
};

/* What a connection reports to whoever makes requests of its bytes. */
struct conn_events {
    void (*begin)(struct conn *c, struct str text); /* a whole head */
    void (*refuse)(struct conn *c, enum err e); /* what is no request (yet): answer `e` and close */
    bool (*body)(void *conn, struct str data);  /* false: no more for now */
    void (*body_end)(struct exchange *x);
    void (*broken)(struct exchange *x, enum err e); /* the body cannot be read to its end */
    void (*tell)(struct exchange *x);               /* the client has gone */
    void (*free)(struct exchange *x);
};

struct http_server {
    struct http_options o;
    const struct conn_events *events;
    void (*conn_closed)(struct http_server *sv); /* one connection less */
    struct loop *loop;
    struct evconnlistener *listener;
    int port;
    LIST_HEAD(, conn) conns;
    size_t n_conns;
    STAILQ_HEAD(, conn) ready;
    struct event *run_ready;
    struct timer retry; /* the listener, after the cap or EMFILE */
    struct timer drain;
    bool draining;
    void (*drained)(void *);
    void *drained_arg;
    char *scratch; /* CONN_READ_SIZE */
    struct buf head;
    struct json_tokener *tokener;
    struct gzip *gzip;
    struct metrics *metrics;
    uint64_t rng[2];
    int64_t date_at;
    char date[40]; /* "Date: …\r\n" */
};

static inline struct exchange *exchange_of(const struct req *r)
{
    return container_of((struct req *)(uintptr_t)r, struct exchange, r);
}

/* conn.c */
void conn_new(struct http_server *sv, int fd, struct limit_key key);
/* Runs it soon, from the loop. */
void conn_wake(struct conn *c);
void conn_run_ready(struct http_server *sv);
/* Queues bytes and sends what the socket takes now. `keep`: b lives as long as the server. */
void conn_write(struct conn *c, struct str a, struct str b, bool keep);
/* Sends what the socket takes now. */
void conn_flush(struct conn *c);
/* Cuts it at once, with a reset if `reset`. The request in flight is told soon; frees nothing. */
void conn_cut(struct conn *c, bool reset);
/* Frees it whatever it waits for. */
void conn_free(struct conn *c);
/* Restarts the deadline for the body. */
void conn_expect_body(struct conn *c);
static inline bool conn_is_idle(const struct conn *c)
{
    return c->state == CONN_HEAD && c->in.n == c->in_off && evbuffer_get_length(c->out) == 0;
}

/* exchange.c */
/* The request of a connection that has none. */
struct exchange *exchange_new(struct conn *c);
void exchange_free(struct exchange *x);
/* Tells the handler, once, that the client has gone. */
void exchange_tell(struct exchange *x);
/* Before an answer's head is written: what happens to a body that was not read? */
void exchange_settle(struct exchange *x);
/* After an answer. */
void exchange_answered(struct exchange *x);

/* reply.c */
/* False: the answer is not wanted any more (the client has gone, or another was given); the
 * exchange is answered then. */
bool reply_begin(struct exchange *x, int status);
enum { REPLY_KEEP = 1, REPLY_NO_LENGTH = 2 };
/* Builds the head in sv->head. length: of the body. */
struct str reply_head(
    struct exchange *x, int status, const char *type, int64_t length, unsigned flags);
void reply_static(struct exchange *x, const struct static_file *f);
void reply_allow(struct exchange *x, unsigned allow);

#endif
