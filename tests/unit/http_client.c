/* io/http_client against a scripted server: good answers, bad servers, retries, limits, the guard.
 */
#include "io/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "t.h"

/* The server: one connection after the other; each request gets the next step's answer, as is. */

enum after { KEEP, CLOSE, STALL };

struct step {
    const char *answer; /* NULL: the connection is closed without a word */
    enum after after;
};

static struct {
    int listener;
    char base[64];
    const struct step *steps;
    size_t nsteps, done;
    int connections;
    struct buf requests; /* everything that came in */
    pthread_t thread;
} server;

/* True when a whole request is in `got`: header, and a body of Content-Length or of chunks. */
static bool whole(struct str got)
{
    const char *end = memmem(got.p, got.n, "\r\n\r\n", 4);
    const char *length = got.n ? strstr(got.p, "Content-Length: ") : NULL;

    if (!end)
        return false;
    size_t header = (size_t)(end + 4 - got.p);
    if (strstr(got.p, "Transfer-Encoding: chunked"))
        return memmem(end, got.n - (size_t)(end - got.p), "\r\n0\r\n\r\n", 7) != NULL;
    return !length || got.n - header >= strtoul(length + 16, NULL, 10);
}

static bool read_request(int fd, struct buf *one)
{
    char bytes[16384];

    buf_clear(one);
    while (!whole(buf_view(one))) {
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n <= 0)
            return false;
        buf_add(one, bytes, (size_t)n);
    }
    return true;
}

static void serve(int fd, struct buf *one)
{
    char byte;

    while (server.done < server.nsteps && read_request(fd, one)) {
        const struct step *s = &server.steps[server.done++];
        buf_str(&server.requests, buf_view(one));
        if (!s->answer || send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL) < 0)
            return;
        if (s->after == CLOSE)
            return;
        while (s->after == STALL && read(fd, &byte, 1) > 0)
            ; /* until the client has had enough */
    }
}

static void *serve_all(void *arg)
{
    struct buf one;

    (void)arg;
    buf_init(&one, 64 << 20);
    for (;;) {
        int fd = accept(server.listener, NULL, NULL);
        if (fd < 0)
            break;
        server.connections++;
        serve(fd, &one);
        close(fd);
    }
    buf_release(&one);
    return NULL;
}

static void start(const struct step *steps, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);

    server.steps = steps;
    server.nsteps = n;
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    BUG_ON(bind(server.listener, (struct sockaddr *)&a, size) || listen(server.listener, 16));
    BUG_ON(getsockname(server.listener, (struct sockaddr *)&a, &size));
    snprintf(server.base, sizeof(server.base), "http://127.0.0.1:%d", ntohs(a.sin_port));
    buf_init(&server.requests, 64 << 20);
    BUG_ON(pthread_create(&server.thread, NULL, serve_all, NULL));
}

static void stop(void)
{
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.listener);
    buf_release(&server.requests);
}

#define START(...)                                                                                 \
    static const struct step steps[] = {__VA_ARGS__};                                              \
    start(steps, ARRAY_LEN(steps))

static struct http_client *client(struct http_client_options o)
{
    o.base = server.base;
    struct http_client *c = http_client_open(&o);
    BUG_ON(!c);
    return c;
}

static enum err get(struct http_client *c, struct http_answer *a)
{
    return http_client_call(c, "GET", "/x", NULL, (struct str){0}, NULL, a);
}

static enum err post(struct http_client *c, const char *body, struct http_answer *a)
{
    return http_client_call(c, "POST", "/x", NULL, str_of(body), NULL, a);
}

static bool seen(const char *text)
{
    return server.requests.n && strstr(server.requests.p, text);
}

#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* Good answers */

