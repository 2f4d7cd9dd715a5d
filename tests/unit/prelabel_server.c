/* prelabel/server: what is said to the API, and answers that are not what was promised. */
#include "workers/prelabel/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"

/* A server that gives one answer after the other, whatever was asked, and remembers the question.
 */
static struct {
    int listener;
    const char *const *answers;
    char question[8192];
    pthread_t thread;
} server;

static void *serve(void *arg)
{
    char reply[4096];

    (void)arg;
    for (int i = 0; server.answers[i]; i++) {
        int fd = accept(server.listener, NULL, NULL);
        size_t n = 0;
        const char *end, *length;
        do {
            ssize_t got = read(fd, server.question + n, sizeof(server.question) - 1 - n);
            BUG_ON(got <= 0);
            n += (size_t)got;
            server.question[n] = '\0';
            end = strstr(server.question, "\r\n\r\n");
            length = strstr(server.question, "Content-Length: ");
        } while (!end || (length && strlen(end + 4) < strtoul(length + 16, NULL, 10)));
        snprintf(reply, sizeof(reply),
            "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            strlen(server.answers[i]), server.answers[i]);
        BUG_ON(write(fd, reply, strlen(reply)) < 0);
        close(fd);
    }
    return NULL;
}

static struct http_client *start(const char *const *answers)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    char base[64];

    server.answers = answers;
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    BUG_ON(bind(server.listener, (struct sockaddr *)&a, size) || listen(server.listener, 4));
    BUG_ON(getsockname(server.listener, (struct sockaddr *)&a, &size));
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", ntohs(a.sin_port));
    struct http_client *c = http_client_new(base, NULL);
    BUG_ON(!c || pthread_create(&server.thread, NULL, serve, NULL));
    return c;
}

static void stop(struct http_client *c)
{
    pthread_join(server.thread, NULL);
    close(server.listener);
    http_client_free(c);
}

static const char *asked(void)
{
    return strstr(server.question, "\r\n\r\n") + 4;
}

static void note_lost(void *arg, struct lease l)
{
    int64_t *sum = arg;

    *sum = *sum * 100 + l.assignment * 10 + l.version;
}

TEST(server_heartbeats)
{
    static const char *const answers[] = {
        "{\"results\":[{\"id\":1,\"lease_expires_at\":\"x\"},{\"id\":2,\"error\":\"lease-lost\"},"
        "{\"id\":3,\"lease_expires_at\":\"x\"}]}",
        "{\"results\":[{\"id\":1,\"error\":\"lease-lost\"}]}", /* too few: believe none of it */
        "{}", "[]", "", NULL};
    const struct lease leases[] = {{1, 7}, {2, 8}, {3, 9}};
    struct http_client *c = start(answers);
    int64_t lost = 0;

    REQUIRE(server_heartbeat(c, leases, 3, note_lost, &lost) == ERR_OK);
    CHECK_INT(lost, 28); /* the second, version 8, and no other */
    CHECK(strncmp(server.question, "POST /v1/heartbeats ", 20) == 0);
    CHECK_STR(str_of(asked()),
        STR("{\"lease_s\":120,\"assignments\":[{\"id\":1,\"version\":7},{\"id\":2,\"version\":8},"
            "{\"id\":3,\"version\":9}]}"));
    for (int i = 0; i < 4; i++)
        CHECK(server_heartbeat(c, leases, 3, note_lost, &lost) == ERR_BAD_JSON);
    CHECK_INT(lost, 28);
    stop(c);
}

static void count_item(void *arg, struct route *r, int64_t assignment, int64_t version,
    int64_t task, struct str address)
{
    (void)r;
    CHECK(assignment == 4 && version == 2 && task == 9);
    if (*(int *)arg == 0)
        CHECK_STR(address, STR("/v1/assets/aa"));
    else
        CHECK(address.p == NULL); /* no such field, or no text */
    ++*(int *)arg;
}

TEST(server_claims)
{
    static const char *const answers[] = {
        "{\"assignments\":[{\"id\":4,\"version\":2,\"task\":{\"id\":9,\"data\":"
        "{\"photo\":\"/v1/assets/aa\"}}},"
        "{\"id\":4,\"version\":2,\"task\":{\"id\":9,\"data\":{\"other\":\"x\"}}},"
        "{\"id\":4,\"version\":2,\"task\":{\"id\":9,\"data\":{\"photo\":7}}}]}",
        "{\"assignments\":{}}",
        "{\"assignments\":[{\"id\":\"4\",\"version\":2,\"task\":{\"id\":9,\"data\":{}}}]}",
        "{\"assignments\":[{\"id\":4,\"version\":2}]}", "{\"assignments\":[null]}",
        "{\"assignments\":[],\"assignments\":[]}", NULL};
    struct route r = {.project = 3, .field = "photo"};
    struct http_client *c = start(answers);
    int n = 0;

    REQUIRE(server_claim(c, &r, 50, 2, count_item, &n) == ERR_OK);
    CHECK_INT(n, 3);
    CHECK(strncmp(server.question, "POST /v1/projects/3/claims ", 27) == 0);
    CHECK_STR(
        str_of(asked()), STR("{\"stage\":\"prelabel\",\"count\":50,\"wait_s\":2,\"lease_s\":120}"));
    for (int i = 0; i < 5; i++)
        CHECK(server_claim(c, &r, 50, 2, count_item, &n) == ERR_BAD_JSON);
    CHECK_INT(n, 3);
    stop(c);
}

TEST(server_finds_its_projects)
{
    static const char *const answers[] = {
        "{\"id\":1,\"projects\":[{\"id\":5,\"role\":\"model\"},{\"id\":6,\"role\":\"manager\"},"
        "{\"id\":\"7\",\"role\":\"model\"},{\"role\":\"model\"},8,{\"id\":9,\"role\":\"model\"}]}",
        "{\"id\":1}", NULL};
    struct http_client *c = start(answers);
    int64_t ids[SERVER_PROJECTS];
    size_t n;

    REQUIRE(server_projects(c, ids, &n) == ERR_OK);
    CHECK(n == 2 && ids[0] == 5 && ids[1] == 9);
    CHECK(server_projects(c, ids, &n) == ERR_BAD_JSON);
    CHECK_INT(n, 0);
    stop(c);
}

TEST(server_fetches_no_other_addresses)
{
    static const char *const bad[] = {"", "/", "/v1/me", "/v1/assets", "//evil.example/v1/assets/a",
        "http://evil.example/", "HTTPS:/x", "file:///etc/passwd", "@evil.example", "data:,x"};
    struct buf out;

    buf_init(&out, 100);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) /* refused before any client is used */
        CHECK(server_fetch(NULL, NULL, bad[i], &out) == ERR_INVALID);
    buf_release(&out);
}
