/* Owns the test server's routes: handlers that answer at once, later, in pieces, or not at all. */
#include <stdlib.h>
#include <unistd.h>

#include "http_fixture.h"

static void ping(struct req *r)
{
    fx.handled++;
    req_reply(r, 200, "application/json", STR("{\"pong\":true}"));
}

static void echo(struct req *r)
{
    fx.handled++;
    req_reply(r, 200, "application/json", str_of(json_object_to_json_string(r->json)));
}

static void thing(struct req *r)
{
    struct buf b;

    fx.handled++;
    buf_init(&b, 4096);
    buf_printf(&b, "%lld|%.*s|%lld|", (long long)r->id_arg[0], STR_FMT(r->arg[1]),
        r->has_version ? (long long)r->version : -1);
    struct str q = req_query(r, "q");
    buf_str(&b, q.p ? q : STR("-"));
    req_set_header(r, "x-q", q.p ? arena_copy(r->arena, q.p, q.n) : "-");
    req_set_etag(r, 7);
    req_reply(r, 200, "text/plain", buf_view(&b));
    buf_release(&b);
}

static void big(struct req *r)
{
    int64_t n;

    fx.handled++;
    if (!req_query_int(r, "n", 100, 1, 64 << 20, &n))
        return;
    char *p = arena_alloc(r->arena, (size_t)n);
    memset(p, 'x', (size_t)n);
    req_reply(r, 200, "text/plain", (struct str){p, (size_t)n});
}

/* The same n digits every time, from a file. */
static void file(struct req *r)
{
    char piece[1000];
    int64_t n, from;

    if (!req_query_int(r, "n", 100, 0, 64 << 20, &n) || !req_query_int(r, "from", 0, 0, n, &from))
        return;
    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (char)('0' + i % 10);
    FILE *f = tmpfile();
    BUG_ON(!f);
    for (int64_t left = n; left > 0; left -= (int64_t)sizeof(piece))
        fwrite(piece, 1, left < (int64_t)sizeof(piece) ? (size_t)left : sizeof(piece), f);
    fflush(f);
    int fd = dup(fileno(f));
    fclose(f);
    req_reply_file(r, from ? 206 : 200, "application/octet-stream", fd, from, n - from);
}

struct later {
    struct timer timer;
    struct req *r;
    void (*then)(struct req *);
};

static void release_later(void *p)
{
    timer_release(p);
}

static void fire_later(void *p)
{
    struct later *l = p;

    l->then(l->r);
}

static void after(struct req *r, int64_t ms, void (*then)(struct req *))
{
    struct later *l = arena_alloc(r->arena, sizeof(*l));

    l->r = r;
    l->then = then;
    timer_init(&l->timer, r->loop, fire_later, l);
    arena_defer(r->arena, release_later, &l->timer);
    timer_start(&l->timer, ms);
}

static void count_close(struct req *r)
{
    (void)r;
    fx.closed++;
}

static void later(struct req *r)
{
    int64_t ms;

    if (!req_query_int(r, "ms", 50, 0, 10000, &ms))
        return;
    r->on_close = count_close;
    after(r, ms, ping);
}

static void give_up(struct req *r)
{
    fx.closed++;
    req_fail(r, ERR_BUSY, NULL, "gave up");
}

static void park(struct req *r)
{
    fx.handled++;
    r->on_close = give_up;
}

static void park_late(struct req *r)
{
    after(r, 60, park);
}

/* --- uploads --- */

static void upload_data(struct req *r, struct str data)
{
    (void)r;
    fx.body += (int64_t)data.n;
}

static void upload_end(struct req *r)
{
    char *text = arena_printf(r->arena, "{\"bytes\":%lld,\"expect\":%lld}", (long long)fx.body,
        (long long)req_body_expect(r));

    req_reply(r, 201, "application/json", str_of(text));
}

static const struct req_stream upload_stream = {upload_data, upload_end};

static void upload(struct req *r)
{
    fx.handled++;
    r->on_close = give_up;
    req_read_body(r, &upload_stream);
}

static void go_on(struct req *r)
{
    req_body_resume(r);
}

static void slow_data(struct req *r, struct str data)
{
    fx.body += (int64_t)data.n;
    req_body_pause(r);
    after(r, 2, go_on);
}

static const struct req_stream slow_stream = {slow_data, upload_end};

static void slow(struct req *r)
{
    r->on_close = give_up;
    req_read_body(r, &slow_stream);
}

static void hold_data(struct req *r, struct str data)
{
    fx.body += (int64_t)data.n;
    req_body_pause(r);
}

static const struct req_stream hold_stream = {hold_data, upload_end};

/* Takes one piece and never asks for more. */
static void hold(struct req *r)
{
    r->on_close = give_up;
    req_read_body(r, &hold_stream);
}

/* --- streams --- */

enum { PIECE = 32 << 10 };

static void end_stream(struct req *r)
{
    fx.closed++;
    req_stream_end(r);
}

