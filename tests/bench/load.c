/* Load generator over HTTP: keep-alive connections, one request in flight on each, from one thread.
 *   bench-load claim  HOST PORT TOKENS PROJECT CONNECTIONS SECONDS
 * claims, one task each, until time is up
 *   bench-load submit HOST PORT TOKENS PROJECT CONNECTIONS PER_CONNECTION
 * claims PER_CONNECTION tasks a connection (not timed), then submits them one by one
 * TOKENS: a file with one API token a line, one annotator each.
 * Prints: operations seconds per_second p50_ms p99_ms errors. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "client/client.h"

enum { CHUNK = 256 };

struct annotator {
    struct client http;
    int64_t sent_us;
    struct work *work;
    int have, next;
};

static struct {
    const char *host;
    int port, project, n, per_client, epoll;
    bool submit;
    struct annotator *annotators;
    int64_t start_us, end_us;
    long operations, errors;
    struct samples samples;
    int claiming, working;
} load;

static void send(struct annotator *c, const char *head, const char *body)
{
    c->sent_us = clock_mono_us();
    client_send(&c->http, head, body);
}

static void send_claim(struct annotator *c, int count)
{
    char head[128], body[128];

    snprintf(head, sizeof(head), "POST /v1/projects/%d/claims HTTP/1.1\r\n", load.project);
    snprintf(body, sizeof(body),
        "{\"stage\":\"annotate\",\"count\":%d,\"lease_s\":3600,\"more\":true}", count);
    send(c, head, body);
}

static void send_submit(struct annotator *c)
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
    send(c, head, body);
}

static void take_work(struct annotator *c)
{
    const char *at = client_body(&c->http);

    while (c->have < load.per_client && client_next_work(&at, &c->work[c->have]))
        c->have++;
}

static void next(struct annotator *c)
{
    if (!load.submit)
        send_claim(c, 1);
    else if (c->next < c->have)
        send_submit(c);
    else
        load.working--;
}

static void count(struct annotator *c)
{
    bool ok = client_status(&c->http) == 200;

    if (!load.submit && ok && c->http.body_len < 40)
        ok = false; /* {"assignments":[]}: the queue ran dry */
    load.operations += ok;
    load.errors += !ok;
    if (!ok && load.errors < 3)
        fprintf(stderr, "bench-load: %.*s\n", (int)c->http.in.n, c->http.in.p);
    samples_add(&load.samples, clock_mono_us() - c->sent_us);
    load.end_us = clock_mono_us();
}

static void start_timed(void)
{
    load.start_us = clock_mono_us();
    load.working = load.n;
    for (int i = 0; i < load.n; i++)
        next(&load.annotators[i]);
}

static void on_reply(struct annotator *c, int64_t until_us)
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

static void on_readable(struct annotator *c, int64_t until_us)
{
    if (client_read(&c->http))
        on_reply(c, until_us);
}

static void open_annotator(struct annotator *c, FILE *tokens)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};

    client_open(&c->http, load.host, load.port, tokens);
    c->work = calloc((size_t)load.per_client + 1, sizeof(*c->work));
    if (!c->work || epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->http.fd, &e))
        client_die("start");
}

static void report(void)
{
    double seconds = (double)(load.end_us - load.start_us) / 1e6;

    printf("%ld %.3f %.0f %.2f %.2f %ld\n", load.operations, seconds,
        (double)load.operations / seconds, samples_at(&load.samples, 500),
        samples_at(&load.samples, 990), load.errors);
}

int main(int argc, char **argv)
{
    int64_t until_us;
    FILE *tokens;

    if (argc != 8)
        client_die("usage: bench-load claim|submit HOST PORT TOKENS PROJECT CONNECTIONS "
                   "SECONDS|PER_CONNECTION");
    load.submit = strcmp(argv[1], "submit") == 0;
    load.host = argv[2];
    load.port = (int)strtol(argv[3], NULL, 10);
    tokens = fopen(argv[4], "r");
    load.project = (int)strtol(argv[5], NULL, 10);
    load.n = (int)strtol(argv[6], NULL, 10);
    load.per_client = load.submit ? (int)strtol(argv[7], NULL, 10) : 0;
    load.annotators = calloc((size_t)load.n, sizeof(*load.annotators));
    samples_init(&load.samples);
    load.epoll = epoll_create1(0);
    if (!tokens || !load.annotators || load.epoll < 0)
        client_die("start");
    for (int i = 0; i < load.n; i++)
        open_annotator(&load.annotators[i], tokens);
    until_us = clock_mono_us() + strtol(argv[7], NULL, 10) * 1000000;
    if (load.submit) {
        load.claiming = load.n;
        for (int i = 0; i < load.n; i++)
            send_claim(&load.annotators[i], load.per_client < CHUNK ? load.per_client : CHUNK);
    } else {
        start_timed();
    }
    while (load.claiming || load.working) {
        struct epoll_event events[256];
        int n = epoll_wait(load.epoll, events, 256, 10000);
        if (n == 0)
            client_die("no answer for 10 s");
        for (int i = 0; i < n; i++)
            on_readable(events[i].data.ptr, until_us);
    }
    report();
    return load.errors ? 1 : 0;
}
