/* Owns the way of one request: head, route, gate, body, handler. Never writes to the socket. */
#include "annotate-server/http/dispatch.h"

#include <json-c/json.h>

#include "base/clock.h"
#include "base/json_scan.h"

/* A client may name its request, in characters that are safe in logs and headers. */
static void take_id(struct exchange *x)
{
    struct str id = head_get(&x->head, "x-request-id");

    if (id.n == 0 || id.n >= sizeof(x->r.id))
        return;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            c != '-')
            return;
    }
    memcpy(x->r.id, id.p, id.n);
    x->r.id[id.n] = '\0';
}

static void refuse(struct exchange *x, enum err e)
{
    struct conn *c = x->conn;

    c->close = true;
    c->parser.complete = false;
    c->state = CONN_HELD;
    c->input_us = 0;
    x->body_done = true;
    req_fail(&x->r, e, NULL, NULL);
}

static void refuse_unread(struct conn *c, enum err e)
{
    refuse(exchange_new(c), e);
}

static void break_body(struct exchange *x, enum err e)
{
    struct conn *c = x->conn;

    c->close = true;
    c->state = CONN_HELD;
    c->input_us = 0;
    if (!x->answered && x->handled) {
        x->broken = e;
        exchange_tell(x);
    } else if (!x->answered) {
        req_fail(&x->r, e, NULL, NULL);
    }
    conn_wake(c);
}

/* --- the body --- */

static void call_handler(struct exchange *x)
{
    const struct http_options *o = &x->conn->sv->o;
    const struct route *route = x->r.route;
    bool write = route->method != HTTP_M_GET && route->body != BODY_STREAM;

    x->handled = true;
    if (o->before && write)
        o->before(&x->r);
    else
        route->handler(&x->r);
}

void http_handler_pass(struct req *r)
{
    r->route->handler(r);
}

static void put_json(void *json)
{
    json_object_put(json);
}

/* Fails with 400 and the place; the scanner has the last word on what is JSON, json-c only builds
 * the tree. */
static bool parse_json(struct exchange *x)
{
    struct json_tokener *t = x->conn->sv->tokener;
    struct req *r = &x->r;
    struct json_error error;

    r->body = buf_view(&x->body);
    if (r->body.n == 0 && !r->route->may_be_empty) {
        req_fail(r, ERR_INVALID, "", "A JSON body is required");
        return false;
    }
    if (r->body.n == 0) {
        r->json = json_object_new_object();
        BUG_ON(!r->json);
        arena_defer(r->arena, put_json, r->json);
        return true;
    }
    enum err e = json_scan(r->body, JSON_DEPTH_REQUEST, &error);
    if (e == ERR_BAD_JSON) {
        char *extra = arena_printf(r->arena, "\"offset\":%zu", error.at);
        req_fail_extra(r, e, error.pointer, extra, "%s, at byte %zu", error.why, error.at);
        return false;
    }
    if (e) {
        req_fail(r, e, NULL, NULL);
        return false;
    }
    json_tokener_reset(t);
    r->json = json_tokener_parse_ex(t, r->body.p, (int)r->body.n);
    if (r->json)
        arena_defer(r->arena, put_json, r->json);
    enum json_type type = json_object_get_type(r->json);
    if (type == json_type_object || type == json_type_array)
        return true;
    req_fail(r, ERR_INVALID, "", "The body must be a JSON object");
    return false;
}

static void body_ready(struct exchange *x)
{
    if (x->r.route->body == BODY_JSON && !parse_json(x))
        return;
    call_handler(x);
}

static void want_body(struct exchange *x)
{
    static const struct str go_on = {"HTTP/1.1 100 Continue\r\n\r\n", 25};
    struct conn *c = x->conn;

    if (x->head.expect_continue) {
        x->head.expect_continue = false;
        conn_write(c, go_on, (struct str){NULL, 0}, false);
    }
    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_BODY;
    x->body_us = clock_mono_us();
    conn_expect_body(c);
    conn_wake(c);
}

