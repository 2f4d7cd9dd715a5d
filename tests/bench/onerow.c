/* The baselines of the submit and cycle measurements: what a plain implementation does, one row a
 * transaction. Each thread, one label after another: write a file, fsync, rename, fsync its
 * directory; then one transaction with the label's rows. `cycle` takes each task through claim,
 * submit, claim, accept, claim and pass, each a transaction (tests/bench/cycle_*.sql); `submit`
 * only hands in what is leased already (submit_one.sql).
 *   bench-onerow submit CONNINFO DIRECTORY SQL_DIRECTORY THREADS PER_THREAD FIRST_ASSIGNMENT
 *   bench-onerow cycle CONNINFO DIRECTORY SQL_DIRECTORY THREADS PER_THREAD
 * Prints: operations seconds per_second cpu_seconds; the last is this program's own. */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

enum { CLAIM_TRIES = 1000, ROLES = 3 };

struct worker {
    pthread_t thread;
    int number, dir;
    PGconn *db;
};

static const char *conninfo, *directory, *sql_directory;
static bool whole_cycle;
static long first, per_thread;
static pthread_barrier_t start_line;

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-onerow: %s: %s\n", what, why);
    exit(1);
}

static void store(const struct worker *w, const char *name, const char *doc)
{
    char tmp[128];
    size_t n = strlen(doc);

    snprintf(tmp, sizeof(tmp), ".tmp-%d", w->number);
    int fd = openat(w->dir, tmp, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0 || write(fd, doc, n) != (ssize_t)n || fsync(fd) || close(fd) ||
        renameat(w->dir, tmp, w->dir, name) || fsync(w->dir))
        die(name, strerror(errno));
}

/* One transaction. The first column of its row, or 0 if it found nothing to do. */
static long run(const struct worker *w, const char *statement, int n, const char *const *values)
{
    PGresult *r = PQexecPrepared(w->db, statement, n, values, NULL, NULL, 0);
    long found = 0;

    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        die(statement, PQresultErrorMessage(r));
    if (PQntuples(r) == 1)
        found = strtol(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return found;
}

static void submit(const struct worker *w, const char *statement, long assignment)
{
    char doc[256], hex[SHA256_HEX + 1], id[24], bytes[24];
    const char *values[3] = {id, hex, bytes};

    snprintf(doc, sizeof(doc),
        "[{\"from_name\":\"item\",\"id\":\"r%ld\",\"origin\":\"manual\",\"to_name\":\"image\","
        "\"type\":\"choices\","
        "\"value\":{\"choices\":[\"A\"]}}]",
        assignment);
    sha256_hex(sha256_of(str_of(doc)), hex);
    snprintf(id, sizeof(id), "%ld", assignment);
    snprintf(bytes, sizeof(bytes), "%zu", strlen(doc));
    store(w, hex, doc);
    if (!run(w, statement, 3, values))
        die(statement, "the assignment is not leased");
}

/* What this thread opened another one may take, so another one's is waited for. */
static long claim(const struct worker *w, const char *stage, int role)
{
    char user[24];
    const char *values[2] = {stage, user};
    long id = 0;

    snprintf(user, sizeof(user), "%d", w->number * ROLES + role);
    for (int i = 0; i < CLAIM_TRIES && !id; i++) {
        id = run(w, "cycle_claim", 2, values);
        if (!id)
            sched_yield();
    }
    if (!id)
        die(stage, "there is no work");
    return id;
}

static void verdict(const struct worker *w, long assignment, const char *action, const char *stage,
    const char *to, const char *opens)
{
    char id[24];
    const char *values[5] = {id, action, stage, to, opens};

    snprintf(id, sizeof(id), "%ld", assignment);
    if (!run(w, "cycle_verdict", 5, values))
        die(action, "the assignment is not leased");
}

static void cycle(const struct worker *w)
{
    submit(w, "cycle_submit", claim(w, "annotate", 1));
    verdict(w, claim(w, "review", 2), "accept", "review", "qa", "qa");
    verdict(w, claim(w, "qa", 3), "pass", "qa", "done", NULL);
}

static void prepare(PGconn *db, const char *name)
{
    static __thread char sql[1 << 14];
    char path[512];

    snprintf(path, sizeof(path), "%s/%s.sql", sql_directory, name);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(sql, 1, sizeof(sql) - 1, f) : 0;
    if (n == 0)
        die(path, "cannot be read");
    fclose(f);
    sql[n] = '\0';
    PGresult *r = PQprepare(db, name, sql, 0, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die(name, PQerrorMessage(db));
    PQclear(r);
}

static void start(struct worker *w)
{
    w->db = PQconnectdb(conninfo);
    PGresult *r = PQexec(w->db, "SET app.tenant = '1'");
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die("connect", PQerrorMessage(w->db));
    PQclear(r);
    if (whole_cycle) {
        prepare(w->db, "cycle_claim");
        prepare(w->db, "cycle_submit");
        prepare(w->db, "cycle_verdict");
    } else {
        prepare(w->db, "submit_one");
    }
    w->dir = open(directory, O_RDONLY | O_DIRECTORY);
}

static void *work(void *arg)
{
    struct worker *w = arg;

    start(w);
    pthread_barrier_wait(&start_line);
    for (long i = 0; i < per_thread; i++) {
        if (whole_cycle)
            cycle(w);
        else
            submit(w, "submit_one", first + w->number * per_thread + i);
    }
    PQfinish(w->db);
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void run_all(int threads)
{
    struct worker *workers = calloc((size_t)threads, sizeof(*workers));

    if (!workers || pthread_barrier_init(&start_line, NULL, (unsigned)threads + 1))
        die("start", strerror(errno));
    for (int i = 0; i < threads; i++) {
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            die("thread", strerror(errno));
    }
    pthread_barrier_wait(&start_line);
    int64_t start_us = clock_mono_us();
    double cpu = cpu_seconds();
    for (int i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    double seconds = (double)(clock_mono_us() - start_us) / 1e6;
    printf("%ld %.3f %.0f %.3f\n", threads * per_thread, seconds,
        (double)(threads * per_thread) / seconds, cpu_seconds() - cpu);
    free(workers);
}

int main(int argc, char **argv)
{
    whole_cycle = argc == 7 && strcmp(argv[1], "cycle") == 0;
    if (!whole_cycle && (argc != 8 || strcmp(argv[1], "submit") != 0))
        die("usage",
            "bench-onerow submit|cycle CONNINFO DIRECTORY SQL_DIRECTORY THREADS PER_THREAD "
            "[FIRST_ASSIGNMENT]");
    conninfo = argv[2];
    directory = argv[3];
    sql_directory = argv[4];
    per_thread = strtol(argv[6], NULL, 10);
    first = whole_cycle ? 0 : strtol(argv[7], NULL, 10);
    run_all((int)strtol(argv[5], NULL, 10));
    return 0;
}
