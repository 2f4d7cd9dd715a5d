/* Load generator over HTTP: keep-alive connections, one request in flight on each, from one thread.
 *   bench-load claim  HOST PORT TOKENS PROJECT CONNECTIONS SECONDS        claims, one task each,
 * until time is up bench-load submit HOST PORT TOKENS PROJECT CONNECTIONS PER_CONNECTION claims
 * PER_CONNECTION tasks a connection (not timed), then submits them one by one TOKENS: a file with
 * one API token a line, one annotator each. Prints: operations seconds per_second p50_ms p99_ms
 * errors. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum { TOKEN_MAX = 128, REPLY_MAX = 8 << 20, CHUNK = 256, SAMPLES_MAX = 4 << 20 };

struct work {
    int64_t assignment, version;
};

struct client {
    int fd;
    char token[TOKEN_MAX];
    struct buf in;
    size_t body_at, body_len; /* of the reply being read; body_at 0: the head is not in yet */
    int64_t sent_us;
    struct work *work;
    int have, next;
};

static struct {
    const char *host;
    int port, project, n, per_client, epoll;
    bool submit;
    struct client *clients;
    int64_t start_us, end_us;
    long operations, errors;
    float *ms;
    long samples;
    int claiming, working;
} load;

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_all(struct client *c, const char *head, const char *body)
{
    char out[2048];
    int n = snprintf(out, sizeof(out),
        "%sHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: "
        "application/json\r\nContent-Length: "
        "%zu\r\n\r\n%s",
        head, load.host, c->token, strlen(body), body);

    c->sent_us = clock_mono_us();
    buf_clear(&c->in);
    c->body_at = 0;
    if (n <= 0 || n >= (int)sizeof(out) || write(c->fd, out, (size_t)n) != n)
        die("write");
}

static void send_claim(struct client *c, int count)
{
    char head[128], body[128];

    snprintf(head, sizeof(head), "POST /v1/projects/%d/claims HTTP/1.1\r\n", load.project);
    snprintf(body, sizeof(body),
        "{\"stage\":\"annotate\",\"count\":%d,\"lease_s\":3600,\"more\":true}", count);
    send_all(c, head, body);
}

static void send_submit(struct client *c)
{
    const struct work *w = &c->work[c->next++];
    char head[160], body[256];

    snprintf(head, sizeof(head),
        "POST /v1/assignments/%lld/submit HTTP/1.1\r\nIf-Match: \"%lld\"\r\n",
        (long long)w->assignment, (long long)w->version);
    snprintf(body, sizeof(body),
        "{\"result\":[{\"id\":\"r%lld\",\"type\":\"choices\",\"from_name\":\"item\",\"to_name\":"
        "\"image\","
        "\"origin\":\"manual\",\"value\":{\"choices\":[\"A\"]}}],\"lead_time\":3.5}",
        (long long)w->assignment);
    send_all(c, head, body);
}

/* The assignments of a claim's reply: each begins {"id":N,"stage":...,"version":N. */
static void take_work(struct client *c)
{
    const char *p = c->in.p + c->body_at;

    while (c->have < load.per_client && (p = strstr(p, "{\"id\":")) != NULL) {
        long long id, version;
        const char *v = strstr(p, "\"version\":");
        if (v && sscanf(p, "{\"id\":%lld,\"stage\"", &id) == 1 &&
            strncmp(strchr(p, ','), ",\"stage\"", 8) == 0 &&
            sscanf(v, "\"version\":%lld", &version) == 1)
            c->work[c->have++] = (struct work){id, version};
        p += 6;
    }
}

static bool reply_complete(struct client *c)
{
    if (!c->body_at) {
        const char *end = c->in.n ? strstr(c->in.p, "\r\n\r\n") : NULL;
        const char *length = end ? strcasestr(c->in.p, "\r\ncontent-length:") : NULL;
        if (!end)
            return false;
        if (!length || length > end)
            die("a reply without Content-Length");
        c->body_at = (size_t)(end - c->in.p) + 4;
        c->body_len = strtoul(length + 17, NULL, 10);
    }
    return c->in.n >= c->body_at + c->body_len;
}

static void next(struct client *c)
{
    if (!load.submit)
        send_claim(c, 1);
    else if (c->next < c->have)
        send_submit(c);
    else
        load.working--;
}

