/* Owns the description of one operation: parameters, body, every answer it can give. Knows nothing
 * that is not in the route's row. */
#include "annotate-server/http/openapi.h"

#include <ctype.h>

static void print_schema_ref(struct buf *out, const char *name)
{
    buf_printf(out, "{\"$ref\":\"#/components/schemas/%s\"}", name);
}

static void print_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    buf_json(out, str_of(value));
}

static bool is_write(const struct route *r)
{
    return r->method != HTTP_M_GET;
}

/* --- parameters --- */

static void print_param(struct buf *out, const char *in, struct str name, const struct param *p)
{
    buf_puts(out, "{\"name\":");
    buf_json(out, name);
    buf_printf(
        out, ",\"in\":\"%s\",\"required\":%s,", in, str_is(str_of(in), "path") ? "true" : "false");
    if (p->doc) {
        print_text(out, "description", p->doc);
        buf_putc(out, ',');
    }
    buf_printf(out, "\"schema\":{\"type\":\"%s\"%s%s}},", p->type, p->limits ? "," : "",
        p->limits ? p->limits : "");
}

static const struct param *path_param(const struct route *r, struct str name, int arg)
{
    static const struct param id = {
        "id", "integer", "\"minimum\":1,\"maximum\":9007199254740991", NULL};
    static const struct param text = {"text", "string", NULL, NULL};

    for (const struct param *p = r->params; p && p->name; p++)
        if (str_is(name, p->name))
            return p;
    return route_arg_is_id(r->path, arg) ? &id : &text;
}

static void print_path_params(struct buf *out, const struct route *r)
{
    const char *at = r->path;

    for (int i = 0; (at = strchr(at, '{')) != NULL; i++) {
        at++;
        struct str name = {at, (size_t)(strchr(at, '}') - at)};
        print_param(out, "path", name, path_param(r, name, i));
    }
}

static void print_header_params(struct buf *out, const struct route *r)
{
    if (r->if_match)
        buf_puts(out, "{\"$ref\":\"#/components/parameters/If-Match\"},");
    if (is_write(r) && r->may != MAY_ANYONE && r->body != BODY_STREAM)
        buf_puts(out, "{\"$ref\":\"#/components/parameters/Idempotency-Key\"},");
    if (r->answers & ANSWERS_RANGES)
        buf_puts(out, "{\"$ref\":\"#/components/parameters/Range\"},"
                      "{\"$ref\":\"#/components/parameters/If-None-Match\"},");
}

static void print_params(struct buf *out, const struct route *r)
{
    buf_puts(out, ",\"parameters\":[");
    print_path_params(out, r);
    for (const struct param *p = r->params; p && p->name; p++)
        if (route_param(r, str_of(p->name)))
            print_param(out, "query", str_of(p->name), p);
    print_header_params(out, r);
    buf_chop(out, ',');
    buf_putc(out, ']');
}

/* --- the body --- */

/* A body of a media type: as the schema says when it is JSON, else text or bytes. */
static void print_media(struct buf *out, struct str type, const char *schema)
{
    buf_json(out, type);
    buf_puts(out, ":{\"schema\":");
    if (schema && str_is(type, "application/json"))
        print_schema_ref(out, schema);
    else if (str_is(type, "application/json"))
        buf_puts(out, "{}");
    else if (str_is(type, "application/x-ndjson") || str_starts(type, STR("text/")))
        buf_puts(out, "{\"type\":\"string\"}");
    else
        buf_puts(out, "{\"type\":\"string\",\"format\":\"binary\"}");
    buf_puts(out, "},");
}

static void print_content(struct buf *out, const char *types, const char *schema)
{
    struct str rest = str_of(types), type;

    buf_puts(out, ",\"content\":{");
    while (str_split(&rest, ',', &type))
        print_media(out, str_trim(type), schema);
    buf_chop(out, ',');
    buf_putc(out, '}');
}

static void print_request(struct buf *out, const struct route *r)
{
    const char *types = r->body == BODY_JSON ? "application/json" : r->media;

    if (r->body == BODY_NONE)
        return;
    buf_printf(out, ",\"requestBody\":{\"required\":%s", r->may_be_empty ? "false" : "true");
    print_content(out, types ? types : "application/octet-stream", r->request);
    buf_putc(out, '}');
}

/* --- the answers --- */

/* What a route is, as far as that decides how it can answer. */
enum {
    HAS_BODY = 1 << 0,
    HAS_TYPE = 1 << 1, /* of the body, and others are refused */
    HAS_PATH = 1 << 2, /* an {id} in it, or a project in the query */
    IS_SECURED = 1 << 3,
    IS_WRITE = 1 << 4,
    IS_VERSIONED = 1 << 5,
    IS_RANGED = 1 << 6,
    IS_ANY = 1 << 7,
    IS_ERASABLE = 1 << 8,
};

