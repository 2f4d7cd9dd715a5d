/* Owns the load generators' connections and samples; see the header. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { REPLY_MAX = 8 << 20, SAMPLES_MAX = 4 << 20 };

void client_die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

void client_open(struct client *c, const char *host, int port, FILE *tokens)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    if (!fgets(c->token, sizeof(c->token), tokens))
        client_die("too few tokens");
    c->token[strcspn(c->token, "\n")] = '\0';
    buf_init(&c->in, REPLY_MAX);
    c->body_at = 0;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1 || c->fd < 0 ||
        connect(c->fd, (struct sockaddr *)&a, sizeof(a)))
        client_die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void client_send(struct client *c, const char *head, const char *body)
{
    char out[4096];
    int n = snprintf(out, sizeof(out),
        "%sHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        head, c->token, strlen(body), body);

    buf_clear(&c->in);
    c->body_at = 0;
    if (n <= 0 || n >= (int)sizeof(out) || write(c->fd, out, (size_t)n) != n)
        client_die("write");
}

static bool complete(struct client *c)
{
    if (!c->body_at) {
        const char *end = c->in.n ? strstr(c->in.p, "\r\n\r\n") : NULL;
        const char *length = end ? strcasestr(c->in.p, "\r\ncontent-length:") : NULL;
        if (!end)
            return false;
        if (!length || length > end)
            client_die("a reply without Content-Length");
        c->body_at = (size_t)(end - c->in.p) + 4;
        c->body_len = strtoul(length + 17, NULL, 10);
    }
    return c->in.n >= c->body_at + c->body_len;
}

bool client_read(struct client *c)
{
    char chunk[65536];
    ssize_t n = read(c->fd, chunk, sizeof(chunk));

    if (n <= 0)
        client_die("the server closed the connection");
    buf_add(&c->in, chunk, (size_t)n);
    if (buf_err(&c->in))
        client_die("a reply is too large");
    return complete(c);
}

int client_status(const struct client *c)
{
    return c->in.n > 12 ? (int)strtol(c->in.p + sizeof("HTTP/1.1"), NULL, 10) : 0;
}

const char *client_body(const struct client *c)
{
    return c->in.p + c->body_at;
}

/* Each begins {"id":N,"stage":...,"version":N; its task {"id":N,"data". */
bool client_next_work(const char **at, struct work *out)
{
    const char *p = *at;

    while ((p = strstr(p, "{\"id\":")) != NULL) {
        char *end;
        int64_t id = strtoll(p + 6, &end, 10);
        p = end;
        if (strncmp(end, ",\"stage\"", 8) != 0)
            continue;
        const char *version = strstr(end, "\"version\":");
        if (!version)
            break;
        *out = (struct work){id, strtoll(version + 10, NULL, 10)};
        *at = p;
        return true;
    }
    return false;
}

void samples_init(struct samples *s)
{
    *s = (struct samples){.ms = calloc(SAMPLES_MAX, sizeof(*s->ms))};
    if (!s->ms)
        client_die("samples");
}

void samples_add(struct samples *s, int64_t us)
{
    if (s->n < SAMPLES_MAX)
        s->ms[s->n++] = (float)us / 1000;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

double samples_at(struct samples *s, int permille)
{
    long i = s->n * permille / 1000;

    qsort(s->ms, (size_t)s->n, sizeof(*s->ms), by_value);
    return s->n ? (double)s->ms[i < s->n ? i : s->n - 1] : 0;
}
