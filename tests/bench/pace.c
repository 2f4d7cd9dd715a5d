/* Annotators at a realistic pace: each claims a task, tells once that it is still at work, saves a
 * draft and submits, one step every quarter of PERIOD_S, whatever the last answer took. Open loop:
 * a time counts from when the step was meant to be, so a stall counts for all whom it keeps
 * waiting.
 *   bench-pace HOST PORT TOKENS PROJECT ANNOTATORS PERIOD_S SECONDS
 * The first period is not counted. Prints for each kind of step: name per_second p50_ms p99_ms
 * max_ms; then how late this program was itself (`sent`), and how many answers were wrong. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/client.h"

enum step { STEP_CLAIM, STEP_HEARTBEAT, STEP_DRAFT, STEP_SUBMIT, STEP_COUNT };
enum { BOXES = 4, BODY_MAX = 2048 };

static const char *const step_names[STEP_COUNT] = {"claim", "heartbeat", "draft", "submit"};

struct annotator {
    struct client http;
    struct work work;
    enum step step; /* the next one, or the one in flight */
    bool flying;
    int64_t phase_us; /* within a gap */
    int idle;         /* gaps that pass before its first step */
    int64_t meant_us; /* when the step in flight was meant to be */
    int64_t due_us;   /* when the next one is */
};

static struct {
    int n, project, epoll, timer, flying;
    int64_t gap_us; /* between two steps of one annotator */
    int64_t start_us, from_us, until_us;
    struct annotator *annotators; /* by phase */
    int turn;                     /* whose step comes next */
    struct samples steps[STEP_COUNT], sent;
    long errors;
} pace;

/* ---- the steps */

static void print_result(struct buf *b, const struct annotator *a)
{
    buf_puts(b, "{\"result\":[");
    for (int i = 0; i < BOXES; i++)
        buf_printf(b,
            "{\"id\":\"box%d\",\"type\":\"rectanglelabels\",\"from_name\":\"box\","
            "\"to_name\":\"image\",\"original_width\":1280,\"original_height\":720,"
            "\"image_rotation\":0,\"origin\":\"manual\",\"value\":{\"x\":%d.25,\"y\":12.5,"
            "\"width\":%d.125,\"height\":30,\"rotation\":0,\"rectanglelabels\":[\"%s\"]}},",
            i, i * 20, 5 + (int)(a->work.assignment % 10), i % 2 ? "A" : "B");
    buf_chop(b, ',');
    buf_putc(b, ']');
    if (a->step == STEP_SUBMIT)
        buf_puts(b, ",\"lead_time\":3.75");
    buf_putc(b, '}');
}

static void send_step(struct annotator *a)
{
    char head[160];
    struct buf body;

    buf_init(&body, BODY_MAX);
    if (a->step == STEP_CLAIM) {
        snprintf(head, sizeof(head), "POST /v1/projects/%d/claims HTTP/1.1\r\n", pace.project);
        buf_puts(&body, "{\"stage\":\"annotate\"}");
    } else {
        snprintf(head, sizeof(head),
            "%s /v1/assignments/%lld/%s HTTP/1.1\r\nIf-Match: \"%lld\"\r\n",
            a->step == STEP_DRAFT ? "PUT" : "POST", (long long)a->work.assignment,
            step_names[a->step], (long long)a->work.version);
        if (a->step == STEP_HEARTBEAT)
            buf_puts(&body, "{}");
        else
            print_result(&body, a);
    }
    client_send(&a->http, head, buf_view(&body).p);
    buf_release(&body);
    a->flying = true;
    a->meant_us = a->due_us;
    a->due_us += pace.gap_us;
    pace.flying++;
}

static bool counts(const struct annotator *a)
{
    return a->meant_us >= pace.from_us;
}

static void on_reply(struct annotator *a)
{
    const char *at = client_body(&a->http);
    bool ok = client_status(&a->http) == 200;

    a->flying = false;
    pace.flying--;
    if (ok && a->step == STEP_CLAIM)
        ok = client_next_work(&at, &a->work);
    if (counts(a))
        samples_add(&pace.steps[a->step], clock_mono_us() - a->meant_us);
    if (!ok && pace.errors++ < 3)
        fprintf(stderr, "bench-pace: %.*s\n", (int)a->http.in.n, a->http.in.p);
    a->step = ok ? (a->step + 1) % STEP_COUNT : STEP_CLAIM;
    if (a->due_us <= clock_mono_us() && a->due_us < pace.until_us)
        send_step(a); /* its time came while it waited */
}

/* ---- the clock: each one's next step is one gap on, so the line by phase stays sorted */