TEST(http_call)
{
    START({"HTTP/1.1 201 Created\r\nETag: \"7\"\r\nContent-Type: application/json\r\n"
           "Content-Length: 2\r\n\r\n{}",
              KEEP},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            KEEP});
    char token[] = "/tmp/annotate-token-XXXXXX";
    int fd = mkstemp(token);
    BUG_ON(write(fd, " s3cret\n", 8) != 8);
    close(fd);
    struct http_client *c = client((struct http_client_options){.token_file = token});
    const char *const headers[] = {"If-Match: \"3\"", NULL};
    struct http_answer a;

    http_answer_init(&a);
    REQUIRE(
        http_client_call(c, "POST", "/v1/a?b=c", headers, STR("{\"k\":1}"), NULL, &a) == ERR_OK);
    CHECK_INT(a.status, 201);
    CHECK(strcmp(a.etag, "\"7\"") == 0 && strcmp(a.content_type, "application/json") == 0);
    CHECK_STR(buf_view(&a.body), STR("{}"));
    CHECK(seen("POST /v1/a?b=c HTTP/1.1\r\n"));
    CHECK(seen("\r\nAuthorization: Bearer s3cret\r\n"));
    CHECK(seen("\r\nIf-Match: \"3\"\r\n"));
    CHECK(seen("\r\nContent-Type: application/json\r\n"));
    CHECK(seen("\r\n\r\n{\"k\":1}"));
    REQUIRE(get(c, &a) == ERR_OK);
    CHECK_STR(buf_view(&a.body), STR("abcde"));
    CHECK(a.etag[0] == '\0'); /* nothing left of the answer before */
    CHECK_INT(server.connections, 1);
    http_answer_release(&a);
    http_client_free(c);
    unlink(token);
    stop();
}

