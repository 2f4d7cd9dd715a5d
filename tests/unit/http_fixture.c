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
    o.gate = fx_gate;
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