static int64_t next_due(void)
{
    const struct annotator *a = &pace.annotators[pace.turn % pace.n];

    return pace.start_us + a->phase_us + pace.turn / pace.n * pace.gap_us;
}

static void set_timer(void)
{
    int64_t at = next_due();
    struct itimerspec t = {.it_value = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000}};

    if (timerfd_settime(pace.timer, TFD_TIMER_ABSTIME, &t, NULL))
        client_die("timerfd_settime");
}

static void on_timer(void)
{
    int64_t now, due;
    uint64_t fired;

    if (read(pace.timer, &fired, sizeof(fired)) < 0)
        client_die("timerfd");
    while ((due = next_due()) <= (now = clock_mono_us()) && due < pace.until_us) {
        struct annotator *a = &pace.annotators[pace.turn % pace.n];
        bool begun = pace.turn++ / pace.n >= a->idle;
        if (!begun || a->flying) /* its answer first, then it goes on at once */
            continue;
        send_step(a);
        if (counts(a))
            samples_add(&pace.sent, now - due);
    }
    if (due < pace.until_us)
        set_timer();
}

static void run(void)
{
    set_timer();
    while (pace.flying || next_due() < pace.until_us) {
        struct epoll_event events[256];
        int n = epoll_wait(pace.epoll, events, 256, 10000);
        if (n == 0)
            client_die("no answer for 10 s");
        for (int i = 0; i < n; i++) {
            struct annotator *a = events[i].data.ptr;
            if (!a)
                on_timer();
            else if (client_read(&a->http))
                on_reply(a);
        }
    }
}

/* ---- start and end */

static void watch(int fd, struct annotator *a)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = a};

    if (epoll_ctl(pace.epoll, EPOLL_CTL_ADD, fd, &e))
        client_die("epoll_ctl");
}

static int by_phase(const void *a, const void *b)
{
    const struct annotator *x = a, *y = b;

    return (x->phase_us > y->phase_us) - (x->phase_us < y->phase_us);
}

/* People do not keep step: phases are random, and the same in every run. */
static void open_annotators(const char *host, int port, FILE *tokens)
{
    unsigned short seed[3] = {1, 2, 3};

    for (int i = 0; i < pace.n; i++) {
        struct annotator *a = &pace.annotators[i];
        client_open(&a->http, host, port, tokens);
        a->phase_us = (int64_t)(erand48(seed) * (double)pace.gap_us);
        a->idle = (int)(nrand48(seed) % STEP_COUNT);
    }
    qsort(pace.annotators, (size_t)pace.n, sizeof(*pace.annotators), by_phase);
    pace.start_us = clock_mono_us();
    for (int i = 0; i < pace.n; i++) {
        struct annotator *a = &pace.annotators[i];
        a->due_us = pace.start_us + a->phase_us + a->idle * pace.gap_us;
        watch(a->http.fd, a);
    }
}

static void report(double seconds)
{
    for (int i = 0; i <= STEP_COUNT; i++) {
        struct samples *s = i < STEP_COUNT ? &pace.steps[i] : &pace.sent;
        printf("%s %.0f %.2f %.2f %.2f\n", i < STEP_COUNT ? step_names[i] : "sent",
            (double)s->n / seconds, samples_at(s, 500), samples_at(s, 990), samples_at(s, 1000));
    }
    printf("errors %ld\n", pace.errors);
}

int main(int argc, char **argv)
{
    FILE *tokens;

    if (argc != 8)
        client_die("usage: bench-pace HOST PORT TOKENS PROJECT ANNOTATORS PERIOD_S SECONDS");
    tokens = fopen(argv[3], "r");
    pace.project = (int)strtol(argv[4], NULL, 10);
    pace.n = (int)strtol(argv[5], NULL, 10);
    int64_t period_us = strtol(argv[6], NULL, 10) * 1000000;
    int64_t seconds = strtol(argv[7], NULL, 10);
    pace.gap_us = period_us / STEP_COUNT;
    pace.annotators = calloc((size_t)pace.n, sizeof(*pace.annotators));
    pace.epoll = epoll_create1(0);
    pace.timer = timerfd_create(CLOCK_MONOTONIC, 0);
    for (int i = 0; i < STEP_COUNT; i++)
        samples_init(&pace.steps[i]);
    samples_init(&pace.sent);
    if (!tokens || !pace.annotators || pace.epoll < 0 || pace.timer < 0)
        client_die("start");
    watch(pace.timer, NULL);
    open_annotators(argv[1], (int)strtol(argv[2], NULL, 10), tokens);
    pace.from_us = pace.start_us + period_us;
    pace.until_us = pace.from_us + seconds * 1000000;
    run();
    report((double)seconds);
    return pace.errors ? 1 : 0;
}
