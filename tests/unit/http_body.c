/* Bodies in both directions: JSON, streams, back-pressure, limits, compression. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "http_fixture.h"

#define HOST "Host: a\r\n"
#define JSON "Content-Type: application/json\r\n"
#define PING "GET /v1/ping HTTP/1.1\r\n" HOST "\r\n"

static const char *post(const char *path, const char *headers, const char *body)
{
    char head[512];
    int fd = fx_connect();

    snprintf(head, sizeof(head),
        "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\nConnection: close\r\n\r\n", path,
        headers, strlen(body));
    fx_send(fd, head);
    fx_send(fd, body);
    const char *a = fx_read(fd, 2000);
    close(fd);
    return a;
}

TEST(http_json_bodies)
{
    static const struct {
        const char *type, *body;
        int status;
        const char *part; /* that the answer must hold */
    } rows[] = {
        {JSON, "{\"a\":[1,2.5,\"x\"]}", 200, "\r\n\r\n{ \"a\": [ 1, 2.5, \"x\" ] }"},
        {JSON, "[]", 200, "[ ]"},
        {"Content-Type: application/json; charset=utf-8\r\n", "{}", 200, "{ }"},
        {"Content-Type: Application/JSON\r\n", "{}", 200, "{ }"},
        {"", "", 422, "\"pointer\":\"\""},
        {"", "{}", 415, "unsupported-media-type"},
        {"Content-Type: text/plain\r\n", "{}", 415, "unsupported-media-type"},
        {"Content-Type: application/jsonx\r\n", "{}", 415, "unsupported-media-type"},
        {"Content-Type: application/x-www-form-urlencoded\r\n", "a=b", 415, "media"},
        {JSON, "{\"a\":}", 400, "\"offset\":5"},
        {JSON, "{\"a\":1,\"a\":2}", 400, "bad-json"},
        {JSON, "{\"a\":NaN}", 400, "bad-json"},
        {JSON, "{\"a\":9007199254740993}", 400, "bad-json"},
        {JSON, "{\"a\":\"\\u0000\"}", 400, "bad-json"},
        {JSON, "{\"a\":\"\xc0\xaf\"}", 400, "bad-json"},
        {JSON, "{} {}", 400, "bad-json"},
        {JSON, "{", 400, "bad-json"},
        {JSON, "null", 422, "invalid"},
        {JSON, "3", 422, "invalid"},
        {JSON, "\"x\"", 422, "invalid"},
    };

    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *a = post("/v1/echo", rows[i].type, rows[i].body);
        if (fx_status(a) != rows[i].status || !strstr(a, rows[i].part))
            t_fail(__FILE__, __LINE__, "«%s» %s: «%s»", rows[i].body, rows[i].type, a);
    }
    fx_stop();
}

