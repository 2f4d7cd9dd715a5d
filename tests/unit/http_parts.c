/* The parts of the HTTP layer that need no socket: heads, targets, routes, limits, negotiation. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "annotate-server/http/gzip.h"
#include "annotate-server/http/limit.h"
#include "annotate-server/http/parser.h"
#include "annotate-server/http/route.h"
#include "t.h"

/* A head is found at the same place however the bytes arrive. */
TEST(http_head_find)
{
    static const char text[] = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next";
    const size_t end = sizeof(text) - 1 - strlen("GET /next");
    size_t at = 0, len = 0;

    CHECK_INT(head_find(text, sizeof(text) - 1, &at, &len), ERR_OK);
    CHECK_INT(len, end);
    at = 0;
    for (size_t n = 1; n < end; n++) {
        CHECK_INT(head_find(text, n, &at, &len), ERR_OK);
        CHECK_INT(len, 0);
    }
    CHECK_INT(head_find(text, end, &at, &len), ERR_OK);
    CHECK_INT(len, end);
}

static bool no_body(void *arg, struct str data)
{
    (void)arg;
    (void)data;
    return true;
}

/* Random bytes, and good heads with random damage: never a crash, and never a head that the two
 * readers see differently. */
TEST(http_heads_at_random)
{
    static const char good[] =
        "POST /v1/a/%41?x=1&y HTTP/1.1\r\nHost: a.b:1\r\nContent-Length: 3\r\n"
        "X-Long: abc def\r\nConnection: close\r\n\r\n";
    uint64_t seed = t_seed();
    int taken = 0;

    for (int i = 0; i < 20000; i++) {
        char text[sizeof(good)];
        size_t n = sizeof(good) - 1;
        memcpy(text, good, n);
        for (uint64_t k = t_random(&seed) % 4; k > 0; k--)
            text[t_random(&seed) % n] = (char)(t_random(&seed) % 256);
        size_t at = 0, len;
        if (head_find(text, n, &at, &len) || len == 0)
            continue;
        struct arena *a = arena_new();
        struct parser p;
        struct head h;
        parser_init(&p, no_body, NULL);
        if (parser_head(&p, a, (struct str){text, len}, &h) == ERR_OK) {
            taken++;
            CHECK_INT(h.length, p.complete ? 0 : h.length);
            CHECK(h.uri.path.n > 0 && h.uri.path.p[0] == '/');
            CHECK(head_get(&h, "host").p || h.minor == 0);
        }
        arena_free(a);
    }
    CHECK(taken > 1000);
}