static bool take_body(void *conn, struct str data)
{
    struct conn *c = conn;
    struct exchange *x = c->x;

    x->received += (int64_t)data.n;
    if (x->discard)
        return true;
    if (x->max_body >= 0 && x->received > x->max_body) {
        break_body(x, ERR_TOO_LARGE);
        return false;
    }
    if (x->stream) {
        x->stream->on_data(&x->r, data);
        return !x->paused_us && c->state == CONN_BODY;
    }
    if (x->r.route->body == BODY_JSON)
        buf_add(&x->body, data.p, data.n);
    return true;
}

static void end_body(struct exchange *x)
{
    x->body_done = true;
    if (x->answered)
        return;
    if (x->stream)
        x->stream->on_end(&x->r);
    else if (!x->streaming)
        body_ready(x);
}

void req_read_body(struct req *r, const struct req_stream *s)
{
    struct exchange *x = exchange_of(r);

    BUG_ON(r->route->body != BODY_STREAM || x->stream || !r->on_close);
    x->stream = s;
    if (x->body_done)
        s->on_end(r);
    else if (x->conn->state != CONN_CLOSED)
        want_body(x);
}

/* --- the gate and what follows it --- */

/* Exactly one strong tag with an integer in it. */
static bool version_of(struct str tag, int64_t *out)
{
    if (tag.n < 3 || tag.p[0] != '"' || tag.p[tag.n - 1] != '"')
        return false;
    return str_int((struct str){tag.p + 1, tag.n - 2}, out) && *out >= 0;
}

static bool check_version(struct exchange *x)
{
    struct req *r = &x->r;
    struct str tag = head_get(&x->head, "if-match");

    if (tag.p && !str_is(tag, "*")) {
        r->has_version = version_of(tag, &r->version);
        if (!r->has_version) {
            req_fail(r, ERR_BAD_REQUEST, NULL, "If-Match must be one version, as in \"3\"");
            return false;
        }
    }
    if (r->route->if_match && !r->has_version) {
        req_fail(r, ERR_VERSION_REQUIRED, NULL, NULL); /* `*` names no version either */
        return false;
    }
    return true;
}

/* Each parameter that the route's row names, once at most. A misspelt one must not be lost. */
static bool check_query(struct exchange *x)
{
    struct req *r = &x->r;
    struct str rest = r->query, name, value;
    const struct param *seen[16];
    size_t n = 0;

    while (uri_next(r->arena, &rest, &name, &value)) {
        const struct param *p = route_param(r->route, name);
        const char *why = p ? NULL : "there is no such parameter here";
        for (size_t i = 0; i < n && !why; i++)
            why = seen[i] == p ? "the parameter is there twice" : NULL;
        if (!why && n < ARRAY_LEN(seen)) {
            seen[n++] = p;
            continue;
        }
        char pointer[JSON_POINTER_SIZE] = "";
        (void)json_pointer_add(pointer, sizeof(pointer), name);
        req_fail(r, ERR_INVALID, pointer, "%s", why);
        return false;
    }
    return true;
}

/* Is the media type, parameters aside, one of the list "a/b, c/d"? */
static bool type_among(struct str type, struct str list)
{
    struct str name, one;

    if (!str_split(&type, ';', &name))
        return false;
    while (str_split(&list, ',', &one))
        if (str_ieq(str_trim(name), str_trim(one)))
            return true;
    return false;
}

/* JSON must say that it is JSON; a stream may say nothing, but nothing wrong. */
static bool check_type(struct exchange *x)
{
    struct req *r = &x->r;
    struct str type = head_get(&x->head, "content-type");
    const char *wanted = r->route->body == BODY_JSON ? "application/json" : r->route->media;

    if (!wanted || type_among(type, str_of(wanted)) || (r->route->body != BODY_JSON && !type.p))
        return true;
    req_fail(r, ERR_MEDIA_TYPE, NULL, "Content-Type must be %s", wanted);
    return false;
}

static int64_t max_body(const struct route *route)
{
    static const int64_t dflt[] = {
        [BODY_NONE] = CONN_DISCARD_MAX, [BODY_JSON] = BUF_MAX_JSON, [BODY_STREAM] = -1};

    return route->max_body ? (int64_t)route->max_body : dflt[route->body];
}

