/* Connections: order, deadlines, caps, half-closes, disconnects, drain. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http_fixture.h"

#define HOST "Host: a\r\n"
#define PING "GET /v1/ping HTTP/1.1\r\n" HOST "\r\n"

static void reset(int fd)
{
    struct linger l = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    close(fd);
}

TEST(http_keep_alive)
{
    fx_start(NULL);
    int fd = fx_connect();
    for (int i = 0; i < 50; i++) {
        fx_send(fd, PING);
        CHECK_INT(fx_status(fx_answer(fd)), 200);
    }
    close(fd);
    fd = fx_connect(); /* HTTP/1.0 keeps a connection only when asked to */
    fx_send(fd, "GET /v1/ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(strstr(fx_answer(fd), "\r\nconnection: keep-alive\r\n"));
    fx_send(fd, "GET /v1/ping HTTP/1.0\r\n\r\n");
    CHECK(strstr(fx_answer(fd), "\r\nconnection: close\r\n"));
    CHECK(fx_is_closed(fd, 500));
    close(fd);
    fx_stop();
}

TEST(http_pipelining_in_order)
{
    struct buf b;
    char line[200];

    fx_start(NULL);
    buf_init(&b, 1 << 20);
    for (int i = 1; i <= 200; i++) {
        if (i % 10 == 0) /* slow ones among them: nobody may overtake */
            snprintf(line, sizeof(line),
                "GET /v1/things/%d/x HTTP/1.1\r\n" HOST "Authorization: later\r\n\r\n", i);
        else
            snprintf(line, sizeof(line), "GET /v1/things/%d/x HTTP/1.1\r\n" HOST "\r\n", i);
        buf_puts(&b, line);
    }
    int fd = fx_connect();
    fx_send_n(fd, b.p, b.n);
    for (int i = 1; i <= 200; i++) {
        const char *a = fx_answer(fd);
        snprintf(line, sizeof(line), "\r\n\r\n%d|x|", i);
        if (!strstr(a, line))
            t_fail(__FILE__, __LINE__, "answer %d is «%s»", i, a);
    }
    close(fd);
    buf_release(&b);
    fx_stop();
}

/* Pipelined requests beyond what is buffered wait in the socket; none is lost. */
TEST(http_pipelining_much)
{
    enum { N = 900 };
    struct buf b;

    fx_start(NULL);
    buf_init(&b, 16 << 20);
    for (int i = 0; i < N; i++) {
        buf_puts(&b, "POST /v1/echo HTTP/1.1\r\n" HOST
                     "Content-Type: application/json\r\nContent-Length: 2009\r\n\r\n{\"a\":\"");
        for (int k = 0; k < 2001; k++)
            buf_putc(&b, 'a');
        buf_puts(&b, "\"}");
    }
    int fd = fx_connect();
    if (fork() == 0) {
        fx_send_n(fd, b.p, b.n);
        _exit(0);
    }
    for (int i = 0; i < N; i++)
        if (fx_status(fx_answer(fd)) != 200) {
            t_fail(__FILE__, __LINE__, "answer %d", i);
            break;
        }
    CHECK_INT(fx.handled, N);
    close(fd);
    buf_release(&b);
    fx_stop();
}

TEST(http_requests_per_connection)
{
    struct http_options o = {.per_connection = 3};

    fx_start(&o);
    int fd = fx_connect();
    for (int i = 0; i < 5; i++)
        fx_send(fd, PING);
    const char *a = fx_read(fd, 500);
    CHECK_INT(fx_count(a), 3);
    CHECK(strstr(a, "\r\nconnection: close\r\n"));
    close(fd);
    fx_stop();
}

TEST(http_half_close_still_gets_its_answer)
{
    fx_start(NULL);
    const char *a = fx_talk("GET /v1/later?ms=60 HTTP/1.1\r\n" HOST "\r\n" PING);
    CHECK_INT(fx_count(a), 2);
    CHECK_INT(fx.closed, 1); /* told, and answered all the same */
    fx_stop();
}

TEST(http_parked_request_sees_its_client_go)
{
    fx_start(NULL);
    for (int how = 0; how < 4; how++) {
        int fd = fx_connect();
        fx_send(fd, "GET /v1/park HTTP/1.1\r\n" HOST "\r\n");
        if (how >= 2) /* with pipelined bytes in between */
            fx_send(fd, PING);
        CHECK(fx_until(&fx.handled, how + 1));
        fx_sleep(20);
        CHECK_INT(fx.closed, how);
        if (how % 2)
            reset(fd);
        else
            close(fd);
        CHECK(fx_until(&fx.closed, how + 1));
        fx_sleep(20);
        CHECK_INT(fx.closed, how + 1); /* once */
    }
    CHECK_INT(fx_connections(), 0);
    fx_stop();
}