TEST(http_uri)
{
    static const struct {
        const char *target;
        enum err err;
        const char *path, *q;
    } rows[] = {
        {"/", ERR_OK, "/", NULL},
        {"/a%20b", ERR_OK, "/a b", NULL},
        {"/%2525", ERR_OK, "/%25", NULL},
        {"/a?q=1", ERR_OK, "/a", "1"},
        {"/a?p=2&q=%26%3d+x", ERR_OK, "/a", "&= x"},
        {"/a?q", ERR_OK, "/a", ""},
        {"/a?q=", ERR_OK, "/a", ""},
        {"/a?%71=5", ERR_OK, "/a", "5"},
        {"/a?q=1&q=2", ERR_OK, "/a", "1"},
        {"/a?qq=1", ERR_OK, "/a", NULL},
        {"/a?q=1?2/..", ERR_OK, "/a", "1?2/.."},
        {"/a?", ERR_OK, "/a", NULL},
        {"/...", ERR_OK, "/...", NULL},
        {"/.a/b.", ERR_OK, "/.a/b.", NULL},
        {"", ERR_BAD_REQUEST, NULL, NULL},
        {"a", ERR_BAD_REQUEST, NULL, NULL},
        {"/..", ERR_BAD_REQUEST, NULL, NULL},
        {"/a/.", ERR_BAD_REQUEST, NULL, NULL},
        {"/a/..?x", ERR_BAD_REQUEST, NULL, NULL},
        {"/%2e", ERR_BAD_REQUEST, NULL, NULL},
        {"/.%2e/", ERR_BAD_REQUEST, NULL, NULL},
        {"/a%2fb", ERR_BAD_REQUEST, NULL, NULL},
        {"/a%", ERR_BAD_REQUEST, NULL, NULL},
        {"/a%7f", ERR_BAD_REQUEST, NULL, NULL},
        {"/a%ed%a0%80", ERR_BAD_REQUEST, NULL, NULL},
        {"/a?q=%ff", ERR_BAD_REQUEST, NULL, NULL},
        {"/a?%zz", ERR_BAD_REQUEST, NULL, NULL},
        {"/a?q=%1b", ERR_BAD_REQUEST, NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new();
        struct uri u;
        enum err e = uri_parse(a, str_of(rows[i].target), &u);
        if (e != rows[i].err) {
            t_fail(__FILE__, __LINE__, "«%s»: %s", rows[i].target, err_slug(e));
        } else if (!e) {
            struct str q = uri_query(a, u.query, STR("q"));
            CHECK_STR(u.path, str_of(rows[i].path));
            if (!q.p != !rows[i].q || (q.p && !str_is(q, rows[i].q)))
                t_fail(__FILE__, __LINE__, "«%s»: q is «%.*s»", rows[i].target, STR_FMT(q));
        }
        arena_free(a);
    }
}

TEST(http_route_find)
{
    static const struct route table[] = {
        {.method = HTTP_M_GET, .path = "/v1/a", .name = "a"},
        {.method = HTTP_M_POST, .path = "/v1/a", .name = "a_post"},
        {.method = HTTP_M_GET, .path = "/v1/a/{id}", .name = "one"},
        {.method = HTTP_M_GET, .path = "/v1/a/{id}/b/{user_id}", .name = "two"},
        {.method = HTTP_M_HEAD, .path = "/v1/a/{id}/b/{user_id}", .name = "two_head"},
        {.method = HTTP_M_GET, .path = "/v1/a/{id}/{what}/x", .name = "x"},
    };
    static const struct {
        enum http_method m;
        const char *path, *name, *arg0, *arg1;
        enum err err;
        unsigned allow;
    } rows[] = {
        {HTTP_M_GET, "/v1/a", "a", NULL, NULL, ERR_OK, 0},
        {HTTP_M_HEAD, "/v1/a", "a", NULL, NULL, ERR_OK, 0},
        {HTTP_M_POST, "/v1/a", "a_post", NULL, NULL, ERR_OK, 0},
        {HTTP_M_PUT, "/v1/a", NULL, NULL, NULL, ERR_METHOD,
            1 << HTTP_M_GET | 1 << HTTP_M_HEAD | 1 << HTTP_M_POST},
        {HTTP_M_GET, "/v1/a/7", "one", "7", NULL, ERR_OK, 0},
        {HTTP_M_GET, "/v1/a/7/b/8", "two", "7", "8", ERR_OK, 0},
        {HTTP_M_HEAD, "/v1/a/7/b/8", "two_head", "7", "8", ERR_OK, 0},
        {HTTP_M_GET, "/v1/a/7/b/x", "two", "7", "x", ERR_OK, 0},
        {HTTP_M_GET, "/v1/a/7/c/x", "x", "7", "c", ERR_OK, 0},
        {HTTP_M_GET, "/v1/a/", NULL, NULL, NULL, ERR_NOT_FOUND, 0},
        {HTTP_M_GET, "/v1/aa", NULL, NULL, NULL, ERR_NOT_FOUND, 0},
        {HTTP_M_GET, "/v1", NULL, NULL, NULL, ERR_NOT_FOUND, 0},
        {HTTP_M_GET, "/", NULL, NULL, NULL, ERR_NOT_FOUND, 0},
        {HTTP_M_GET, "/v1/a/7/b/8/9", NULL, NULL, NULL, ERR_NOT_FOUND, 0},
        {HTTP_M_GET, "/v1/a/7/b/", NULL, NULL, NULL, ERR_NOT_FOUND, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str args[REQ_MAX_ARGS] = {{NULL, 0}};
        enum err e = ERR_OK;
        unsigned allow;
        const struct route *r = route_find_in(
            table, ARRAY_LEN(table), rows[i].m, str_of(rows[i].path), args, &e, &allow);
        if (r ? !rows[i].name || strcmp(r->name, rows[i].name) != 0 : rows[i].name != NULL)
            t_fail(__FILE__, __LINE__, "%s is %s", rows[i].path, r ? r->name : "nothing");
        if (r) {
            CHECK_STR(args[0], str_of(rows[i].arg0));
            CHECK_STR(args[1], str_of(rows[i].arg1));
            continue;
        }
        CHECK_INT(e, rows[i].err);
        CHECK_INT(allow, rows[i].allow);
    }
    CHECK(route_arg_is_id("/v1/a/{id}/b/{user_id}/{name}", 0));
    CHECK(route_arg_is_id("/v1/a/{id}/b/{user_id}/{name}", 1));
    CHECK(!route_arg_is_id("/v1/a/{id}/b/{user_id}/{name}", 2));
    CHECK(!route_arg_is_id("/v1/a/{id}", 1));
    CHECK(!route_arg_is_id("/v1/{sha256}", 0));
    CHECK(!route_arg_is_id("/v1/{_id}", 0));
}

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage sa;
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&sa;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&sa;

    memset(&sa, 0, sizeof(sa));
    sa.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    int r = sa.ss_family == AF_INET6 ? inet_pton(AF_INET6, text, &in6->sin6_addr)
                                     : inet_pton(AF_INET, text, &in->sin_addr);
    BUG_ON(r != 1);
    return sa;
}

static enum err enter(struct limit *l, const char *text, struct limit_key *key)
{
    struct sockaddr_storage sa = address(text);

    return limit_enter(l, (const struct sockaddr *)(void *)&sa, key);
}

TEST(http_limit)
{
    struct limit *l = limit_new(5, 2);
    struct limit_key k[6];

    CHECK_INT(enter(l, "10.0.0.1", &k[0]), ERR_OK);
    CHECK_INT(enter(l, "10.0.0.1", &k[1]), ERR_OK);
    CHECK_INT(enter(l, "10.0.0.1", &k[2]), ERR_RATE);
    CHECK_INT(enter(l, "10.0.0.2", &k[2]), ERR_OK);
    CHECK_INT(enter(l, "2001:db8::1", &k[3]), ERR_OK);
    CHECK_INT(enter(l, "2001:db8::2", &k[4]), ERR_OK); /* the same /64 */
    CHECK(limit_full(l));
    CHECK_INT(enter(l, "10.0.0.3", &k[5]), ERR_BUSY);
    limit_leave(l, k[0]);
    CHECK(!limit_full(l));
    CHECK_INT(enter(l, "2001:db8::3", &k[5]), ERR_RATE);
    CHECK_INT(enter(l, "2001:db8:0:1::3", &k[0]), ERR_OK);
    limit_free(l);
}

/* Addresses that come and go do not fill the table. */
TEST(http_limit_many_addresses)
{
    struct limit *l = limit_new(4, 1);
    struct limit_key first, key;
    char text[32];

    CHECK_INT(enter(l, "192.0.2.1", &first), ERR_OK);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "10.0.%d.%d", i / 256, i % 256);
        if (enter(l, text, &key) != ERR_OK) {
            t_fail(__FILE__, __LINE__, "%s", text);
            break;
        }
        CHECK_INT(enter(l, "192.0.2.1", &(struct limit_key){0}), ERR_RATE);
        limit_leave(l, key);
    }
    limit_leave(l, first);
    CHECK_INT(enter(l, "192.0.2.1", &first), ERR_OK);
    limit_free(l);
}

TEST(http_gzip_types)
{
    CHECK(gzip_type(STR("text/plain")));
    CHECK(gzip_type(STR("application/json; charset=utf-8")));
    CHECK(!gzip_type(STR("image/png")));
    CHECK(!gzip_type(STR("application/octet-stream")));
    CHECK(!gzip_type(STR("application/jsonx")));
    CHECK(gzip_accepted(STR("br, gzip")));
    CHECK(!gzip_accepted(STR("br, gzipx")));
    CHECK(!gzip_accepted(STR("*;q=0")));
    CHECK(gzip_accepted(STR("gzip;q=0.001")));
    CHECK(!gzip_accepted((struct str){NULL, 0}));
}