static bool check_body(struct exchange *x)
{
    struct req *r = &x->r;

    x->max_body = max_body(r->route);
    if (x->max_body >= 0)
        x->body.max = (size_t)x->max_body;
    if (x->body_done)
        return true;
    if (x->max_body >= 0 && x->head.length > x->max_body) {
        req_fail(r, ERR_TOO_LARGE, NULL, "At most %lld bytes", (long long)x->max_body);
        return false;
    }
    return check_type(x);
}

void http_gate_pass(struct req *r)
{
    struct exchange *x = exchange_of(r);

    BUG_ON(x->passed || x->answered);
    x->passed = true;
    if (x->conn->state == CONN_CLOSED) {
        exchange_tell(x); /* nothing has been done yet, and nobody waits for it */
        return;
    }
    if (!check_query(x) || !check_version(x) || !check_body(x))
        return;
    if (r->route->body == BODY_STREAM)
        call_handler(x);
    else if (x->body_done)
        body_ready(x);
    else
        want_body(x);
}

/* --- the head --- */

static bool bind_args(struct exchange *x, const struct str raw[REQ_MAX_ARGS])
{
    struct req *r = &x->r;

    for (int i = 0; i < REQ_MAX_ARGS && raw[i].p; i++) {
        if (uri_decode(r->arena, raw[i], &r->arg[i]))
            return false;
        if (!route_arg_is_id(r->route->path, i))
            continue;
        if (!str_int(r->arg[i], &r->id_arg[i]) || r->id_arg[i] < 1 || r->id_arg[i] > JSON_INT_MAX)
            return false;
    }
    return true;
}

static bool wants_page(const struct head *h)
{
    struct str rest = head_get(h, "accept"), type, name;

    while (str_split(&rest, ',', &type)) {
        str_split(&type, ';', &name);
        if (str_ieq(str_trim(name), STR("text/html")))
            return true;
    }
    return false;
}

static void no_route(struct exchange *x, enum err e, unsigned allow)
{
    const struct static_files *files = x->conn->sv->o.files;
    const struct static_file *f = NULL;

    if (e == ERR_NOT_FOUND && files && (x->r.method == HTTP_M_GET || x->r.method == HTTP_M_HEAD))
        f = static_find(files, x->r.path, wants_page(&x->head));
    if (f) {
        reply_static(x, f);
        return;
    }
    if (e == ERR_METHOD)
        reply_allow(x, allow);
    req_fail(&x->r, e, NULL, NULL);
}

static void find_route(struct exchange *x)
{
    const struct http_options *o = &x->conn->sv->o;
    struct str args[REQ_MAX_ARGS] = {{NULL, 0}};
    unsigned allow;
    enum err e;

    x->r.route =
        route_find_in(o->routes, o->n_routes, x->r.method, x->head.uri.raw_path, args, &e, &allow);
    if (!x->r.route)
        no_route(x, e, allow);
    else if (!bind_args(x, args))
        req_fail(&x->r, ERR_NOT_FOUND, NULL, NULL);
    else if (o->gate)
        o->gate(&x->r);
    else
        http_gate_pass(&x->r);
}

static void begin(struct conn *c, struct str text)
{
    struct exchange *x = exchange_new(c);
    enum err e = parser_head(&c->parser, x->r.arena, text, &x->head);

    take_id(x);
    if (e) {
        refuse(x, e);
        return;
    }
    x->body_done = c->parser.complete;
    if (!x->head.keep_alive || c->served >= c->sv->o.per_connection)
        c->close = true;
    x->r.method = x->head.method;
    x->r.path = x->head.uri.path;
    x->r.query = x->head.uri.query;
    find_route(x);
}

const struct conn_events dispatch_events = {
    .begin = begin,
    .refuse = refuse_unread,
    .body = take_body,
    .body_end = end_body,
    .broken = break_body,
    .tell = exchange_tell,
    .free = exchange_free,
};
