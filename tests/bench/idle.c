/* Clients that wait: parked claims and idle streams of events, each a connection, from one thread.
 *   bench-idle HOST PORT TOKENS PARKED PARKED_PROJECT STREAMS STREAMS_PROJECT
 * TOKENS: a file with one API token a line; 16 streams a person, and PER_ADDRESS connections from
 * each loopback address 127.x.y.z. Prints `parked N`, waits for a line on stdin, prints `listening
 * N`, waits for another, and from then on takes the time until every parked claim has work:
 * `granted N FIRST_MS LAST_MS`. Claims that end empty are sent again. Ends with its stdin. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/client.h"

enum {
    PER_ADDRESS = 64,
    STREAMS_PER_PERSON = 16,
    OPENING = 128, /* streams that are being opened at once */
    CLAIMS_PER_MS = 4,
    PEOPLE_MAX = 4096,
};

struct waiter {
    struct client http;
    bool stream, ready;
};

static struct {
    struct sockaddr_in server;
    char token[PEOPLE_MAX][CLIENT_TOKEN_MAX];
    int people, epoll, opened, project, parked, granted;
    struct waiter *parked_claims, *streams;
    int64_t go_us, first_us;
    int listening;
} idle;

static void read_tokens(const char *path)
{
    FILE *f = fopen(path, "r");
    char *line;

    if (!f)
        client_die(path);
    while (
        idle.people < PEOPLE_MAX && (line = fgets(idle.token[idle.people], CLIENT_TOKEN_MAX, f))) {
        line[strcspn(line, "\n")] = '\0';
        idle.people++;
    }
    fclose(f);
}

static void open_waiter(struct waiter *w, int person, bool stream)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = w};
    int on = 1;

    from.sin_addr.s_addr =
        htonl(0x7f010001u + (uint32_t)(idle.opened++ / PER_ADDRESS)); /* 127.1.0.1 on */
    w->stream = stream;
    memcpy(w->http.token, idle.token[person % idle.people], CLIENT_TOKEN_MAX);
    buf_init(&w->http.in, 1 << 20);
    w->http.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (w->http.fd < 0 ||
        setsockopt(w->http.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) ||
        bind(w->http.fd, (struct sockaddr *)&from, sizeof(from)) ||
        connect(w->http.fd, (struct sockaddr *)&idle.server, sizeof(idle.server)) ||
        epoll_ctl(idle.epoll, EPOLL_CTL_ADD, w->http.fd, &e))
        client_die("open a connection");
}

static void send_claim(struct waiter *w)
{
    char head[128];

    snprintf(head, sizeof(head), "POST /v1/projects/%d/claims HTTP/1.1\r\n", idle.project);
    client_send(&w->http, head,
        "{\"stage\":\"annotate\",\"count\":1,\"lease_s\":3600,\"more\":true,\"wait_s\":60}");
}

static void send_listen(struct waiter *w, int project)
{
    char out[512];
    int n = snprintf(out, sizeof(out),
        "GET /v1/events?project=%d HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n",
        project, w->http.token);

    if (write(w->http.fd, out, (size_t)n) != n)
        client_die("write");
}

/* ---- what comes */

static void on_claimed(struct waiter *w)
{
    const char *at = client_body(&w->http);
    struct work work;

    if (client_status(&w->http) != 200) {
        fprintf(stderr, "bench-idle: %.*s\n", (int)w->http.in.n, w->http.in.p);
        exit(1);
    }
    if (!client_next_work(&at, &work)) {
        send_claim(w);
        return;
    }
    int64_t now = clock_mono_us();
    if (idle.granted++ == 0)
        idle.first_us = now;
    if (idle.granted == idle.parked) {
        printf("granted %d %.0f %.0f\n", idle.granted, (double)(idle.first_us - idle.go_us) / 1e3,
            (double)(now - idle.go_us) / 1e3);
        fflush(stdout);
    }
    buf_release(&w->http.in);
}

static void on_told(struct waiter *w)
{
    char text[4096];
    ssize_t n = read(w->http.fd, text, sizeof(text) - 1);

    if (n <= 0)
        client_die("a stream ended");
    text[n] = '\0';
    if (w->ready)
        return;
    if (strncmp(text, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "bench-idle: %s\n", text);
        exit(1);
    }
    w->ready = true;
    idle.listening++;
}

static void turn(int ms)
{
    struct epoll_event e[256];
    int n = epoll_wait(idle.epoll, e, 256, ms);

    for (int i = 0; i < n; i++) {
        struct waiter *w = e[i].data.ptr;
        if (w->stream)
            on_told(w);
        else if (client_read(&w->http))
            on_claimed(w);
    }
}

/* Goes on until a line is on stdin; false: its end. */
static bool until_line(void)
{
    struct pollfd p = {.fd = 0, .events = POLLIN};
    char c = 0;

    while (c != '\n') {
        turn(10);
        if (poll(&p, 1, 0) == 1 && read(0, &c, 1) != 1)
            return false;
    }
    return true;
}

/* ---- the phases */

static void park(int n)
{
    idle.parked_claims = calloc((size_t)n + 1, sizeof(struct waiter));
    if (!idle.parked_claims)
        client_die("memory");
    for (int i = 0; i < n; i++) {
        open_waiter(&idle.parked_claims[i], i, false);
        send_claim(&idle.parked_claims[i]);
        if (i % CLAIMS_PER_MS == 0)
            turn(1);
    }
    printf("parked %d\n", n);
    fflush(stdout);
}

static void listen_to(int n, int project)
{
    idle.streams = calloc((size_t)n + 1, sizeof(struct waiter));
    if (!idle.streams)
        client_die("memory");
    for (int i = 0; i < n; i++) {
        open_waiter(&idle.streams[i], i / STREAMS_PER_PERSON, true);
        send_listen(&idle.streams[i], project);
        while (i + 1 - idle.listening >= OPENING)
            turn(100);
    }
    while (idle.listening < n)
        turn(100);
    printf("listening %d\n", n);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr,
            "usage: bench-idle HOST PORT TOKENS PARKED PARKED_PROJECT STREAMS STREAMS_PROJECT\n");
        return 2;
    }
    idle.server = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(argv[2], NULL, 10))};
    if (inet_pton(AF_INET, argv[1], &idle.server.sin_addr) != 1)
        client_die(argv[1]);
    read_tokens(argv[3]);
    idle.epoll = epoll_create1(0);
    idle.parked = (int)strtol(argv[4], NULL, 10);
    idle.project = (int)strtol(argv[5], NULL, 10);
    park(idle.parked);
    if (!until_line())
        return 0;
    listen_to((int)strtol(argv[6], NULL, 10), (int)strtol(argv[7], NULL, 10));
    if (!until_line())
        return 0;
    idle.go_us = clock_mono_us();
    while (until_line())
        ;
    return 0;
}