/* Where a route says so, no body is an empty object. */
TEST(http_no_json_body)
{
    fx_start(NULL);
    CHECK(strstr(post("/v1/small", "", ""), "\r\n\r\n{ }"));
    CHECK_INT(fx_status(fx_talk("POST /v1/small HTTP/1.1\r\n" HOST JSON
                                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        200);
    CHECK_INT(fx_status(fx_talk("POST /v1/echo HTTP/1.1\r\n" HOST JSON
                                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        422);
    fx_stop();
}

TEST(http_json_depth)
{
    char body[200];

    fx_start(NULL);
    for (int depth = 31; depth <= 34; depth++) {
        memset(body, '[', (size_t)depth);
        memset(body + depth, ']', (size_t)depth);
        body[2 * depth] = '\0';
        CHECK_INT(fx_status(post("/v1/echo", JSON, body)), depth <= 32 ? 200 : 400);
    }
    fx_stop();
}

TEST(http_too_large)
{
    char body[200];

    fx_start(NULL);
    memset(body, ' ', sizeof(body));
    memcpy(body, "{}", 2);
    body[100] = '\0';
    CHECK_INT(fx_status(post("/v1/small", JSON, body)), 200);
    body[100] = ' ';
    body[101] = '\0';
    CHECK_INT(fx_status(post("/v1/small", JSON, body)), 413);
    CHECK_INT(fx_status(fx_talk(
                  "POST /v1/small HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n"
                  "30\r\n{                                               \r\n"
                  "40\r\n                                                          "
                  "      }\r\n0\r\n\r\n")),
        413);
    /* refused before a byte of it is there, and the connection is not read on */
    CHECK_INT(fx_status(fx_talk(
                  "POST /v1/echo HTTP/1.1\r\n" HOST JSON "Content-Length: 999999999999\r\n\r\n")),
        413);
    CHECK_INT(fx.handled, 1);
    fx_stop();
}

/* The answer reaches a client that is still busy sending what nobody will read. */
TEST(http_answer_survives_unread_input)
{
    static char body[3000000];

    fx_start(NULL);
    memset(body, 'x', sizeof(body));
    for (int i = 0; i < 5; i++) {
        int fd = fx_connect();
        fx_send(fd, "POST /v1/small HTTP/1.1\r\n" HOST JSON "Content-Length: 3000000\r\n\r\n");
        fx_send_n(fd, body, sizeof(body));
        CHECK_INT(fx_status(fx_answer(fd)), 413);
        CHECK_INT(recv(fd, body, 1, 0), 0); /* an orderly end, no reset */
        close(fd);
    }
    fx_stop();
}

TEST(http_expect_continue)
{
    fx_start(NULL);
    int fd = fx_connect();
    fx_send(fd,
        "POST /v1/echo HTTP/1.1\r\n" HOST JSON "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK_STR(str_of(fx_read(fd, 100)), STR("HTTP/1.1 100 Continue\r\n\r\n"));
    fx_send(fd, "{}");
    CHECK_INT(fx_status(fx_answer(fd)), 200);
    /* a stream's begins when its handler wants it */
    fx_send(fd,
        "POST /v1/upload HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK_STR(str_of(fx_read(fd, 100)), STR("HTTP/1.1 100 Continue\r\n\r\n"));
    fx_send(fd, "ab");
    CHECK_INT(fx_status(fx_answer(fd)), 201);
    close(fd);
    static const char *const refused[] = {"/v1/small", "/v1/upload/limited"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        char head[200];
        snprintf(head, sizeof(head),
            "POST %s HTTP/1.1\r\n" HOST JSON "Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n",
            refused[i]);
        fd = fx_connect();
        fx_send(fd, head);
        const char *a = fx_read(fd, 300);
        CHECK_INT(fx_status(a), 413);
        CHECK_INT(fx_count(a), 1);
        CHECK(fx_is_closed(fd, 3000));
        close(fd);
    }
    fd = fx_connect();
    fx_send(fd, "POST /v1/upload HTTP/1.1\r\n" HOST "Authorization: no\r\n"
                "Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n");
    CHECK_INT(fx_status(fx_read(fd, 300)), 401);
    close(fd);
    fx_stop();
}

/* The body of a refused request is read over when it is short, else the connection ends. */
TEST(http_refused_body)
{
    fx_start(NULL);
    int fd = fx_connect();
    fx_send(
        fd, "POST /v1/upload HTTP/1.1\r\n" HOST "Authorization: no\r\nContent-Length: 5\r\n\r\n");
    CHECK_INT(fx_status(fx_answer(fd)), 401);
    fx_send(fd, "/next"); /* the body: no request of its own */
    fx_send(fd, PING);
    const char *a = fx_answer(fd);
    CHECK_INT(fx_status(a), 200);
    CHECK(strstr(a, "pong"));
    fx_send(fd,
        "POST /v1/upload HTTP/1.1\r\n" HOST "Authorization: no\r\nContent-Length: 5000000\r\n\r\n");
    a = fx_answer(fd);
    CHECK_INT(fx_status(a), 401);
    CHECK(strstr(a, "\r\nconnection: close\r\n"));
    fx_send(fd, PING);
    CHECK(fx_is_closed(fd, 3000));
    CHECK_INT(fx.body, 0);
    CHECK_INT(fx.handled, 1);
    close(fd);
    fx_stop();
}

TEST(http_body_of_a_route_without)
{
    fx_start(NULL);
    CHECK_INT(fx_status(post("/v1/nothing", JSON, "{}")), 200);
    CHECK_INT(fx_status(post("/v1/nothing", "", "")), 200);
    CHECK_INT(
        fx_status(fx_talk("POST /v1/nothing HTTP/1.1\r\n" HOST "Content-Length: 99999\r\n\r\n")),
        413);
    fx_stop();
}

static void send_chunked(int fd, size_t total)
{
    static char piece[50000];
    char size[32];

    memset(piece, 'b', sizeof(piece));
    while (total > 0) {
        size_t n = total < sizeof(piece) ? total : sizeof(piece);
        int len = snprintf(size, sizeof(size), "%zx\r\n", n);
        fx_send_n(fd, size, (size_t)len);
        fx_send_n(fd, piece, n);
        fx_send(fd, "\r\n");
        total -= n;
    }
    fx_send(fd, "0\r\n\r\n");
}

TEST(http_streamed_upload)
{
    enum { N = 20000000 };

    fx_start(NULL);
    int fd = fx_connect();
    fx_send(fd, "POST /v1/upload HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    send_chunked(fd, N);
    fx_send(fd, PING);
    const char *a = fx_answer(fd);
    CHECK_INT(fx_status(a), 201);
    CHECK(strstr(a, "{\"bytes\":20000000,\"expect\":-1}"));
    CHECK(strstr(fx_answer(fd), "pong"));
    close(fd);
    fx.body = 0;
    CHECK(strstr(post("/v1/upload", "", "12345"), "{\"bytes\":5,\"expect\":5}"));
    fx.body = 0;
    CHECK(strstr(post("/v1/upload", "", ""), "{\"bytes\":0,\"expect\":0}"));
    fx_stop();
}

/* A handler that pauses after every piece gets every byte, also of a client that has closed its
 * half, also at the very end. */
TEST(http_paused_upload)
{
    enum { N = 3000000 };

    fx_start(NULL);
    for (int how = 0; how < 2; how++) {
        int fd = fx_connect();
        fx.body = 0;
        fx_send(fd, "POST /v1/upload/slow HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        send_chunked(fd, N);
        if (how)
            shutdown(fd, SHUT_WR);
        const char *a = fx_answer(fd);
        CHECK(strstr(a, "{\"bytes\":3000000,"));
        close(fd);
    }
    fx.body = 0;
    CHECK(strstr(post("/v1/upload/slow", "", "x"), "{\"bytes\":1,"));
    fx_stop();
}

/* What a paused handler does not take stays with the client. */
TEST(http_back_pressure)
{
    char piece[16384];
    size_t sent = 0;

    fx_start(NULL);
    int fd = fx_connect();
    fx_send(fd, "POST /v1/upload/hold HTTP/1.1\r\n" HOST "Content-Length: 1000000000\r\n\r\n");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    memset(piece, 'h', sizeof(piece));
    for (int quiet = 0; quiet < 20;) {
        ssize_t n = send(fd, piece, sizeof(piece), MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (++quiet)
            fx_sleep(5);
    }
    CHECK(fx.body > 0 && fx.body <= 65536);
    CHECK(sent < 32 << 20); /* the kernel's buffers, not ours */
    CHECK_INT(fx.closed, 0);
    close(fd); /* with unread bytes on their way: a reset */
    fx_stop();
    CHECK_INT(fx.closed, 1);
}

TEST(http_upload_over_its_limit)
{
    fx_start(NULL);
    int fd = fx_connect();
    fx_send(fd, "POST /v1/upload/limited HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    send_chunked(fd, 2000);
    CHECK_INT(fx_status(fx_read(fd, 500)), 413); /* not the handler's 503 */
    CHECK_INT(fx.closed, 1);
    close(fd);
    CHECK_INT(fx_status(fx_talk(
                  "POST /v1/upload/limited HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n")),
        413);
    CHECK_INT(fx.handled, 1); /* the second was refused by its head */
    fd = fx_connect();
    fx_send(fd,
        "POST /v1/upload HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n");
    CHECK_INT(fx_status(fx_read(fd, 500)), 400);
    close(fd);
    fd = fx_connect(); /* a length that would overflow a deadline */
    fx_send(
        fd, "POST /v1/upload HTTP/1.1\r\n" HOST "Content-Length: 999999999999999999\r\n\r\nabc");
    fx_sleep(20);
    close(fd);
    CHECK(fx_until(&fx.closed, 3));
    fd = fx_connect(); /* broken off by the client */
    fx_send(fd, "POST /v1/upload HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    fx_sleep(20);
    close(fd);
    CHECK(fx_until(&fx.closed, 4));
    fx_stop();
}

/* --- answers --- */

static size_t unchunk(char *body)
{
    char *from = body, *to = body;

    for (;;) {
        size_t n = strtoul(from, &from, 16);
        from += 2;
        if (n == 0)
            return (size_t)(to - body);
        memmove(to, from, n);
        to += n;
        from += n + 2;
    }
}

TEST(http_streamed_answer)
{
    static const size_t sizes[] = {0, 1, 1000, 40000, 5000000};

    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char request[200];
        snprintf(
            request, sizeof(request), "GET /v1/stream?n=%zu HTTP/1.1\r\n" HOST "\r\n", sizes[i]);
        int fd = fx_connect();
        fx_send(fd, request);
        const char *a = fx_read(fd, 200);
        CHECK(strstr(a, "\r\ntransfer-encoding: chunked\r\n"));
        char *body = strstr((char *)(uintptr_t)a, "\r\n\r\n");
        REQUIRE(body);
        CHECK_INT(unchunk(body + 4), sizes[i]);
        fx_send(fd, PING); /* the connection is kept */
        CHECK(strstr(fx_answer(fd), "pong"));
        close(fd);
    }
    const char *a = fx_talk("GET /v1/stream?n=70000 HTTP/1.0\r\n\r\n");
    CHECK(!strstr(a, "chunked"));
    CHECK_INT(strlen(strstr(a, "\r\n\r\n") + 4), 70000);
    a = fx_talk("HEAD /v1/stream?n=70000 HTTP/1.1\r\n" HOST "\r\n");
    CHECK_INT(fx_status(a), 200);
    CHECK_INT(strlen(strstr(a, "\r\n\r\n")), 4);
    fx_stop();
}

TEST(http_client_that_never_reads)
{
    struct http_options o = {.body_ms = 300, .rate = 50000000};

    fx_start(&o);
    int fd = fx_connect(), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    fx_send(fd, "GET /v1/stream?n=900000000 HTTP/1.1\r\n" HOST "\r\n" PING);
    CHECK(fx_until(&fx.stopped, 1));
    fx_sleep(50);
    CHECK(fx.queued < 16 << 20);    /* our cap and the kernel's buffers */
    CHECK(fx_until(&fx.closed, 1)); /* too slow: cut */
    CHECK_INT(fx_connections(), 0);
    close(fd);
    /* the same with pipelined whole answers: one at a time */
    fx.handled = 0;
    fd = fx_connect();
    for (int i = 0; i < 50; i++)
        fx_send(fd, "GET /v1/big?n=8000000 HTTP/1.1\r\n" HOST "\r\n");
    fx_sleep(100);
    CHECK(fx.handled < 3);
    close(fd);
    fx_stop();
}

TEST(http_aborted_stream_is_seen)
{
    fx_start(NULL);
    const char *a = fx_talk("GET /v1/broken HTTP/1.1\r\n" HOST "\r\n");
    CHECK(!strstr(a, "\r\n0\r\n\r\n"));
    CHECK_INT(fx_status(fx_talk(PING)), 200);
    fx_stop();
}

static size_t gunzip(const char *p, size_t n, char *out, size_t room)
{
    z_stream z = {0};

    if (inflateInit2(&z, 31) != Z_OK)
        return 0;
    z.next_in = (Bytef *)(uintptr_t)p;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    int r = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return r == Z_STREAM_END ? z.total_out : 0;
}

TEST(http_gzip)
{
    static const struct {
        const char *accept;
        int n;
        bool gzip;
    } rows[] = {
        {"gzip", 5000, true},
        {"deflate, gzip;q=0.5", 5000, true},
        {"*", 5000, true},
        {"GZIP", 5000, true},
        {"gzip;q=0", 5000, false},
        {"gzip; q=0.000, *", 5000, false},
        {"identity", 5000, false},
        {"", 5000, false},
        {"gzip", 1023, false},
        {"gzip", 1024, true},
    };

    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char request[200], out[6000];
        snprintf(request, sizeof(request),
            "GET /v1/big?n=%d HTTP/1.1\r\n" HOST "Accept-Encoding: %s\r\n\r\n", rows[i].n,
            rows[i].accept);
        int fd = fx_connect();
        fx_send(fd, request);
        const char *a = fx_answer(fd), *body = strstr(a, "\r\n\r\n");
        const char *length = strstr(a, "content-length: ");
        REQUIRE(body && length);
        size_t n = (size_t)strtol(length + 16, NULL, 10);
        bool gzip = strstr(a, "\r\ncontent-encoding: gzip\r\n") != NULL;
        if (gzip != rows[i].gzip)
            t_fail(__FILE__, __LINE__, "«%s» %d", rows[i].accept, rows[i].n);
        CHECK(rows[i].n < 1024 || strstr(a, "\r\nvary: accept-encoding\r\n"));
        CHECK_INT(gzip ? gunzip(body + 4, n, out, sizeof(out)) : n, rows[i].n);
        close(fd);
    }
    fx_stop();
}

TEST(http_large_answer)
{
    fx_start(NULL);
    int fd = fx_connect();
    fx_send(fd, "GET /v1/big?n=30000000 HTTP/1.1\r\n" HOST "\r\n" PING);
    fx_sleep(50); /* the socket fills up first */
    const char *a = fx_read(fd, 500);
    CHECK_INT(fx_count(a), 2);
    CHECK(strstr(a, "pong"));
    CHECK_INT(strspn(strstr(a, "\r\n\r\n") + 4, "x"), 30000000);
    close(fd);
    fx_stop();
}

TEST(http_file_answer)
{
    static const struct {
        int n, from;
    } rows[] = {{100, 0}, {100, 93}, {0, 0}, {100, 100}, {9000000, 0}, {9000000, 8999000},
        {9000000, 4500003}};

    fx_start(NULL);
    int fd = fx_connect();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char request[200];
        int n = rows[i].n - rows[i].from;
        snprintf(request, sizeof(request),
            "GET /v1/file?n=%d&from=%d HTTP/1.1\r\n" HOST "\r\n" PING, rows[i].n, rows[i].from);
        fx_send(fd, request);
        if (n > 1000000)
            fx_sleep(30); /* the socket fills up first */
        const char *a = fx_answer(fd), *body = strstr(a, "\r\n\r\n");
        REQUIRE(body);
        CHECK_INT(fx_status(a), rows[i].from ? 206 : 200);
        CHECK_INT(strlen(body + 4), n);
        for (int k = 0; k < n; k++)
            if (body[4 + k] != '0' + (rows[i].from + k) % 1000 % 10) {
                t_fail(__FILE__, __LINE__, "byte %d of %d from %d", k, rows[i].n, rows[i].from);
                break;
            }
        CHECK(strstr(fx_answer(fd), "pong"));
    }
    fx_send(fd, "HEAD /v1/file?n=100 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    const char *a = fx_read(fd, 500);
    CHECK(strstr(a, "\r\ncontent-length: 100\r\n"));
    CHECK_INT(strlen(strstr(a, "\r\n\r\n")), 4);
    close(fd);
    fd = fx_connect(); /* goes away in the middle */
    fx_send(fd, "GET /v1/file?n=9000000 HTTP/1.1\r\n" HOST "\r\n");
    fx_sleep(10);
    close(fd);
    fx_sleep(20);
    CHECK_INT(fx_connections(), 0);
    fx_stop();
}

/* Slow, but faster than the rate: not cut, though the kernel's buffers hide it for long. */
TEST(http_slow_reader)
{
    enum { N = 6000000, PIECE = 60000 };
    struct http_options o = {.body_ms = 300, .rate = 300000};
    static char piece[PIECE];
    size_t got = 0;
    ssize_t n;

    fx_start(&o);
    int fd = fx_connect(), small = 32768;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    fx_send(fd, "GET /v1/big?n=6000000 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    while ((n = recv(fd, piece, sizeof(piece), 0)) > 0) {
        got += (size_t)n;
        fx_sleep((int)(n / 1500)); /* at most 1.5 MB/s */
    }
    CHECK(got > N);
    close(fd);
    fx_stop();
}
