/* A request and how to answer it: all that a handler sees of HTTP.
 *
 * Life: the connection makes a request, checks it against its route (method, role, If-Match, body),
 * calls route->handler once, in the loop's thread. The handler answers exactly once, now or later:
 * req_reply*, req_fail, or a stream. The request and its arena live until the answer has been given
 * AND (for streams) ended; then everything dies together. A handler holds no pointer into it after
 * that. When the client goes away first the request stays valid, answers are discarded, and
 * on_close (if set) is called once, so that a parked request can give up; it must still answer
 * (req_fail is fine). */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <json-c/json.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"

struct route;
struct idempotency;
struct project;    /* annotate-server/project.h */
struct thread_ctx; /* annotate-server/context.h: this loop's database pool, caches, stores */

enum role {
    ROLE_NONE,
    ROLE_VIEWER,
    ROLE_ANNOTATOR,
    ROLE_REVIEWER,
    ROLE_QA,
    ROLE_MODEL,
    ROLE_MANAGER,
    ROLE_COUNT
};

struct principal {
    int64_t tenant, user;
    int64_t token; /* the API token's id; 0: a login token, of that epoch and end (unix seconds) */
    int64_t epoch, expires;
    bool admin;     /* of the tenant */
    enum role role; /* in the project of this request; set by the gate when the route names one */
};

enum http_method {
    HTTP_M_GET,
    HTTP_M_HEAD,
    HTTP_M_POST,
    HTTP_M_PUT,
    HTTP_M_PATCH,
    HTTP_M_DELETE,
    HTTP_M_COUNT
};

enum { REQ_MAX_ARGS = 3 };

struct captured { /* an answer that is kept for now instead of being sent */
    bool given;
    int status;
    const char *type; /* NULL: no body */
    struct str body;  /* in the request's arena */
};

struct req {
    struct arena *arena;
    struct thread_ctx *ctx;
    struct loop *loop;
    const struct route *route;
    char id[33]; /* request id: in the log, in X-Request-Id */
    enum http_method method;
    struct str path, query;       /* path decoded; query raw */
    struct str arg[REQ_MAX_ARGS]; /* the path's {…} in order, decoded */
    int64_t id_arg[REQ_MAX_ARGS]; /* the same as a number where the route says {…_id} or {id} */
    struct principal who;
    struct project *project; /* set by the gate when the route is about one; held by the arena */
    bool has_version;        /* If-Match: "<version>" */
    int64_t version;
    struct str body;                 /* BODY_JSON, BODY_RAW: all of it */
    struct json_object *json;        /* BODY_JSON: strict-scanned and parsed; owned by the arena */
    void (*on_close)(struct req *r); /* the client went away; see above */
    struct captured *capture;        /* set: answers go there */
    struct idempotency *idempotency; /* of a write that carries a key; api/idempotency.h */
    void *user;                      /* the handler's own */
    int64_t start_us;
};

/* A number that stands for the client's address (IPv6: its /64); 0 when it is not known. Behind a
 * proxy it is the proxy's. */
uint64_t req_peer(const struct req *r);
/* Request headers; name in lower case. Absent: {NULL,0}. */
struct str req_header(const struct req *r, const char *name);
/* A query parameter, percent-decoded into the arena. Absent: {NULL,0}. */
struct str req_query(struct req *r, const char *name);
/* The same as an integer within [min,max]; absent: dflt. false: already answered 422 with the
 * parameter's name. */
bool req_query_int(
    struct req *r, const char *name, int64_t dflt, int64_t min, int64_t max, int64_t *out);

/* One extra response header; copied. Before the reply. */
void req_set_header(struct req *r, const char *name, const char *value);
void req_set_etag(struct req *r, int64_t version);
/* Sets `ETag` to etag (with its quotes) and, when If-None-Match has it, answers 304 and returns
 * true. */
bool req_not_modified(struct req *r, const char *etag);

/* Answers. The buffer's content is taken (copied or moved); the caller still releases it. A buffer
 * in error answers 500/503. */
void req_reply_json(struct req *r, int status, const struct buf *body);
void req_reply(struct req *r, int status, const char *type, struct str body);
void req_reply_empty(struct req *r, int status); /* 204 */
/* problem+json: {"type":"/errors/<slug>","title","status","detail","pointer","request_id", extra
 * members}. pointer: a JSON pointer to the field, or NULL. extra: members without braces
 * ("\"label\":12"), or NULL. */
void req_fail(struct req *r, enum err e, const char *pointer, const char *fmt, ...) PRINTF(4, 5);
void req_fail_extra(struct req *r, enum err e, const char *pointer, const char *extra,
    const char *fmt, ...) PRINTF(5, 6);

/* A streamed answer (chunked). write(): queued at once; false = the buffer is over its cap: stop
 * until `on_drain`. After the client has gone write() does nothing and returns true; req_gone()
 * tells. */
enum { REQ_STREAM_CAP = 256 << 10 }; /* bytes */
void req_stream_begin(struct req *r, int status, const char *type);
bool req_stream_write(struct req *r, struct str data, void (*on_drain)(struct req *));
void req_stream_end(struct req *r);
/* Breaks the connection instead of ending cleanly: the client sees that the answer is incomplete.
 */
void req_stream_abort(struct req *r);
bool req_gone(const struct req *r);
/* The client will send nothing more: it has gone, or has only closed its half and still reads.
 * on_close is called for either; look here when the handler sets on_close late. */
bool req_hung_up(const struct req *r);

/* A file range sent with sendfile semantics (evbuffer file segment); the fd is taken. */
void req_reply_file(struct req *r, int status, const char *type, int fd, int64_t off, int64_t len);

/* BODY_STREAM routes: the handler is called when the head is in; it sets on_close and calls
 * req_read_body(), now or later (or answers). on_data: borrowed bytes, called in order; on_end: the
 * body is complete. pause/resume give back-pressure to the socket. on_close is called when the
 * client breaks off, and when the body breaks a limit: the answer is then replaced by that error.
 * req_body_expect: Content-Length, or -1 when chunked. */
struct req_stream {
    void (*on_data)(struct req *r, struct str data);
    void (*on_end)(struct req *r);
};
void req_read_body(struct req *r, const struct req_stream *s); /* *s borrowed, static */
void req_body_pause(struct req *r);
void req_body_resume(struct req *r);
int64_t req_body_expect(const struct req *r);

#endif
