/* The baseline of the submit measurement: what a plain implementation does for one label. Each
 * thread, one label after another: write a file, fsync, rename, fsync its directory; then one
 * transaction with the label's rows (tests/bench/submit_one.sql). bench-onerow CONNINFO DIRECTORY
 * SQL_FILE FIRST_ASSIGNMENT THREADS PER_THREAD Prints: operations seconds per_second. */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

struct worker {
    pthread_t thread;
    int number, dir;
    long done;
};

static const char *conninfo, *directory;
static char *sql;
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

static void submit(const struct worker *w, PGconn *db, long assignment)
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
    PGresult *r = PQexecPrepared(db, "one", 3, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
        die("submit", PQresultErrorMessage(r));
    PQclear(r);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    PGconn *db = PQconnectdb(conninfo);
    PGresult *r = PQexec(db, "SET app.tenant = '1'");

    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die("connect", PQerrorMessage(db));
    PQclear(r);
    r = PQprepare(db, "one", sql, 0, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die("prepare", PQerrorMessage(db));
    PQclear(r);
    w->dir = open(directory, O_RDONLY | O_DIRECTORY);
    pthread_barrier_wait(&start_line);
    for (long i = 0; i < per_thread; i++)
        submit(w, db, first + w->number * per_thread + i);
    PQfinish(db);
    return NULL;
}

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 16);

    if (!f || !text || fread(text, 1, (1 << 16) - 1, f) == 0)
        die(path, "cannot be read");
    fclose(f);
    return text;
}

int main(int argc, char **argv)
{
    if (argc != 7)
        die("usage",
            "bench-onerow CONNINFO DIRECTORY SQL_FILE FIRST_ASSIGNMENT THREADS PER_THREAD");
    conninfo = argv[1];
    directory = argv[2];
    sql = slurp(argv[3]);
    first = strtol(argv[4], NULL, 10);
    int threads = (int)strtol(argv[5], NULL, 10);
    per_thread = strtol(argv[6], NULL, 10);
    struct worker *workers = calloc((size_t)threads, sizeof(*workers));
    if (!workers || pthread_barrier_init(&start_line, NULL, (unsigned)threads + 1))
        die("start", strerror(errno));
    for (int i = 0; i < threads; i++) {
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            die("thread", strerror(errno));
    }
    pthread_barrier_wait(&start_line);
    int64_t start = clock_mono_us();
    for (int i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    printf(
        "%ld %.3f %.0f\n", threads * per_thread, seconds, (double)(threads * per_thread) / seconds);
    return 0;
}
