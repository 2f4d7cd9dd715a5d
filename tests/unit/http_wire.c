/* The rules for requests on the wire, one row each: what two readers could read differently is
 * refused. */
#include <stdlib.h>
#include <unistd.h>

#include "http_fixture.h"

#define HOST "Host: a\r\n"
#define END  "Connection: close\r\n\r\n"

struct row {
    const char *name, *request;
    int status;
};

static const struct row rows[] = {
    {"plain", "GET /v1/ping HTTP/1.1\r\n" HOST END, 200},
    {"empty line first", "\r\nGET /v1/ping HTTP/1.1\r\n" HOST END, 200},
    {"two empty lines first", "\r\n\r\nGET /v1/ping HTTP/1.1\r\n" HOST END, 400},
    {"garbage", "\x16\x03\x01\x02\r\n\r\n", 400},
    {"bare LF", "GET /v1/ping HTTP/1.1\nHost: a\n\n", 400},
    {"bare LF in headers", "GET /v1/ping HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
    {"bare CR", "GET /v1/ping HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {"bare CR at the start of a header",
        "POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r00\r\nX: b\r\n\r\n",
        400},
    {"no host", "GET /v1/ping HTTP/1.1\r\n" END, 400},
    {"two hosts", "GET /v1/ping HTTP/1.1\r\n" HOST HOST END, 400},
    {"empty host", "GET /v1/ping HTTP/1.1\r\nHost:\r\n" END, 400},
    {"host with a path", "GET /v1/ping HTTP/1.1\r\nHost: a/b\r\n" END, 400},
    {"host list", "GET /v1/ping HTTP/1.1\r\nHost: a, b c\r\n" END, 400},
    {"1.0 without host", "GET /v1/ping HTTP/1.0\r\n\r\n", 200},
    {"1.0 with coding",
        "POST /v1/echo HTTP/1.0\r\n" HOST "Content-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        400},
    {"0.9", "GET /v1/ping\r\n\r\n", 505},
    {"2.0", "GET /v1/ping HTTP/2.0\r\n" HOST END, 505},
    {"1.2", "GET /v1/ping HTTP/1.2\r\n" HOST END, 505},
    {"http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
    {"obs-fold", "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400},
    {"obs-fold with tab", "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400},
    {"fold before the first header", "GET /v1/ping HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"empty name", "GET /v1/ping HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
    {"no colon", "GET /v1/ping HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n", 400},
    {"name with a space", "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n", 400},
    {"space before the colon", "GET /v1/ping HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {"name with brackets", "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n", 400},
    {"name beyond ASCII", "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX\xc3\xa4: b\r\n\r\n", 400},
    {"control in a value",
        "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: a\x01"
        "b\r\n\r\n",
        400},
    {"DEL in a value",
        "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: a\x7f"
        "b\r\n\r\n",
        400},
    {"two lengths",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400},
    {"two equal lengths",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400},
    {"length list", "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: 2, 2\r\n\r\n{}", 400},
    {"length +2", "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: +2\r\n\r\n{}", 400},
    {"length -2", "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: -2\r\n\r\n{}", 400},
    {"length 0x2", "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: 0x2\r\n\r\n{}", 400},
    {"length empty", "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n{}", 400},
    {"length too big",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n{}", 400},
    {"length and coding",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\n{}\r\n0\r\n\r\n",
        400},
    {"coding and length",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
        "2\r\n{}\r\n0\r\n\r\n",
        400},
    {"coding gzip", "POST /v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n{}", 400},
    {"coding gzip, chunked",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
    {"coding chunked, chunked",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        400},
    {"coding twice",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400},
    {"coding with a space",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
    {"coding xchunked",
        "POST /v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
    {"unknown method", "FROB /v1/ping HTTP/1.1\r\n" HOST END, 501},
    {"OPTIONS", "OPTIONS /v1/ping HTTP/1.1\r\n" HOST END, 501},
    {"TRACE", "TRACE /v1/ping HTTP/1.1\r\n" HOST END, 501},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\n" HOST END, 400},
    {"lower-case method", "get /v1/ping HTTP/1.1\r\n" HOST END, 400},
    {"method not allowed", "DELETE /v1/ping HTTP/1.1\r\n" HOST END, 405},
    {"upgrade is not granted",
        "GET /v1/ping HTTP/1.1\r\n" HOST "Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n", 200},
    {"expect something", "GET /v1/ping HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n" END, 417},
    {"absolute form", "GET http://a/v1/ping HTTP/1.1\r\n" HOST END, 400},
    {"star", "GET * HTTP/1.1\r\n" HOST END, 400},
    {"fragment", "GET /v1/ping#x HTTP/1.1\r\n" HOST END, 400},
    {"beyond ASCII", "GET /v1/p\xc3\xa4 HTTP/1.1\r\n" HOST END, 400},
    {"space in the target", "GET /v1/ping x HTTP/1.1\r\n" HOST END, 400},
    {"tab in the target", "GET /v1/ping\tx HTTP/1.1\r\n" HOST END, 400},
    {"dot dot", "GET /v1/../v1/ping HTTP/1.1\r\n" HOST END, 400},
    {"dot", "GET /v1/./ping HTTP/1.1\r\n" HOST END, 400},
    {"escaped dot dot", "GET /v1/%2e%2E/v1/ping HTTP/1.1\r\n" HOST END, 400},
    {"escaped slash", "GET /v1%2fping HTTP/1.1\r\n" HOST END, 400},
    {"escaped NUL", "GET /v1/ping%00 HTTP/1.1\r\n" HOST END, 400},
    {"escaped line feed", "GET /v1/things/1/a%0ab HTTP/1.1\r\n" HOST END, 400},
    {"bad escape", "GET /v1/%zz HTTP/1.1\r\n" HOST END, 400},
    {"cut escape", "GET /v1/%2 HTTP/1.1\r\n" HOST END, 400},
    {"escape that is not UTF-8", "GET /v1/things/1/%ff HTTP/1.1\r\n" HOST END, 400},
    {"overlong dot", "GET /v1/%c0%ae%c0%ae/x HTTP/1.1\r\n" HOST END, 400},
    {"double escape stays", "GET /v1/things/1/%252e HTTP/1.1\r\n" HOST END, 200},
    {"escaped letter", "GET /v1/%70ing HTTP/1.1\r\n" HOST END, 404},
    {"NUL in the query", "GET /v1/ping?a=%00 HTTP/1.1\r\n" HOST END, 400},
    {"bad escape in the query", "GET /v1/ping?a=%4 HTTP/1.1\r\n" HOST END, 400},
    {"id 0", "GET /v1/things/0/a HTTP/1.1\r\n" HOST END, 404},
    {"id -1", "GET /v1/things/-1/a HTTP/1.1\r\n" HOST END, 404},
    {"id abc", "GET /v1/things/abc/a HTTP/1.1\r\n" HOST END, 404},
    {"id 2^53", "GET /v1/things/9007199254740992/a HTTP/1.1\r\n" HOST END, 404},
    {"id 2^53-1", "GET /v1/things/9007199254740991/a HTTP/1.1\r\n" HOST END, 200},
    {"empty segment", "GET /v1/things//a HTTP/1.1\r\n" HOST END, 404},
    {"trailing slash", "GET /v1/ping/ HTTP/1.1\r\n" HOST END, 404},
    {"unknown path", "GET /v2 HTTP/1.1\r\n" HOST END, 404},
    {"If-Match missing", "DELETE /v1/things/1/a HTTP/1.1\r\n" HOST END, 428},
    {"If-Match star", "DELETE /v1/things/1/a HTTP/1.1\r\n" HOST "If-Match: *\r\n" END, 428},
    {"If-Match weak", "DELETE /v1/things/1/a HTTP/1.1\r\n" HOST "If-Match: W/\"3\"\r\n" END, 400},
    {"If-Match bare", "DELETE /v1/things/1/a HTTP/1.1\r\n" HOST "If-Match: 3\r\n" END, 400},
    {"If-Match list", "DELETE /v1/things/1/a HTTP/1.1\r\n" HOST "If-Match: \"3\", \"4\"\r\n" END,
        400},
    {"If-Match words", "GET /v1/things/1/a HTTP/1.1\r\n" HOST "If-Match: \"x\"\r\n" END, 400},
    {"If-Match good", "DELETE /v1/things/1/a HTTP/1.1\r\n" HOST "If-Match: \"3\"\r\n" END, 200},
    {"two If-Match",
        "DELETE /v1/things/1/a HTTP/1.1\r\n" HOST "If-Match: \"3\"\r\nIf-Match: \"4\"\r\n" END,
        400},
    {"two tokens", "GET /v1/ping HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: b\r\n" END,
        400},
    {"query integer", "GET /v1/big?n=x HTTP/1.1\r\n" HOST END, 422},
    {"query integer out of range", "GET /v1/big?n=0 HTTP/1.1\r\n" HOST END, 422},
    {"refused by the gate", "GET /v1/ping HTTP/1.1\r\n" HOST "Authorization: no\r\n" END, 401},
    {"passed later", "GET /v1/ping HTTP/1.1\r\n" HOST "Authorization: later\r\n" END, 200},
};

/* One answer, whole, with a request id; an error is a problem document. */
static void check_shape(const struct row *r, const char *a)
{
    bool ok = fx_count(a) == 1 && strstr(a, "\r\nx-request-id: ") && strstr(a, "\r\ndate: ") &&
              strstr(a, "\r\nx-content-type-options: nosniff\r\n");

    if (r->status >= 400)
        ok = ok && strstr(a, "application/problem+json") && strstr(a, "\"request_id\":\"") &&
             strstr(a, "\"type\":\"/errors/");
    if (!ok)
        t_fail(__FILE__, __LINE__, "%s: malformed answer «%s»", r->name, a);
}

TEST(http_rules)
{
    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *a = fx_talk(rows[i].request);
        if (fx_status(a) != rows[i].status)
            t_fail(__FILE__, __LINE__, "%s: %d, want %d «%s»", rows[i].name, fx_status(a),
                rows[i].status, a);
        else
            check_shape(&rows[i], a);
    }
    fx_stop();
}

/* The same, each byte in a write of its own: no rule may depend on how the bytes were cut. */
TEST(http_rules_bytewise)
{
    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = fx_connect();
        for (const char *p = rows[i].request; *p; p++)
            fx_send_n(fd, p, 1);
        const char *a = fx_read(fd, 400);
        if (fx_status(a) != rows[i].status)
            t_fail(
                __FILE__, __LINE__, "%s: %d, want %d", rows[i].name, fx_status(a), rows[i].status);
        close(fd);
    }
    fx_stop();
}

/* A NUL ends a C string, so these rows stand apart. */
TEST(http_nul_bytes)
{
    const struct str requests[] = {
        STR("GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
        STR("GET /v1/\0ping HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\0\r\n\r\n{}"),
    };

    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        int fd = fx_connect();
        fx_send_n(fd, requests[i].p, requests[i].n);
        CHECK_INT(fx_status(fx_read(fd, 300)), 400);
        close(fd);
    }
    fx_stop();
}

/* Whatever follows a refused request on its connection is never read as a request. */
TEST(http_smuggled_request_is_not_served)
{
    static const char second[] = "GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n";

    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].status != 400)
            continue;
        int fd = fx_connect();
        fx_send(fd, rows[i].request);
        fx_send(fd, second);
        const char *a = fx_read(fd, 150);
        if (fx_count(a) > 1 || strstr(a, "pong"))
            t_fail(__FILE__, __LINE__, "%s: «%s»", rows[i].name, a);
        close(fd);
    }
    CHECK_INT(fx.handled, 0);
    fx_stop();
}

static const struct row bodies[] = {
    {"chunked", "4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n", 200},
    {"chunk extension", "7;x=y\r\n{\"a\":1}\r\n0\r\n\r\n", 200},
    {"trailer", "7\r\n{\"a\":1}\r\n0\r\nX: y\r\n\r\n", 200},
    {"trailer that looks like framing", "7\r\n{\"a\":1}\r\n0\r\nX-Length: 5\r\n\r\n", 200},
    {"upper-case size", "0A\r\n{\"a\":1}   \r\n0\r\n\r\n", 200},
    {"0x2", "0x2\r\n{}\r\n0\r\n\r\n", 400},
    {"junk after the size", "2 junk\r\n{}\r\n0\r\n\r\n", 400},
    {"plus", "+2\r\n{}\r\n0\r\n\r\n", 400},
    {"minus", "-2\r\n{}\r\n0\r\n\r\n", 400},
    {"bare LF after the size", "2\n{}\r\n0\r\n\r\n", 400},
    {"bare CR after the size", "2\rx{}\r\n0\r\n\r\n", 400},
    {"bare CR after the data", "2\r\n{}\rx0\r\n\r\n", 400},
    {"bare CR after the last size", "2\r\n{}\r\n0\rx\r\n", 400},
    {"bare CR at the end", "2\r\n{}\r\n0\r\n\rx", 400},
    {"bare CR in a trailer", "2\r\n{}\r\n0\r\nX: y\rZ: z\r\n\r\n", 400},
    {"no CRLF after the data", "2\r\n{}0\r\n\r\n", 400},
    {"empty size", "\r\n{}\r\n0\r\n\r\n", 400},
    {"size overflow", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400},
    {"huge size", "7fffffffffffffff\r\n{}", 0},
};

TEST(http_chunks)
{
    static const char head[] = "POST /v1/echo HTTP/1.1\r\nHost: a\r\n"
                               "Content-Type: application/json\r\nConnection: close\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";

    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        int fd = fx_connect();
        fx_send(fd, head);
        fx_send(fd, bodies[i].request);
        const char *a = fx_read(fd, 200);
        if (fx_status(a) != bodies[i].status)
            t_fail(__FILE__, __LINE__, "%s: «%s», want %d", bodies[i].name, a, bodies[i].status);
        close(fd);
    }
    fx_stop();
}

/* Chunk framing may not carry more than a little beside the content. */
TEST(http_endless_chunk_line)
{
    char junk[4096];

    fx_start(NULL);
    memset(junk, 'x', sizeof(junk));
    for (int trailer = 0; trailer < 2; trailer++) {
        int fd = fx_connect();
        fx_send(fd, "POST /v1/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        fx_send(fd, trailer ? "0\r\nX: " : "1;");
        for (int i = 0; i < 64; i++)
            fx_send_n(fd, junk, sizeof(junk));
        CHECK_INT(fx_status(fx_read(fd, 1000)), 400);
        close(fd);
    }
    fx_stop();
}

static char *long_request(const char *before, char fill, size_t n, const char *after)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_puts(&b, before);
    for (size_t i = 0; i < n; i++)
        buf_putc(&b, fill);
    buf_puts(&b, after);
    return b.p;
}

TEST(http_sizes)
{
    static const struct {
        const char *before;
        size_t n;
        const char *after;
        int status;
    } sizes[] = {
        {"GET /", 8000, " HTTP/1.1\r\n" HOST END, 404},
        {"GET /", 8192, " HTTP/1.1\r\n" HOST END, 414},
        {"GET /", 20000, " HTTP/1.1\r\n" HOST END, 414},
        {"GET /", 200000, "", 414},
        {"GET /v1/ping?a=", 4000, " HTTP/1.1\r\n" HOST END, 200},
        {"GET /v1/ping?a=", 4096, " HTTP/1.1\r\n" HOST END, 414},
        {"GET /v1/ping HTTP/1.1\r\n" HOST "X: ", 15000, "\r\n" END, 200},
        {"GET /v1/ping HTTP/1.1\r\n" HOST "X: ", 16384, "\r\n" END, 431},
        {"GET /v1/ping HTTP/1.1\r\n" HOST "X: ", 200000, "", 431},
    };

    fx_start(NULL);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *request = long_request(sizes[i].before, 'a', sizes[i].n, sizes[i].after);
        CHECK_INT(fx_status(fx_talk(request)), sizes[i].status);
        free(request);
    }
    fx_stop();
}

static int status_with(const char *start, const char *piece, int n, const char *end)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_puts(&b, start);
    for (int i = 0; i < n; i++)
        buf_puts(&b, piece);
    buf_puts(&b, end);
    int status = fx_status(fx_talk(b.p));
    buf_release(&b);
    return status;
}

TEST(http_counts)
{
    fx_start(NULL);
    CHECK_INT(status_with("GET /v1/ping HTTP/1.1\r\n" HOST, "X: y\r\n", 98, END), 200);
    CHECK_INT(status_with("GET /v1/ping HTTP/1.1\r\n" HOST, "X: y\r\n", 99, END), 431);
    CHECK_INT(status_with("GET /v1/ping?a=1", "&", 63, " HTTP/1.1\r\n" HOST END), 200);
    CHECK_INT(status_with("GET /v1/ping?a=1", "&", 64, " HTTP/1.1\r\n" HOST END), 400);
    fx_stop();
}

TEST(http_arguments)
{
    fx_start(NULL);
    const char *a = fx_talk("GET /v1/things/42/caf%C3%A9%20au?x=1&q=a+b%26c HTTP/1.1\r\n" HOST
                            "If-Match: \"5\"\r\n" END);
    CHECK(strstr(a, "\r\n\r\n42|caf\xc3\xa9 au|5|a b&c"));
    CHECK(strstr(a, "\r\netag: \"7\"\r\n"));
    a = fx_talk("GET /v1/things/1/a?q=b&zz%2F~=1 HTTP/1.1\r\n" HOST END);
    CHECK_INT(fx_status(a), 422);
    CHECK(strstr(a, "\"pointer\":\"/zz~1~0\"")); /* no parameter is passed over in silence */
    CHECK_INT(fx_status(fx_talk("GET /v1/things/1/a?q=b&q=c HTTP/1.1\r\n" HOST END)), 422);
    CHECK_INT(fx_status(fx_talk("GET /v1/things/1/a?&q HTTP/1.1\r\n" HOST END)), 200);
    a = fx_talk("GET /v1/things/1/a?q=b%0d%0aX-Evil:%201 HTTP/1.1\r\n" HOST END);
    CHECK(strstr(a, "\r\nx-q: b  X-Evil: 1\r\n")); /* a value cannot begin a header */
    a = fx_talk("DELETE /v1/ping HTTP/1.1\r\n" HOST END);
    CHECK(strstr(a, "\r\nallow: GET, HEAD\r\n"));
    a = fx_talk("GET /v1/things/1/a HTTP/1.1\r\n" HOST "X-Request-Id: my-Id-9\r\n" END);
    CHECK(strstr(a, "\r\nx-request-id: my-Id-9\r\n"));
    a = fx_talk("GET /v1/things/1/a HTTP/1.1\r\n" HOST "X-Request-Id: not_allowed\r\n" END);
    CHECK(!strstr(a, "not_allowed"));
    fx_stop();
}

TEST(http_head)
{
    fx_start(NULL);
    const char *a = fx_talk("HEAD /v1/ping HTTP/1.1\r\n" HOST END);
    CHECK_INT(fx_status(a), 200);
    CHECK(strstr(a, "\r\ncontent-length: 13\r\n"));
    CHECK(strcmp(strstr(a, "\r\n\r\n"), "\r\n\r\n") == 0);
    /* a HEAD with a body is framed like any request */
    a = fx_talk("HEAD /v1/ping HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nGET /"
                "GET /v1/ping HTTP/1.1\r\n" HOST END);
    CHECK_INT(fx_count(a), 2);
    CHECK(strstr(a, "pong"));
    fx_stop();
}
