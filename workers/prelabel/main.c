/* annotate-prelabel: labels tasks with models before people see them, through the HTTP API as any
 * client. Owns start, stop and the report; the work is worker.h's. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "workers/prelabel/worker.h"

enum { DRAIN_MS = 20000, REPORT_S = 10, THREADS = WORKER_FETCHERS + 4 };

static struct worker worker;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&worker.stop, true);
}

static void die(const char *why)
{
    log_error("start", "%s", why);
    exit(1);
}

static struct http_client *client(bool guard, int total_ms)
{
    struct http_client *c = http_client_open(&(struct http_client_options){
        .base = guard ? NULL : worker.server,
        .token_file = guard ? NULL : worker.token_file,
        .total_ms = total_ms,
        .max_body = DECODE_FILE,
        .guard = guard,
        .cancel = &worker.abort,
    });

    if (!c)
        die("no client for the server");
    return c;
}

/* Threads get their clients before the first of them starts (libcurl's set-up), and have the
 * signals blocked: those are for the main thread. */
struct threads {
    pthread_t ids[THREADS];
    int n;
    struct fetcher fetchers[WORKER_FETCHERS];
    struct stage infer, post, heartbeat, report;
};

static void *report_thread(void *arg)
{
    const struct worker *w = ((struct stage *)arg)->w;
    int64_t before = 0, next = clock_mono_us() + REPORT_S * 1000000LL;

    while (!atomic_load(&w->abort)) {
        usleep(200000);
        if (clock_mono_us() < next)
            continue;
        next += REPORT_S * 1000000LL;
        int64_t done = w->count.posted + w->count.failed;
        if (done != before)
            log_info("rate",
                "%.1f tasks/s; claimed %lld, posted %lld, failed %lld, released %lld, "
                "lost %lld",
                (double)(done - before) / REPORT_S, (long long)w->count.claimed,
                (long long)w->count.posted, (long long)w->count.failed,
                (long long)w->count.released, (long long)w->count.lost);
        before = done;
    }
    return NULL;
}

static void start(struct threads *t, void *(*run)(void *), void *arg)
{
    if (pthread_create(&t->ids[t->n++], NULL, run, arg) != 0)
        die("no thread");
}

static void start_all(struct threads *t, struct sandbox **sandboxes)
{
    sigset_t all, old;

    for (int i = 0; i < WORKER_FETCHERS; i++) {
        t->fetchers[i] =
            (struct fetcher){&worker, sandboxes[i], client(false, 0), client(true, 0), {0}};
        buf_init(&t->fetchers[i].file, DECODE_FILE);
    }
    t->infer = t->report = (struct stage){&worker, NULL};
    t->post = (struct stage){&worker, client(false, 0)};
    t->heartbeat = (struct stage){&worker, client(false, 0)};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (int i = 0; i < WORKER_FETCHERS; i++)
        start(t, fetch_thread, &t->fetchers[i]);
    start(t, infer_thread, &t->infer);
    start(t, post_thread, &t->post);
    start(t, heartbeat_thread, &t->heartbeat);
    start(t, report_thread, &t->report);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Lets what is claimed run to its end, then stops stage by stage. */
static void drain(struct threads *t)
{
    log_info("drain", "%lld in flight", (long long)worker.held.n);
    if (!held_drain(&worker.held, DRAIN_MS))
        log_warn(
            "drain", "%lld not finished in time; their leases run out", (long long)worker.held.n);
    atomic_store(&worker.abort, true);
    queue_close(&worker.fetch);
    for (int i = 0; i < WORKER_FETCHERS; i++)
        pthread_join(t->ids[i], NULL);
    queue_close(&worker.infer);
    pthread_join(t->ids[WORKER_FETCHERS], NULL);
    queue_close(&worker.post);
    for (int i = WORKER_FETCHERS + 1; i < t->n; i++)
        pthread_join(t->ids[i], NULL);
    for (int i = 0; i < WORKER_FETCHERS; i++) {
        http_client_free(t->fetchers[i].api);
        http_client_free(t->fetchers[i].outside);
        buf_release(&t->fetchers[i].file);
    }
    http_client_free(t->post.api);
    http_client_free(t->heartbeat.api);
}

static void load_models(struct model_set *set)
{
    const struct engine *engine = engine_find(config_str(CONFIG_engine));
    struct engine_options o = {
        config_str(CONFIG_ort_lib), config_str(CONFIG_device), config_str(CONFIG_models)};
    static const char *const devices[] = {"auto", "cpu", "cuda"};
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        known |= strcmp(o.device, devices[i]) == 0;
    if (!engine || !known)
        die(engine ? "device must be auto, cpu or cuda" : "engine must be onnx or fake");
    if (model_set_load(set, o.models))
        die("no model descriptor that can be used (--models)");
    if (lanes_open(&worker.lanes, set, engine, &o))
        die("no model could be opened");
}

static void write_pid(void)
{
    const char *path = config_str(CONFIG_pid_file);
    FILE *f = *path ? fopen(path, "we") : NULL;

    if (*path && (!f || fprintf(f, "%d\n", (int)getpid()) < 0))
        die("the pid file cannot be written");
    if (f && fclose(f) != 0)
        die("the pid file cannot be written");
}

int main(int argc, char **argv)
{
    static struct threads threads;
    struct sandbox *sandboxes[WORKER_FETCHERS];
    struct sigaction sa = {.sa_handler = on_signal};
    struct model_set set;

    if (config_load(PROGRAM_PRELABEL, "annotate-prelabel: labels tasks with models.", argc, argv) !=
        argc) {
        fprintf(stderr, "%s: takes options only (see --help)\n", argv[0]);
        return 2;
    }
    log_init("annotate-prelabel", config_str(CONFIG_log_level));
    /* First of all, while there is one thread and little memory: these processes stay that small.
     */
    for (int i = 0; i < WORKER_FETCHERS; i++)
        if (sandbox_start(&sandboxes[i], NULL) || sandbox_probe(sandboxes[i]))
            die("pictures cannot be decoded safely here: no sandbox");
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    worker.server = config_str(CONFIG_server);
    worker.token_file = config_str(CONFIG_token_file);
    worker.batch = (size_t)config_int(CONFIG_prelabel_batch);
    if (worker.batch > HELD_MAX / 2) { /* one batch in inference, one on its way there */
        worker.batch = HELD_MAX / 2;
        log_warn("start", "--prelabel-batch is %zu at most: the server lends no more at a time",
            worker.batch);
    }
    held_init(&worker.held, HELD_MAX, (size_t)config_int(CONFIG_prelabel_credit_mb) << 20);
    queue_init(&worker.fetch);
    queue_init(&worker.infer);
    queue_init(&worker.post);
    load_models(&set);
    struct http_client *api = client(false, 0);
    start_all(&threads, sandboxes);
    write_pid();
    log_info("start", "server %s", worker.server);
    claim_loop(&worker, api);
    atomic_store(&worker.stop, true);
    drain(&threads);
    http_client_free(api);
    log_info("stop", "claimed %lld, posted %lld, failed %lld, released %lld, lost %lld",
        (long long)worker.count.claimed, (long long)worker.count.posted,
        (long long)worker.count.failed, (long long)worker.count.released,
        (long long)worker.count.lost);
    for (int i = 0; i < WORKER_FETCHERS; i++)
        sandbox_stop(sandboxes[i]);
    lanes_close(&worker.lanes);
    model_set_release(&set);
    return atomic_load(&worker.broken) ? 1 : 0;
}
