/* Whole cycles over HTTP, annotate -> review -> QA -> done: a third of the connections are
 * annotators, a third reviewers, a third QA, each a person of their own. Everybody claims AHEAD
 * tasks at once, hands them in one by one, and claims again; who finds no work waits for it parked.
 *   bench-cycle HOST PORT TOKENS PROJECT CONNECTIONS TASKS AHEAD
 * TOKENS: a file with one API token a line, in turns an annotator's, a reviewer's and a QA's.
 * Prints: tasks_done seconds per_second p50_ms p99_ms errors; the times are of hand-ins. */
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "client/client.h"

enum stage { ANNOTATE, REVIEW, QA, STAGES };
enum { AHEAD_MAX = 64, WAIT_S = 20, QUIET_MS = 30000 };

static const char *const stage_names[STAGES] = {"annotate", "review", "qa"};

struct person {
    struct client http;
    enum stage stage;
    int64_t sent_us;
    struct work work[AHEAD_MAX];
    int have, next, asked; /* asked: by the claim in flight, 0 while a hand-in is */
};

static struct {
    const char *host;
    int port, project, n, ahead, epoll;
    long tasks, unclaimed, done, errors; /* unclaimed: that annotators may still take */
    struct person *people;
    int64_t start_us, end_us;
    struct samples samples;
} cycle;

static void send(struct person *p, const char *head, const char *body)
{
    p->sent_us = clock_mono_us();
    client_send(&p->http, head, body);
}

/* Annotators take no more than the tasks of this run. */
static void claim(struct person *p)
{
    char head[128], body[128];

    p->have = p->next = 0;
    p->asked = cycle.ahead;
    if (p->stage == ANNOTATE) {
        p->asked = cycle.unclaimed < cycle.ahead ? (int)cycle.unclaimed : cycle.ahead;
        cycle.unclaimed -= p->asked;
        if (p->asked == 0)
            return;
    }
    snprintf(head, sizeof(head), "POST /v1/projects/%d/claims HTTP/1.1\r\n", cycle.project);
    snprintf(body, sizeof(body), "{\"stage\":\"%s\",\"count\":%d,\"wait_s\":%d}",
        stage_names[p->stage], p->asked, WAIT_S);
    send(p, head, body);
}

static void hand_in(struct person *p)
{
    const struct work *w = &p->work[p->next++];
    char head[160], body[256];

    p->asked = 0;
    snprintf(head, sizeof(head), "POST /v1/assignments/%lld/%s HTTP/1.1\r\nIf-Match: \"%lld\"\r\n",
        (long long)w->assignment, p->stage == ANNOTATE ? "submit" : "verdict",
        (long long)w->version);
    if (p->stage == ANNOTATE)
        snprintf(body, sizeof(body),
            "{\"result\":[{\"id\":\"r%lld\",\"type\":\"choices\",\"from_name\":\"item\","
            "\"to_name\":\"image\",\"origin\":\"manual\",\"value\":{\"choices\":[\"A\"]}}],"
            "\"lead_time\":3.5}",
            (long long)w->assignment);
    else
        snprintf(body, sizeof(body), "{\"verdict\":\"accept\"}");
    send(p, head, body);
}

static void claimed(struct person *p)
{
    const char *at = client_body(&p->http);

    while (p->have < p->asked && client_next_work(&at, &p->work[p->have]))
        p->have++;
    if (p->stage == ANNOTATE)
        cycle.unclaimed += p->asked - p->have;
}

static void handed_in(struct person *p)
{
    samples_add(&cycle.samples, clock_mono_us() - p->sent_us);
    if (p->stage == QA && ++cycle.done == cycle.tasks)
        cycle.end_us = clock_mono_us();
}

static void on_reply(struct person *p)
{
    if (client_status(&p->http) != 200) {
        if (cycle.errors++ < 3)
            fprintf(stderr, "bench-cycle: %.*s\n", (int)p->http.in.n, p->http.in.p);
    } else if (p->asked) {
        claimed(p);
    } else {
        handed_in(p);
    }
    if (p->next < p->have)
        hand_in(p);
    else
        claim(p);
}

static void open_person(struct person *p, enum stage stage, FILE *tokens)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};

    p->stage = stage;
    client_open(&p->http, cycle.host, cycle.port, tokens);
    if (epoll_ctl(cycle.epoll, EPOLL_CTL_ADD, p->http.fd, &e))
        client_die("epoll_ctl");
}

static void run(void)
{
    cycle.start_us = clock_mono_us();
    for (int i = 0; i < cycle.n; i++)
        claim(&cycle.people[i]);
    while (cycle.done < cycle.tasks) {
        struct epoll_event events[256];
        int n = epoll_wait(cycle.epoll, events, 256, QUIET_MS);
        if (n == 0)
            client_die("no answer for a long time");
        for (int i = 0; i < n; i++) {
            struct person *p = events[i].data.ptr;
            if (client_read(&p->http))
                on_reply(p);
        }
    }
}

static void report(void)
{
    double seconds = (double)(cycle.end_us - cycle.start_us) / 1e6;

    printf("%ld %.3f %.0f %.2f %.2f %ld\n", cycle.done, seconds, (double)cycle.done / seconds,
        samples_at(&cycle.samples, 500), samples_at(&cycle.samples, 990), cycle.errors);
}

int main(int argc, char **argv)
{
    FILE *tokens;

    if (argc != 8)
        client_die("usage: bench-cycle HOST PORT TOKENS PROJECT CONNECTIONS TASKS AHEAD");
    cycle.host = argv[1];
    cycle.port = (int)strtol(argv[2], NULL, 10);
    tokens = fopen(argv[3], "r");
    cycle.project = (int)strtol(argv[4], NULL, 10);
    cycle.n = (int)strtol(argv[5], NULL, 10);
    cycle.tasks = cycle.unclaimed = strtol(argv[6], NULL, 10);
    cycle.ahead = (int)strtol(argv[7], NULL, 10);
    if (cycle.n < STAGES || cycle.tasks < 1 || cycle.ahead < 1 || cycle.ahead > AHEAD_MAX)
        client_die("an argument is out of range");
    cycle.people = calloc((size_t)cycle.n, sizeof(*cycle.people));
    samples_init(&cycle.samples);
    cycle.epoll = epoll_create1(0);
    if (!tokens || !cycle.people || cycle.epoll < 0)
        client_die("start");
    for (int i = 0; i < cycle.n; i++)
        open_person(&cycle.people[i], (enum stage)(i % STAGES), tokens);
    run();
    report();
    return cycle.errors ? 1 : 0;
}