static const struct {
    enum err err;
    unsigned of; /* any of these */
} problems[] = {
    {ERR_BAD_REQUEST, IS_ANY},
    {ERR_UNAUTHENTICATED, IS_SECURED | HAS_BODY}, /* a login, too */
    {ERR_FORBIDDEN, IS_SECURED | IS_WRITE},
    {ERR_NOT_FOUND, HAS_PATH | IS_WRITE},
    {ERR_TIMEOUT, HAS_BODY},
    {ERR_CONFLICT, HAS_PATH | IS_WRITE},
    {ERR_GONE, IS_ERASABLE},
    {ERR_VERSION, IS_VERSIONED},
    {ERR_TOO_LARGE, IS_ANY},
    {ERR_URI_TOO_LONG, IS_ANY},
    {ERR_MEDIA_TYPE, HAS_TYPE},
    {ERR_RANGE, IS_RANGED},
    {ERR_EXPECTATION, IS_ANY},
    {ERR_INVALID, IS_ANY},
    {ERR_VERSION_REQUIRED, IS_VERSIONED},
    {ERR_RATE, IS_SECURED | IS_WRITE},
    {ERR_HEADERS, IS_ANY},
    {ERR_INTERNAL, IS_ANY},
    {ERR_NOT_IMPLEMENTED, IS_ANY},
    {ERR_UNAVAILABLE, IS_ANY},
    {ERR_HTTP_VERSION, IS_ANY},
};

static unsigned traits(const struct route *r)
{
    unsigned t = IS_ANY;

    t |= r->body != BODY_NONE ? HAS_BODY : 0;
    t |= r->body == BODY_JSON || r->media ? HAS_TYPE : 0;
    t |= strchr(r->path, '{') || route_param(r, STR("project")) ? HAS_PATH : 0;
    t |= r->may != MAY_ANYONE ? IS_SECURED : 0;
    t |= is_write(r) ? IS_WRITE : 0;
    t |= r->if_match ? IS_VERSIONED : 0;
    t |= r->answers & ANSWERS_RANGES ? IS_RANGED : 0;
    t |= r->answers & ANSWERS_GONE ? IS_ERASABLE : 0;
    return t;
}

static const char *problem_response(enum err e)
{
    if (e == ERR_UNAUTHENTICATED)
        return "unauthenticated";
    return e == ERR_RATE || e == ERR_UNAVAILABLE ? "later" : "problem";
}

static void print_header_ref(struct buf *out, const char *name)
{
    buf_printf(out, "\"%s\":{\"$ref\":\"#/components/headers/%s\"},", name, name);
}

static void print_success(struct buf *out, const struct route *r, int status)
{
    const char *types = r->serves ? r->serves : r->reply ? "application/json" : NULL;

    buf_printf(out, "\"%d\":{\"description\":\"%s\",\"headers\":{", status,
        status == 204   ? "Done"
        : status == 206 ? "A part of it"
        : status == 304 ? "The client has it already"
                        : "The answer");
    print_header_ref(out, "X-Request-Id");
    if (r->answers & (ANSWERS_ETAG | ANSWERS_RANGES))
        print_header_ref(out, "ETag");
    if (is_write(r) && r->may != MAY_ANYONE && r->body != BODY_STREAM)
        print_header_ref(out, "Idempotency-Replayed");
    buf_chop(out, ',');
    buf_putc(out, '}');
    if (types && status != 304)
        print_content(out, types, r->reply);
    buf_puts(out, "},");
}

static void print_responses(struct buf *out, const struct route *r)
{
    unsigned t = traits(r);

    buf_puts(out, ",\"responses\":{");
    print_success(out, r, r->ok);
    if (t & IS_RANGED) {
        print_success(out, r, 206);
        print_success(out, r, 304);
    }
    for (size_t i = 0; i < ARRAY_LEN(problems); i++)
        if (problems[i].of & t)
            buf_printf(out, "\"%d\":{\"$ref\":\"#/components/responses/%s\"},",
                err_status(problems[i].err), problem_response(problems[i].err));
    buf_chop(out, ',');
    buf_putc(out, '}');
}

/* --- all of it --- */

static void print_may(struct buf *out, const struct route *r)
{
    static const char *const names[] = {
        "user", "admin", "viewer", "annotator", "reviewer", "qa", "model", "manager"};

    if (r->may == MAY_ANYONE) {
        buf_puts(out, ",\"security\":[]");
        return;
    }
    buf_printf(out, ",\"security\":[{\"bearer\":[]}%s],\"x-may\":[",
        r->may & MAY_LINK ? ",{\"link\":[]}" : "");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (r->may & 1u << i)
            buf_printf(out, "\"%s\",", names[i]);
    buf_chop(out, ',');
    buf_putc(out, ']');
}

void openapi_operation(struct buf *out, const struct route *r)
{
    buf_putc(out, '"');
    for (const char *m = method_name(r->method); *m; m++)
        buf_putc(out, (char)tolower((unsigned char)*m));
    buf_puts(out, "\":{");
    print_text(out, "operationId", r->name);
    buf_putc(out, ',');
    print_text(out, "summary", r->summary ? r->summary : "");
    print_may(out, r);
    print_params(out, r);
    print_request(out, r);
    print_responses(out, r);
    buf_putc(out, '}');
}
