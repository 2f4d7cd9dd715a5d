/* The head of a request: found in the stream of bytes, then held to the rules that keep two readers
 * of one stream from disagreeing about where a request ends (request smuggling). Knows no sockets.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "annotate-server/http/request.h"
#include "annotate-server/http/uri.h"

enum {
    HEAD_MAX = 16 << 10, /* request line and headers together */
    HEAD_MAX_HEADERS = 100,
};

struct header {
    struct str name, value; /* name in lower case, value trimmed */
};

struct head {
    enum http_method method;
    int major, minor; /* of the HTTP version */
    bool keep_alive;  /* what the client wants */
    bool expect_continue;
    int64_t length; /* of the body; -1 = chunked */
    struct str target;
    struct uri uri;
    struct header *header;
    size_t n, cap;
};

/* Looks for the end of a head in p[0..n). *at: where to go on, 0 at first. *len: its bytes with the
 * empty line, or 0 when more are needed. ERR_BAD_REQUEST: a line feed without carriage return or
 * the other way round, a folded header. ERR_URI_TOO_LONG, ERR_HEADERS: over its maximum. */
enum err head_find(const char *p, size_t n, size_t *at, size_t *len) MUSTCHECK;

/* The rules, once the parser has filled method, version, target and headers. Lowers the names'
 * letters in place, sets `length`, `expect_continue` and `uri`. */
enum err head_check(struct head *h, struct arena *a) MUSTCHECK;

/* The first header of that (lower-case) name, {NULL,0} if there is none. */
struct str head_get(const struct head *h, const char *name);

#endif
