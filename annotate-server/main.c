/* annotate-server: reads the settings, builds the modules, runs a loop a thread, drains on SIGTERM.
 * Nothing else. */
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "annotate-server/api/events.h"
#include "annotate-server/api/idempotency.h"
#include "annotate-server/api/park.h"
#include "annotate-server/api/queue_head.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/context.h"
#include "annotate-server/http/server.h"
#include "annotate-server/wake.h"
#include "base/config.h"
#include "base/log.h"
#include "base/process.h"
#include "schema/migrate.h"

struct running {
    struct server server;
    struct limit *limit;
    struct static_files *files;
    pthread_t threads[MAX_THREADS];
    char address[128]; /* the first thread's */
};

static int thread_count(void)
{
    int64_t n = config_int(CONFIG_threads);

    if (n == 0)
        n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}

/* As many descriptors as connections, plus room for files and the database. */
static void raise_limits(void)
{
    struct rlimit r;
    rlim_t want = (rlim_t)config_int(CONFIG_max_connections) + 1024;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < want) {
        r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur < want)
            log_warn("limits", "only %llu descriptors for --max-connections %lld",
                (unsigned long long)r.rlim_cur, (long long)config_int(CONFIG_max_connections));
    }
    prctl(PR_SET_DUMPABLE, 0); /* no core, no ptrace: keys are in memory */
}

/* Refuses to serve on a schema it does not know. */
static enum err check_schema(void)
{
    PGconn *db = PQconnectdb(config_str(CONFIG_db));
    enum err e = ERR_UNAVAILABLE;

    if (PQstatus(db) == CONNECTION_OK)
        e = migrate_verify(db);
    else
        log_error("db", "%s", PQerrorMessage(db));
    PQfinish(db);
    return e;
}

static enum err start_thread(struct running *r, int i)
{
    const struct db_options db = {
        .conninfo = config_str(CONFIG_db),
        .users = STATEMENT_SERVER,
        .connections = (int)config_int(CONFIG_db_connections),
        .max_queue = (int)config_int(CONFIG_db_queue),
        .deadline_ms = (int)config_int(CONFIG_db_deadline_ms),
    };
    struct thread_ctx *ctx = context_new(&r->server, &db);
    const struct http_options http = {
        .listen = i ? r->address : config_str(CONFIG_listen),
        .exclusive = i == 0,
        .routes = routes,
        .n_routes = route_count,
        .ctx = ctx,
        .gate = gate_check,
        .before = idempotency_before,
        .after = events_written,
        .files = r->files,
        .limit = r->limit,
        .header_ms = config_int(CONFIG_header_deadline_ms),
        .body_ms = config_int(CONFIG_body_deadline_ms),
        .idle_ms = config_int(CONFIG_idle_deadline_ms),
    };

    park_init(ctx);
    events_init(ctx);
    queue_heads_init(ctx);
    r->server.threads[r->server.nthreads++] = ctx;
    enum err e = http_server_new(ctx->loop, &http, &ctx->http);
    if (!e && i == 0) { /* port 0 was any: the other threads take the same */
        struct str host = str_of(config_str(CONFIG_listen));
        while (host.n && host.p[host.n - 1] != ':')
            host.n--;
        snprintf(
            r->address, sizeof(r->address), "%.*s%d", STR_FMT(host), http_server_port(ctx->http));
    }
    return e;
}

static void *run_thread(void *arg)
{
    struct thread_ctx *ctx = arg;

    loop_run(ctx->loop);
    return NULL;
}

static void drained(void *arg)
{
    struct thread_ctx *ctx = arg;

    loop_stop(ctx->loop);
}

static void drain(struct thread_ctx *ctx, int64_t ms, int64_t a, int64_t b)
{
    (void)a;
    (void)b;
    park_drain(ctx);
    events_drain(ctx);
    http_server_drain(ctx->http, ms, drained, ctx);
}

/* Returns the signal that ends the service. Signals are blocked in all threads and taken here. */
static int wait_for_signal(const sigset_t *set)
{
    int sig;

    while (sigwait(set, &sig) != 0)
        ;
    return sig;
}

enum { FAILED_LOGINS_PER_S = 1, FAILED_LOGINS_BURST = 10 };

static void set_rates(struct server *s)
{
    int64_t user = config_int(CONFIG_user_rate), tenant = config_int(CONFIG_tenant_rate);

    rate_init(&s->users, user, 2 * user);
    rate_init(&s->tenants, tenant, 2 * tenant);
    rate_init(&s->failed_logins, FAILED_LOGINS_PER_S, FAILED_LOGINS_BURST);
}

static enum err build(struct running *r)
{
    enum err e;

    if ((e = check_schema()) || (e = blob_open(&r->server.blobs, config_str(CONFIG_blobs))))
        return e;
    key_set_init(&r->server.keys);
    e = key_set_load(
        &r->server.keys, config_str(CONFIG_token_key_file), config_int(CONFIG_token_ttl_s));
    if (e)
        return e;
    if (static_load(config_str(CONFIG_web_root), &r->files)) {
        log_warn("web_root", "%s: no front end is served", config_str(CONFIG_web_root));
        r->files = NULL;
    }
    set_rates(&r->server);
    r->server.work = work_pool_new((int)config_int(CONFIG_blocking_threads));
    r->server.streams =
        limit_new((int)config_int(CONFIG_max_connections), (int)config_int(CONFIG_max_streams));
    r->limit =
        limit_new((int)config_int(CONFIG_max_connections), (int)config_int(CONFIG_max_per_address));
    for (int i = 0, n = thread_count(); !e && i < n; i++)
        e = start_thread(r, i);
    if (!e)
        wake_init(&r->server, config_str(CONFIG_db));
    return e;
}

int main(int argc, char **argv)
{
    static struct running running;
    sigset_t set;

    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1); /* archives say local time (formats/container.h) */
    int used = config_load(PROGRAM_SERVER,
        "annotate-server: the HTTP API and the web front end of Annotate", argc, argv);
    if (used < argc) {
        fprintf(stderr, "%s: %s: unexpected argument (see --help)\n", argv[0], argv[used]);
        return 2;
    }
    log_init("annotate-server", config_str(CONFIG_log_level));
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_limits();
    if (build(&running))
        return 1;
    for (int i = 0; i < running.server.nthreads; i++)
        BUG_ON(
            pthread_create(&running.threads[i], NULL, run_thread, running.server.threads[i]) != 0);
    log_info("serving", "%s (port %d), %d threads", config_str(CONFIG_listen),
        http_server_port(running.server.threads[0]->http), running.server.nthreads);
    if (process_pid_file(config_str(CONFIG_pid_file)))
        return 1;
    int sig = wait_for_signal(&set);
    log_info("draining", "on signal %d", sig);
    context_broadcast(&running.server, drain, config_int(CONFIG_drain_ms), 0, 0);
    for (int i = 0; i < running.server.nthreads; i++)
        pthread_join(running.threads[i], NULL);
    process_pid_remove(config_str(CONFIG_pid_file));
    key_set_release(&running.server.keys); /* the rest is the kernel's to take back */
    log_info("stopped", "good-bye");
    return 0;
}