static void count(struct client *c)
{
    bool ok = strncmp(c->in.p, "HTTP/1.1 200", 12) == 0;

    if (!load.submit && ok && c->body_len < 40)
        ok = false; /* {"assignments":[]}: the queue ran dry */
    load.operations += ok;
    load.errors += !ok;
    if (!ok && load.errors < 3)
        fprintf(stderr, "bench-load: %.*s\n", (int)c->in.n, c->in.p);
    if (load.samples < SAMPLES_MAX)
        load.ms[load.samples++] = (float)(clock_mono_us() - c->sent_us) / 1000;
    load.end_us = clock_mono_us();
}

static void start_timed(void)
{
    load.start_us = clock_mono_us();
    load.working = load.n;
    for (int i = 0; i < load.n; i++)
        next(&load.clients[i]);
}

static void on_reply(struct client *c, int64_t until_us)
{
    if (load.claiming) { /* gathering work before the clock runs */
        int before = c->have;
        take_work(c);
        if (c->have < load.per_client && c->have > before) {
            int want = load.per_client - c->have;
            send_claim(c, want < CHUNK ? want : CHUNK);
        } else if (--load.claiming == 0) {
            start_timed();
        }
        return;
    }
    count(c);
    if (load.submit || clock_mono_us() < until_us)
        next(c);
    else
        load.working--;
}

static void on_readable(struct client *c, int64_t until_us)
{
    char chunk[65536];
    ssize_t n = read(c->fd, chunk, sizeof(chunk));

    if (n <= 0)
        die("the server closed the connection");
    buf_add(&c->in, chunk, (size_t)n);
    if (buf_err(&c->in))
        die("a reply is too large");
    if (reply_complete(c))
        on_reply(c, until_us);
}

static void open_client(struct client *c, FILE *tokens)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load.port)};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;

    if (!fgets(c->token, sizeof(c->token), tokens))
        die("too few tokens");
    c->token[strcspn(c->token, "\n")] = '\0';
    buf_init(&c->in, REPLY_MAX);
    c->work = calloc((size_t)load.per_client + 1, sizeof(*c->work));
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!c->work || inet_pton(AF_INET, load.host, &a.sin_addr) != 1 || c->fd < 0 ||
        connect(c->fd, (struct sockaddr *)&a, sizeof(a)))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &e))
        die("epoll_ctl");
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void report(void)
{
    double seconds = (double)(load.end_us - load.start_us) / 1e6;
    long n = load.samples;

    qsort(load.ms, (size_t)n, sizeof(*load.ms), by_value);
    printf("%ld %.3f %.0f %.2f %.2f %ld\n", load.operations, seconds,
        (double)load.operations / seconds, n ? (double)load.ms[n / 2] : 0,
        n ? (double)load.ms[n * 99 / 100] : 0, load.errors);
}

int main(int argc, char **argv)
{
    int64_t until_us;
    FILE *tokens;

    if (argc != 8)
        die("usage: bench-load claim|submit HOST PORT TOKENS PROJECT CONNECTIONS "
            "SECONDS|PER_CONNECTION");
    load.submit = strcmp(argv[1], "submit") == 0;
    load.host = argv[2];
    load.port = (int)strtol(argv[3], NULL, 10);
    tokens = fopen(argv[4], "r");
    load.project = (int)strtol(argv[5], NULL, 10);
    load.n = (int)strtol(argv[6], NULL, 10);
    load.per_client = load.submit ? (int)strtol(argv[7], NULL, 10) : 0;
    load.clients = calloc((size_t)load.n, sizeof(*load.clients));
    load.ms = calloc(SAMPLES_MAX, sizeof(*load.ms));
    load.epoll = epoll_create1(0);
    if (!tokens || !load.clients || !load.ms || load.epoll < 0)
        die("start");
    for (int i = 0; i < load.n; i++)
        open_client(&load.clients[i], tokens);
    until_us = clock_mono_us() + strtol(argv[7], NULL, 10) * 1000000;
    if (load.submit) {
        load.claiming = load.n;
        for (int i = 0; i < load.n; i++)
            send_claim(&load.clients[i], load.per_client < CHUNK ? load.per_client : CHUNK);
    } else {
        start_timed();
    }
    while (load.claiming || load.working) {
        struct epoll_event events[256];
        int n = epoll_wait(load.epoll, events, 256, 10000);
        if (n == 0)
            die("no answer for 10 s");
        for (int i = 0; i < n; i++)
            on_readable(events[i].data.ptr, until_us);
    }
    report();
    return load.errors ? 1 : 0;
}