TEST(http_errors_by_slug_and_status)
{
    START({"HTTP/1.1 409 Conflict\r\nContent-Length: 57\r\n\r\n"
           "{\"type\":\"/errors/lease-lost\",\"title\":\"t\",\"detail\":\"gone\"}",
              KEEP},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", KEEP},
        {"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n", KEEP});
    struct http_client *c = client((struct http_client_options){0});
    struct http_answer a;
    char text[100];

    http_answer_init(&a);
    REQUIRE(get(c, &a) == ERR_OK);
    CHECK(http_answer_err(&a) == ERR_LEASE_LOST);
    http_answer_detail(&a, text, sizeof(text));
    CHECK_STR(str_of(text), STR("gone"));
    REQUIRE(get(c, &a) == ERR_OK);
    CHECK(http_answer_err(&a) == ERR_NOT_FOUND);
    http_answer_detail(&a, text, sizeof(text));
    CHECK_STR(str_of(text), STR("HTTP status 404"));
    REQUIRE(get(c, &a) == ERR_OK);
    CHECK(http_answer_err(&a) == ERR_INTERNAL);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

/* Bad servers */

TEST(http_body_cut_short)
{
    START({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", CLOSE});
    struct http_client *c = client((struct http_client_options){.tries = 1});
    struct http_answer a;

    http_answer_init(&a);
    CHECK(get(c, &a) == ERR_UNAVAILABLE);
    CHECK_INT(a.status, 0);
    CHECK(a.why[0] != '\0');
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

TEST(http_body_too_large)
{
    START({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           "10\r\n0123456789abcdef\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
              KEEP},
        {OK2, KEEP});
    struct http_client *c = client((struct http_client_options){.max_body = 20});
    struct http_answer a;

    http_answer_init(&a);
    CHECK(get(c, &a) == ERR_FULL);
    REQUIRE(get(c, &a) == ERR_OK); /* and the client lives on */
    CHECK_STR(buf_view(&a.body), STR("ok"));
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

TEST(http_timeout)
{
    START({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", STALL});
    struct http_client *c = client((struct http_client_options){.total_ms = 200, .tries = 1});
    struct http_answer a;
    int64_t began = clock_mono_us();

    http_answer_init(&a);
    CHECK(get(c, &a) == ERR_TIMEOUT);
    CHECK(clock_mono_us() - began < 2000000);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

static void *set_soon(void *flag)
{
    usleep(100000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

TEST(http_cancel)
{
    START({"HTTP/1.1 503 Busy\r\nRetry-After: 25\r\nContent-Length: 0\r\n\r\n", KEEP});
    atomic_bool flag = false;
    struct http_client *c = client((struct http_client_options){.cancel = &flag});
    struct http_answer a;
    pthread_t setter;
    int64_t began = clock_mono_us();

    http_answer_init(&a);
    BUG_ON(pthread_create(&setter, NULL, set_soon, &flag));
    CHECK(get(c, &a) == ERR_UNAVAILABLE); /* in the pause before the next try */
    CHECK(clock_mono_us() - began < 3000000);
    pthread_join(setter, NULL);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

/* Retries */

TEST(http_retries_busy_servers)
{
    START({"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", KEEP},
        {"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", KEEP}, {OK2, KEEP});
    struct http_client *c = client((struct http_client_options){0});
    struct http_answer a;
    int64_t began = clock_mono_us();

    http_answer_init(&a);
    REQUIRE(post(c, "{}", &a) == ERR_OK); /* refused, so not done: even a POST is repeated */
    CHECK_INT(a.status, 200);
    CHECK_INT(server.done, 3);
    CHECK(clock_mono_us() - began > 1000000); /* Retry-After */
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

TEST(http_gives_up_with_the_last_answer)
{
    START({"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", KEEP},
        {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", KEEP}, {OK2, KEEP});
    struct http_client *c = client((struct http_client_options){.tries = 2});
    struct http_answer a;

    http_answer_init(&a);
    REQUIRE(get(c, &a) == ERR_OK);
    CHECK_INT(a.status, 503);
    CHECK_INT(server.done, 2);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

TEST(http_lost_answer)
{
    START({NULL, CLOSE}, {OK2, CLOSE}, {NULL, CLOSE}, {NULL, CLOSE}, {OK2, KEEP});
    struct http_client *c = client((struct http_client_options){.tries = 2});
    const char *const key[] = {"Idempotency-Key: 1", NULL};
    struct http_answer a;

    http_answer_init(&a);
    CHECK(get(c, &a) == ERR_OK); /* safe to repeat */
    CHECK_INT(server.done, 2);
    CHECK(post(c, "{}", &a) == ERR_UNAVAILABLE); /* it may have happened: the caller decides */
    CHECK_INT(server.done, 3);
    CHECK(http_client_call(c, "POST", "/x", key, STR("{}"), NULL, &a) == ERR_OK);
    CHECK_INT(server.done, 5);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

TEST(http_no_server)
{
    struct http_client *c =
        http_client_open(&(struct http_client_options){.base = "http://127.0.0.1:1", .tries = 2});
    struct http_answer a;

    REQUIRE(c);
    http_answer_init(&a);
    CHECK(get(c, &a) == ERR_UNAVAILABLE);
    http_answer_release(&a);
    http_client_free(c);
}

/* Streams */

struct bytes {
    size_t n, done;
    int64_t progress;
    struct buf got;
    enum err err;
};

static ptrdiff_t give(void *arg, void *p, size_t n)
{
    struct bytes *b = arg;
    size_t left = b->n - b->done;

    n = n < left ? n : left;
    memset(p, 'z', n);
    b->done += n;
    return (ptrdiff_t)n;
}

static enum err take(void *arg, const void *p, size_t n)
{
    struct bytes *b = arg;

    buf_add(&b->got, p, n);
    return b->err;
}

static void note(void *arg, int64_t done, int64_t total)
{
    ((struct bytes *)arg)->progress = done;
    CHECK(total == -1 || total >= done);
}

TEST(http_upload)
{
    START({OK2, KEEP}, {OK2, KEEP});
    struct http_client *c = client((struct http_client_options){0});
    struct bytes b = {.n = 3000000};
    struct http_source from = {give, &b, 3000000};
    struct http_answer a;

    http_answer_init(&a);
    http_client_progress(c, note, &b);
    REQUIRE(http_client_upload(c, "POST", "/v1/assets", NULL, "image/png", &from, &a) == ERR_OK);
    CHECK_INT(b.done, 3000000);
    CHECK_INT(b.progress, 3000000);
    CHECK(server.requests.n > 3000000 && seen("\r\nContent-Type: image/png\r\n"));
    buf_clear(&server.requests);
    b.done = 0;
    from.size = -1; /* length not known: chunks */
    REQUIRE(http_client_upload(c, "POST", "/v1/assets", NULL, NULL, &from, &a) == ERR_OK);
    CHECK(seen("Transfer-Encoding: chunked") && seen("application/octet-stream"));
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

TEST(http_download)
{
    START({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", KEEP},
        {"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnope", KEEP},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234", CLOSE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", CLOSE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", CLOSE});
    struct http_client *c = client((struct http_client_options){0});
    struct bytes b = {0};
    struct http_sink to = {take, &b};
    struct http_answer a;

    buf_init(&b.got, 1000);
    http_answer_init(&a);
    REQUIRE(http_client_download(c, "/f", NULL, &to, &a) == ERR_OK);
    CHECK_STR(buf_view(&b.got), STR("0123456789"));
    CHECK_INT(a.body.n, 0);
    buf_clear(&b.got);
    REQUIRE(http_client_download(c, "/f", NULL, &to, &a) == ERR_OK);
    CHECK(a.status == 404 && b.got.n == 0);
    CHECK_STR(buf_view(&a.body), STR("nope"));
    CHECK(http_client_download(c, "/f", NULL, &to, &a) == ERR_UNAVAILABLE); /* cut: no success, */
    CHECK_INT(server.done, 3); /* and no second helping */
    b.err = ERR_IO;            /* the sink's own error comes back */
    CHECK(http_client_download(c, "/f", NULL, &to, &a) == ERR_IO);
    http_client_free(c);
    c = client((struct http_client_options){.max_body = 4});
    b.err = ERR_OK;
    CHECK(http_client_download(c, "/f", NULL, &to, &a) == ERR_FULL);
    buf_release(&b.got);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

/* Wrong use */

TEST(http_refuses_bad_settings)
{
    static const char *const bases[] = {"", "localhost:1", "ftp://x", "file:///etc/passwd"};
    char path[] = "/tmp/annotate-token-XXXXXX";
    int fd = mkstemp(path);

    for (size_t i = 0; i < ARRAY_LEN(bases); i++)
        CHECK(!http_client_new(bases[i], NULL));
    CHECK(!http_client_new("http://x", "/nonexistent"));
    CHECK(!http_client_new("http://x", path)); /* empty */
    BUG_ON(write(fd, "a\nb", 3) != 3);
    CHECK(!http_client_new("http://x", path)); /* would end the header */
    close(fd);
    unlink(path);
}

TEST(http_refuses_smuggling)
{
    START({OK2, KEEP});
    struct http_client *c = client((struct http_client_options){0});
    const char *const headers[] = {"If-Match: 1\r\nX-Evil: 1", NULL};
    struct http_answer a;

    http_answer_init(&a);
    CHECK(http_client_call(c, "GET", "/", headers, (struct str){0}, NULL, &a) == ERR_INVALID);
    CHECK(http_client_call(c, "GET", "@evil.example/", NULL, (struct str){0}, NULL, &a) ==
          ERR_INVALID);
    CHECK(
        http_client_call(c, "GET", "/a b\r\nX: y", NULL, (struct str){0}, NULL, &a) == ERR_INVALID);
    CHECK_INT(server.connections, 0);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}

/* The guard */

static bool allowed(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return http_guard_allows((struct sockaddr *)&in);
    BUG_ON(inet_pton(AF_INET6, text, &in6.sin6_addr) != 1);
    return http_guard_allows((struct sockaddr *)&in6);
}

TEST(http_guard_ranges)
{
    static const char *const bad[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
        "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.1", "198.18.0.1",
        "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "fc00::1", "fdff::1", "fe80::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::"};
    static const char *const good[] = {"1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255",
        "100.128.0.1", "126.255.255.255", "128.0.0.1", "169.253.1.1", "172.15.255.255",
        "172.32.0.1", "192.167.1.1", "192.169.1.1", "198.17.255.255", "198.20.0.1",
        "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (allowed(bad[i]))
            t_fail(__FILE__, __LINE__, "%s is let through", bad[i]);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!allowed(good[i]))
            t_fail(__FILE__, __LINE__, "%s is refused", good[i]);
    CHECK(!http_guard_allows(&(struct sockaddr){.sa_family = AF_UNIX}));
}

TEST(http_guard_opens_no_private_socket)
{
    START({OK2, KEEP});
    static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0", "2130706433",
        "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"};
    struct http_client *c =
        http_client_open(&(struct http_client_options){.guard = true, .tries = 1});
    struct http_answer a;
    char url[128];

    REQUIRE(c);
    http_answer_init(&a);
    setenv("https_proxy", server.base, 1); /* the way around */
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        snprintf(url, sizeof(url), "https://%s%s/x", hosts[i], strrchr(server.base, ':'));
        enum err e = http_client_call(c, "GET", url, NULL, (struct str){0}, NULL, &a);
        if (e != ERR_FORBIDDEN)
            t_fail(__FILE__, __LINE__, "%s: %s", url, err_slug(e));
    }
    /* not over TLS, not over HTTP at all */
    snprintf(url, sizeof(url), "%s/x", server.base);
    CHECK(http_client_call(c, "GET", url, NULL, (struct str){0}, NULL, &a) == ERR_INVALID);
    CHECK(http_client_call(c, "GET", "file:///etc/passwd", NULL, (struct str){0}, NULL, &a) ==
          ERR_INVALID);
    CHECK_INT(a.body.n, 0);
    CHECK_INT(server.connections, 0);
    http_answer_release(&a);
    http_client_free(c);
    stop();
}