static void pour(struct req *r)
{
    static char piece[PIECE];
    int64_t *left = r->user;

    memset(piece, 's', sizeof(piece));
    while (*left > 0 && !req_gone(r)) {
        size_t n = *left < PIECE ? (size_t)*left : PIECE;
        *left -= (int64_t)n;
        fx.queued += (int64_t)n;
        if (!req_stream_write(r, (struct str){piece, n}, pour)) {
            fx.stopped++;
            return;
        }
    }
    r->on_close = NULL;
    req_stream_end(r);
}

static void stream(struct req *r)
{
    int64_t *left = arena_alloc(r->arena, sizeof(*left));

    if (!req_query_int(r, "n", 10, 0, 1 << 30, left))
        return;
    r->user = left;
    r->on_close = end_stream;
    req_stream_begin(r, 200, "text/plain");
    pour(r);
}

static void broken_stream(struct req *r)
{
    req_stream_begin(r, 200, "text/plain");
    req_stream_write(r, STR("some"), NULL);
    req_stream_abort(r);
}

static const struct param number[] = {{"n", "integer", NULL, "how many bytes"},
    {"from", "integer", NULL, "first byte"}, {"ms", "integer", NULL, "how long"},
    {NULL, NULL, NULL, NULL}};

static const struct param words[] = {{"q", "string", NULL, NULL}, {"a", "string", NULL, NULL},
    {"x", "string", NULL, NULL}, {NULL, NULL, NULL, NULL}};

const struct route fx_routes[] = {
    {.method = HTTP_M_GET,
        .path = "/v1/ping",
        .name = "ping",
        .summary = "Answers",
        .ok = 200,
        .params = words,
        .handler = ping},
    {.method = HTTP_M_POST,
        .path = "/v1/nothing",
        .name = "nothing",
        .summary = "No body",
        .ok = 200,
        .handler = ping},
    {.method = HTTP_M_POST,
        .path = "/v1/echo",
        .name = "echo",
        .summary = "Echo",
        .body = BODY_JSON,
        .ok = 200,
        .handler = echo},
    {.method = HTTP_M_POST,
        .path = "/v1/small",
        .name = "small",
        .summary = "At most 100 bytes",
        .body = BODY_JSON,
        .may_be_empty = true,
        .max_body = 100,
        .ok = 200,
        .handler = echo},
    {.method = HTTP_M_GET,
        .path = "/v1/things/{id}/{name}",
        .name = "thing",
        .summary = "Arguments",
        .ok = 200,
        .params = words,
        .handler = thing},
    {.method = HTTP_M_DELETE,
        .path = "/v1/things/{thing_id}/{name}",
        .name = "thing_delete",
        .summary = "Arguments",
        .if_match = true,
        .ok = 200,
        .handler = thing},
    {.method = HTTP_M_GET,
        .path = "/v1/big",
        .name = "big",
        .summary = "n bytes",
        .ok = 200,
        .params = number,
        .handler = big},
    {.method = HTTP_M_GET,
        .path = "/v1/file",
        .name = "file",
        .summary = "n bytes of a file",
        .ok = 200,
        .params = number,
        .handler = file},
    {.method = HTTP_M_GET,
        .path = "/v1/later",
        .name = "later",
        .summary = "After ms",
        .ok = 200,
        .params = number,
        .handler = later},
    {.method = HTTP_M_GET,
        .path = "/v1/park",
        .name = "park",
        .summary = "Till the client goes",
        .ok = 200,
        .handler = park},
    {.method = HTTP_M_GET,
        .path = "/v1/park/late",
        .name = "park_late",
        .summary = "The same, after 60 ms",
        .ok = 200,
        .handler = park_late},
    {.method = HTTP_M_POST,
        .path = "/v1/upload",
        .name = "upload",
        .summary = "Any size",
        .body = BODY_STREAM,
        .ok = 201,
        .handler = upload},
    {.method = HTTP_M_POST,
        .path = "/v1/upload/limited",
        .name = "limited",
        .summary = "1000 bytes",
        .body = BODY_STREAM,
        .max_body = 1000,
        .ok = 201,
        .handler = upload},
    {.method = HTTP_M_POST,
        .path = "/v1/upload/slow",
        .name = "slow",
        .summary = "Slowly",
        .body = BODY_STREAM,
        .ok = 201,
        .handler = slow},
    {.method = HTTP_M_POST,
        .path = "/v1/upload/hold",
        .name = "hold",
        .summary = "Never",
        .body = BODY_STREAM,
        .ok = 201,
        .handler = hold},
    {.method = HTTP_M_GET,
        .path = "/v1/stream",
        .name = "stream",
        .summary = "n bytes",
        .ok = 200,
        .params = number,
        .handler = stream},
    {.method = HTTP_M_GET,
        .path = "/v1/broken",
        .name = "broken",
        .summary = "Breaks off",
        .ok = 200,
        .handler = broken_stream},
};

const size_t fx_route_count = ARRAY_LEN(fx_routes);

void fx_gate(struct req *r)
{
    struct str who = req_header(r, "authorization");

    if (str_is(who, "no"))
        req_fail(r, ERR_UNAUTHENTICATED, NULL, NULL);
    else if (str_is(who, "later"))
        after(r, 30, http_gate_pass);
    else
        http_gate_pass(r);
}
