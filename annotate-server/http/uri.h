/* Request targets: path and query, percent-decoded exactly once. Knows no routes and no sockets.
 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    URI_MAX = 8 << 10,
    URI_MAX_QUERY = 4 << 10,
    URI_MAX_PAIRS = 64,
};

struct uri {
    struct str raw_path; /* as sent, a slice of the target: for cutting into segments */
    struct str path;     /* decoded */
    struct str query;    /* as sent, without '?'; every pair is known to decode */
};

/* ERR_URI_TOO_LONG; ERR_BAD_REQUEST for what RFC 3986 or we do not allow: no leading '/', bytes
 * outside 0x21..0x7e, a fragment, bad escapes, %00, %2F and other control characters, `.` and `..`
 * segments (escaped ones too), text that is not UTF-8, too long or too many query pairs. */
enum err uri_parse(struct arena *a, struct str target, struct uri *out) MUSTCHECK;

/* Decodes one path segment into the arena, or returns it as it is when it has no escape. */
enum err uri_decode(struct arena *a, struct str in, struct str *out) MUSTCHECK;

/* The next pair of *rest, decoded; value.p is NULL when it has no '='. False at the end. `query`
 * must have passed uri_parse(). */
bool uri_next(struct arena *a, struct str *rest, struct str *name, struct str *value);

/* The value of the first pair called `name`, decoded ('+' is a space). Absent: {NULL,0}. `query`
 * must have passed uri_parse(). */
struct str uri_query(struct arena *a, struct str query, struct str name);

#endif