/* The client goes before the handler begins to wait for it. */
TEST(http_client_goes_before_it_is_waited_for)
{
    fx_start(NULL);
    for (int how = 0; how < 2; how++) {
        int fd = fx_connect();
        fx_send(fd, "GET /v1/park/late HTTP/1.1\r\n" HOST "\r\n");
        fx_sleep(20);
        if (how)
            reset(fd);
        else
            close(fd);
        CHECK(fx_until(&fx.handled, how + 1));
        CHECK(fx_until(&fx.closed, how + 1));
    }
    fx_sleep(20);
    CHECK_INT(fx_connections(), 0);
    fx_stop();
}

/* One client that never stops asking does not keep the others waiting. */
TEST(http_fair_to_others)
{
    static char many[64 * 200];
    struct http_options o = {.per_connection = 1 << 30};

    fx_start(&o);
    for (size_t i = 0; i < sizeof(many); i += strlen(PING))
        if (i + strlen(PING) < sizeof(many))
            memcpy(many + i, PING, strlen(PING));
    int greedy = fx_connect();
    pid_t feeder = fork(), reader = feeder ? fork() : 0;
    if (feeder == 0)
        for (;;)
            fx_send_n(greedy, many, strlen(many));
    if (reader == 0)
        for (;;)
            fx_read(greedy, 1000);
    for (int i = 0; i < 20; i++) {
        int fd = fx_connect();
        int64_t start = clock_mono_us();
        fx_send(fd, PING);
        CHECK_INT(fx_status(fx_answer(fd)), 200);
        CHECK(clock_mono_us() - start < 500000);
        close(fd);
    }
    CHECK(fx.handled > 100);
    kill(feeder, SIGKILL);
    kill(reader, SIGKILL);
    close(greedy);
    fx_stop();
}

/* The client has filled all that is buffered for it, then goes away. */
TEST(http_parked_request_behind_much_input)
{
    char junk[8192];

    fx_start(NULL);
    memset(junk, 'x', sizeof(junk));
    for (int how = 0; how < 2; how++) {
        int fd = fx_connect();
        fx_send(fd, "GET /v1/park HTTP/1.1\r\n" HOST "\r\n");
        CHECK(fx_until(&fx.handled, how + 1));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        for (int i = 0; i < 1000; i++)
            if (send(fd, junk, sizeof(junk), MSG_NOSIGNAL) < 0)
                break;
        fx_sleep(20);
        CHECK_INT(fx.closed, how);
        reset(fd);
        CHECK(fx_until(&fx.closed, how + 1));
    }
    fx_stop();
}

TEST(http_slow_head)
{
    struct http_options o = {.header_ms = 300, .idle_ms = 200};
    int64_t start;

    fx_start(&o);
    int fd = fx_connect(); /* a byte now and then does not buy time */
    start = clock_mono_us();
    fx_send(fd, "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 20 && clock_mono_us() - start < 280000; i++) {
        fx_sleep(20);
        fx_send(fd, "y");
    }
    const char *a = fx_read(fd, 1000);
    CHECK_INT(fx_status(a), 408);
    CHECK(clock_mono_us() - start < 700000);
    close(fd);
    fd = fx_connect(); /* nothing at all */
    CHECK_INT(fx_status(fx_read(fd, 1000)), 0);
    CHECK(fx_is_closed(fd, 100));
    close(fd);
    fd = fx_connect(); /* idle after a request */
    fx_send(fd, PING);
    CHECK_INT(fx_status(fx_answer(fd)), 200);
    start = clock_mono_us();
    CHECK(fx_is_closed(fd, 1000));
    CHECK(clock_mono_us() - start > 150000);
    close(fd);
    fx_stop();
}

