/* The one table of the API (annotate-server/routes.c): router, permissions, validation,
 * /openapi.json, authorization matrix. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "annotate-server/http/request.h"

enum body { BODY_NONE, BODY_JSON, BODY_STREAM };

/* Who may call. Project roles are checked against the project that the route names (see `object`).
 */
enum {
    MAY_ANYONE = 0,     /* no token needed */
    MAY_USER = 1 << 0,  /* any valid token */
    MAY_ADMIN = 1 << 1, /* tenant administrators */
    MAY_VIEWER = 1 << 2,
    MAY_ANNOTATOR = 1 << 3,
    MAY_REVIEWER = 1 << 4,
    MAY_QA = 1 << 5,
    MAY_MODEL = 1 << 6,
    MAY_MANAGER = 1 << 7,
    MAY_ARCHIVED = 1 << 8, /* nobody: a change that an archived project takes, too */
    MAY_LINK = 1 << 9,     /* whoever has a signed link, without a token (auth/media_link.h) */
    MAY_MEMBER = MAY_VIEWER | MAY_ANNOTATOR | MAY_REVIEWER | MAY_QA | MAY_MODEL | MAY_MANAGER,
};

/* What {id} of the path names, so that the gate finds the project: OBJECT_PROJECT's role is looked
 * up before the handler runs. For the others (an assignment, task, label, release) the handler's
 * own statement returns the project and it calls gate_project() itself, or, on the hot paths, the
 * guarded statement checks the holder. */
enum object {
    OBJECT_NONE,
    OBJECT_PROJECT,
    OBJECT_TASK,
    OBJECT_ASSIGNMENT,
    OBJECT_LABEL,
    OBJECT_RELEASE,
    OBJECT_EXPORT,
    OBJECT_ASSET
};

/* What the 2xx answer of a route carries beside its body. */
enum {
    ANSWERS_ETAG = 1 << 0,   /* the version, for If-Match */
    ANSWERS_RANGES = 1 << 1, /* ETag, 304, and single byte ranges: 206, 416 */
    ANSWERS_GONE = 1 << 2,   /* no such thing, but 410 where the content was erased */
};

/* A query parameter; any other is refused before the handler is called. One that is named as a {…}
 * of the path says what that must be, for the document only. */
struct param {
    const char *name, *type;
    const char *limits; /* further members of its JSON Schema, or NULL */
    const char *doc;
};

struct route {
    enum http_method method;
    const char *path; /* "/v1/projects/{id}/claims"; {id} and {…_id} are integers >= 1, other {…}
                         are text */
    const char *name; /* operationId, metric label: "claim" */
    const char *summary;
    unsigned may; /* MAY_* */
    enum object object;
    enum body body;
    bool may_be_empty;   /* BODY_JSON: no body is {}; without it that is refused */
    size_t max_body;     /* bytes; 0 = the default for the kind */
    bool if_match;       /* needs If-Match (428 without) */
    const char *request; /* JSON Schema of the body: name of a file in api/schemas, or NULL */
    const char *media;   /* BODY_STREAM: the types that are taken, ", " between; NULL: any */
    const char *reply;   /* JSON Schema of the 2xx answer, or NULL */
    const char *serves;  /* its media types where it is not JSON by a schema, ", " between */
    unsigned answers;    /* ANSWERS_* */
    int ok;              /* the 2xx status */
    const struct param *params; /* ends with a NULL name; or NULL */
    void (*handler)(struct req *r);
};

extern const struct route routes[];
extern const size_t route_count;

/* The route of a method and path in a table of n rows; a HEAD takes the GET row. NULL and
 * ERR_NOT_FOUND, or NULL and ERR_METHOD with *allow = methods as bits (1 << HTTP_M_...). args: the
 * {…} parts, undecoded slices of the path. */
const struct route *route_find_in(const struct route *table, size_t n, enum http_method m,
    struct str path, struct str args[REQ_MAX_ARGS], enum err *e, unsigned *allow);

/* Is the arg-th {…} of a route's path a number, {id} or {…_id}? */
bool route_arg_is_id(const char *path, int arg);

/* The query parameter of that name, or NULL. */
const struct param *route_param(const struct route *r, struct str name);

const char *method_name(enum http_method m);

#endif
