/* Owns the test server and its raw client. */
#include "http_fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct fx fx;

/* --- handlers --- */

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

static void gate(struct req *r)
{
    struct str who = req_header(r, "authorization");

    if (str_is(who, "no"))
        req_fail(r, ERR_UNAUTHENTICATED, NULL, NULL);
    else if (str_is(who, "later"))
        after(r, 30, http_gate_pass);
    else
        http_gate_pass(r);
}

/* --- the server --- */

static void *run(void *arg)
{
    loop_run(arg);
    return NULL;
}

void fx_start(const struct http_options *given)
{
    struct http_options o = given ? *given : (struct http_options){0};

    log_init("test", "error");
    o.listen = "127.0.0.1:0";
    o.exclusive = true;
    o.routes = fx_routes;
    o.n_routes = fx_route_count;
    o.gate = gate;
    fx.limit = o.limit ? o.limit : limit_new(1000, 0);
    o.limit = fx.limit;
    fx.loop = loop_new();
    BUG_ON(http_server_new(fx.loop, &o, &fx.sv));
    fx.port = http_server_port(fx.sv);
    BUG_ON(pthread_create(&fx.thread, NULL, run, fx.loop) != 0);
}

static void on_drained(void *arg)
{
    (void)arg;
    fx.drained++;
}

static int64_t drain_ms;

static void start_drain(void *arg)
{
    (void)arg;
    http_server_drain(fx.sv, drain_ms, on_drained, NULL);
}

void fx_drain(int64_t ms)
{
    drain_ms = ms;
    loop_post(fx.loop, start_drain, NULL);
}

void fx_stop(void)
{
    if (!fx.drained)
        fx_drain(200);
    CHECK(fx_until(&fx.drained, 1));
    loop_stop(fx.loop);
    pthread_join(fx.thread, NULL);
    http_server_free(fx.sv);
    loop_free(fx.loop);
    limit_free(fx.limit);
}

static _Atomic int asked;
static size_t connections;

static void ask(void *arg)
{
    (void)arg;
    connections = http_server_connections(fx.sv);
    asked = 1;
}

size_t fx_connections(void)
{
    asked = 0;
    loop_post(fx.loop, ask, NULL);
    CHECK(fx_until(&asked, 1));
    return connections;
}

/* --- the client --- */

int fx_connect(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)fx.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BUG_ON(fd < 0);
    BUG_ON(connect(fd, (struct sockaddr *)(void *)&sa, sizeof(sa)) != 0);
    return fd;
}

void fx_send_n(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server has closed: the test looks at what it said */
        at += sent;
        n -= (size_t)sent;
    }
}

void fx_send(int fd, const char *text)
{
    fx_send_n(fd, text, strlen(text));
}

static struct buf *ring(void)
{
    static struct buf bufs[8];
    static unsigned next;
    struct buf *b = &bufs[next++ % ARRAY_LEN(bufs)];

    if (!b->max)
        buf_init(b, 128 << 20);
    buf_clear(b);
    buf_puts(b, "");
    return b;
}

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms) == 1;
}

const char *fx_read(int fd, int ms)
{
    struct buf *b = ring();
    char piece[65536];

    while (readable(fd, ms)) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n <= 0)
            break;
        buf_add(b, piece, (size_t)n);
    }
    return b->p;
}

/* Byte by byte up to the end of the head, so as not to read into the next answer. */
const char *fx_answer(int fd)
{
    struct buf *b = ring();
    char piece[65536];
    size_t want = 1;
    bool head = true;

    while (want > 0 && readable(fd, 3000)) {
        ssize_t n = recv(fd, piece, want < sizeof(piece) ? want : sizeof(piece), 0);
        if (n <= 0)
            return "";
        buf_add(b, piece, (size_t)n);
        if (!head) {
            want -= (size_t)n;
        } else if (b->n >= 4 && strcmp(b->p + b->n - 4, "\r\n\r\n") == 0) {
            const char *length = strstr(b->p, "content-length: ");
            want = length ? (size_t)strtol(length + 16, NULL, 10) : 0;
            head = false;
        }
    }
    return want == 0 ? b->p : "";
}

bool fx_is_closed(int fd, int ms)
{
    int64_t end = clock_mono_us() + ms * 1000;
    char piece[65536];

    while (clock_mono_us() < end)
        if (readable(fd, 10) && recv(fd, piece, sizeof(piece), 0) <= 0)
            return true;
    return false;
}

const char *fx_talk(const char *text)
{
    int fd = fx_connect();

    fx_send(fd, text);
    shutdown(fd, SHUT_WR);
    const char *answer = fx_read(fd, 3000);
    close(fd);
    return answer;
}

int fx_status(const char *answer)
{
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0)
        return 0;
    return (int)strtol(answer + 9, NULL, 10);
}

int fx_count(const char *answers)
{
    int n = 0;

    for (; (answers = strstr(answers, "HTTP/1.1 ")) != NULL; answers++)
        n += fx_status(answers) != 0;
    return n;
}

void fx_sleep(int ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

bool fx_until(_Atomic int *v, int want)
{
    for (int i = 0; i < 600; i++) {
        if (*v >= want)
            return true;
        fx_sleep(5);
    }
    return false;
}