TEST(http_slow_second_head)
{
    struct http_options o = {.header_ms = 200, .idle_ms = 5000};

    fx_start(&o);
    int fd = fx_connect();
    fx_send(fd, PING "GET /v1/pi");
    CHECK_INT(fx_status(fx_answer(fd)), 200);
    CHECK_INT(fx_status(fx_read(fd, 1000)), 408);
    close(fd);
    fd = fx_connect();
    fx_send(fd, PING);
    CHECK_INT(fx_status(fx_answer(fd)), 200);
    fx_send(fd, "GET /v1/pi");
    int64_t start = clock_mono_us();
    CHECK_INT(fx_status(fx_read(fd, 1000)), 408);
    CHECK(clock_mono_us() - start < 1500000);
    close(fd);
    fx_stop();
}

TEST(http_slow_body)
{
    struct http_options o = {.body_ms = 200, .rate = 1000000};

    fx_start(&o);
    int fd = fx_connect();
    fx_send(fd, "POST /v1/echo HTTP/1.1\r\n" HOST
                "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 9; i++) {
        fx_sleep(20);
        fx_send(fd, "[");
    }
    CHECK_INT(fx_status(fx_read(fd, 1000)), 408);
    close(fd);
    fd = fx_connect(); /* a stream's handler is told, then the answer is ours */
    fx_send(fd, "POST /v1/upload HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    CHECK_INT(fx_status(fx_read(fd, 1000)), 408);
    CHECK_INT(fx.closed, 1);
    close(fd);
    fx_stop();
}

/* A reset after each byte of a request, in every state. */
TEST(http_reset_at_every_byte)
{
    static const char *const requests[] = {
        "POST /v1/echo HTTP/1.1\r\n" HOST
        "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}" PING,
        "POST /v1/upload HTTP/1.1\r\n" HOST
        "Authorization: later\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /v1/upload/slow HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd",
        "GET /v1/stream?n=1000000 HTTP/1.1\r\n" HOST "\r\n" PING,
    };

    fx_start(NULL);
    for (size_t r = 0; r < ARRAY_LEN(requests); r++)
        for (size_t n = 1; n <= strlen(requests[r]); n++) {
            int fd = fx_connect();
            fx_send_n(fd, requests[r], n);
            if (n % 3 == 0)
                fx_sleep(1);
            if (n % 2)
                reset(fd);
            else
                close(fd);
        }
    fx_sleep(100);
    CHECK_INT(fx_connections(), 0);
    CHECK_INT(fx_status(fx_talk(PING)), 200);
    fx_stop();
}

TEST(http_connection_cap)
{
    struct http_options o = {.limit = limit_new(3, 0)};
    int fd[5];

    fx_start(&o);
    for (int i = 0; i < 5; i++) {
        fd[i] = fx_connect();
        fx_send(fd[i], PING);
    }
    for (int i = 0; i < 3; i++)
        CHECK_INT(fx_status(fx_answer(fd[i])), 200);
    CHECK_INT(fx_status(fx_read(fd[3], 150)), 0); /* waits in the backlog */
    CHECK_INT(fx_connections(), 3);
    close(fd[0]);
    CHECK_INT(fx_status(fx_answer(fd[3])), 200); /* a place became free */
    close(fd[1]);
    CHECK_INT(fx_status(fx_answer(fd[4])), 200);
    for (int i = 2; i < 5; i++)
        close(fd[i]);
    fx_stop();
}

TEST(http_connections_of_one_address)
{
    struct http_options o = {.limit = limit_new(100, 2)};

    fx_start(&o);
    int a = fx_connect(), b = fx_connect();
    fx_send(a, PING);
    fx_send(b, PING);
    CHECK_INT(fx_status(fx_answer(a)), 200);
    CHECK_INT(fx_status(fx_answer(b)), 200);
    int c = fx_connect();
    CHECK(fx_is_closed(c, 500));
    close(c);
    close(a);
    fx_sleep(50);
    c = fx_connect();
    fx_send(c, PING);
    CHECK_INT(fx_status(fx_answer(c)), 200);
    close(b);
    close(c);
    fx_stop();
}

/* Out of descriptors the server waits without spinning, and serves again afterwards. */
TEST(http_no_descriptors)
{
    struct rlimit limit, low;
    struct rusage before, after;
    int spare[64], n = 0;

    fx_start(NULL);
    int fd = fx_connect();
    fx_send(fd, PING);
    CHECK_INT(fx_status(fx_answer(fd)), 200);
    int waiting = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    low = limit;
    low.rlim_cur = 64;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
    while (n < 64 && (spare[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    REQUIRE(getpeername(fd, (struct sockaddr *)(void *)&sa, &len) == 0);
    REQUIRE(connect(waiting, (struct sockaddr *)(void *)&sa, len) == 0);
    fx_send(waiting, PING);
    getrusage(RUSAGE_SELF, &before);
    CHECK_INT(fx_status(fx_read(waiting, 400)), 0);
    getrusage(RUSAGE_SELF, &after);
    int64_t us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                 after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    CHECK(us < 100000);
    while (n > 0)
        close(spare[--n]);
    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK_INT(fx_status(fx_answer(waiting)), 200);
    close(waiting);
    close(fd);
    fx_stop();
}

TEST(http_drain)
{
    fx_start(NULL);
    int idle = fx_connect(), busy = fx_connect(), half = fx_connect();
    fx_send(idle, PING);
    CHECK_INT(fx_status(fx_answer(idle)), 200);
    fx_send(busy, "GET /v1/later?ms=150 HTTP/1.1\r\n" HOST "\r\n" PING);
    fx_send(half, "GET /v1/pi");
    fx_sleep(30);
    fx_drain(3000);
    CHECK(fx_is_closed(idle, 100));
    CHECK_INT(fx.drained, 0);
    fx_send(half, "ng HTTP/1.1\r\n" HOST "\r\n"); /* had begun: is served */
    const char *a = fx_read(half, 500);
    CHECK_INT(fx_status(a), 200);
    CHECK(strstr(a, "\r\nconnection: close\r\n"));
    a = fx_read(busy, 1000);
    CHECK_INT(fx_count(a), 1);
    CHECK_INT(fx_status(a), 200);
    CHECK(strstr(a, "\r\nconnection: close\r\n"));
    CHECK(fx_is_closed(busy, 100));
    close(idle);
    close(busy);
    close(half);
    CHECK(fx_until(&fx.drained, 1));
    fx_stop();
    CHECK_INT(fx.drained, 1);
}

TEST(http_drain_cuts_in_the_end)
{
    fx_start(NULL);
    int fd = fx_connect();
    fx_send(fd, "GET /v1/park HTTP/1.1\r\n" HOST "\r\n");
    CHECK(fx_until(&fx.handled, 1));
    fx_drain(100);
    CHECK(fx_until(&fx.drained, 1));
    CHECK(fx_is_closed(fd, 100));
    CHECK_INT(fx.closed, 1);
    close(fd);
    fx_stop();
}

TEST(http_port_in_use)
{
    char address[32];
    struct http_server *sv;
    struct http_options o = {.listen = address, .exclusive = true};

    fx_start(NULL);
    o.limit = fx.limit;
    o.routes = fx_routes;
    o.n_routes = fx_route_count;
    snprintf(address, sizeof(address), "127.0.0.1:%d", fx.port);
    struct loop *l = loop_new();
    CHECK_INT(http_server_new(l, &o, &sv), ERR_EXISTS);
    CHECK(!sv);
    static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1",
        "127.0.0.1:65536", "nowhere:80", "1.2.3:80", "[::1:80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        o.listen = bad[i];
        if (http_server_new(l, &o, &sv) != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "«%s» is taken for an address", bad[i]);
    }
    loop_free(l);
    fx_stop();
}

TEST(http_metrics)
{
    struct buf b;

    fx_start(NULL);
    fx_talk(PING);
    fx_talk(PING);
    fx_talk("GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
    fx_talk("GET /v1/ping HTTP/1.1\r\n" HOST "Authorization: no\r\n\r\n");
    fx_sleep(30);
    buf_init(&b, 1 << 20);
    metrics_print(&b);
    CHECK(strstr(b.p, "annotate_http_requests_total{route=\"ping\",status=\"2xx\"} 2\n"));
    CHECK(strstr(b.p, "annotate_http_requests_total{route=\"ping\",status=\"4xx\"} 1\n"));
    CHECK(strstr(b.p, "annotate_http_requests_total{route=\"none\",status=\"4xx\"} 1\n"));
    CHECK(strstr(b.p, "annotate_http_request_seconds_count{route=\"ping\"} 3\n"));
    CHECK(strstr(b.p, "annotate_http_request_seconds_bucket{route=\"ping\",le=\"+Inf\"} 3\n"));
    CHECK(strstr(b.p, "annotate_http_in_flight 0\n"));
    CHECK(strstr(b.p, "annotate_http_connections 0\n"));
    CHECK(strstr(b.p, "annotate_http_connections_accepted_total 4\n"));
    buf_release(&b);
    fx_stop();
}
