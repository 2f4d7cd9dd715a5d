/* Label versions a second into a store of files: packs of 64, as the server writes a batch, against
 * one fsynced file each, in turns and with the same number of threads. Of each pack one document is
 * read back.
 *   bench-labels DIRECTORY [VERSIONS [THREADS [ROUNDS]]]
 * The last line is "labels ratio X.XX"; the exit status is 1 below the floor of 4. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "storage/pack.h"

enum { PACK = 64, DOC = 1200, THREADS_MAX = 64, ROUNDS_MAX = 99 };
static const double least = 4;

struct writer {
    pthread_t thread;
    int64_t first, versions;
};

static struct blob_store store;
static bool in_packs;
static int round_no;

__attribute__((noreturn)) static void die(const char *what, enum err e)
{
    fprintf(stderr, "bench-labels: %s: %s\n", what, err_title(e));
    exit(1);
}

/* About what a label of ten boxes takes; no two are the same. */
static struct str document(int64_t n, char text[DOC + 1])
{
    memset(text, 'x', DOC);
    text[snprintf(text, DOC, "[{\"id\":\"%d-%" PRId64 "\",\"value\":\"", round_no, n)] = 'x';
    memcpy(text + DOC - 3, "\"}]", 3);
    return (struct str){text, DOC};
}

static void write_pack(int64_t first, int64_t n)
{
    struct pack_item items[PACK];
    struct buf back;
    struct pack_id id;
    enum err e;
    char(*text)[DOC + 1] = malloc(sizeof(*text) * PACK);

    if (!text)
        die("memory", ERR_NO_MEMORY);
    for (int64_t i = 0; i < n; i++)
        items[i].doc = document(first + i, text[i]);
    if ((e = pack_put(&store, 1, items, (size_t)n, &id)))
        die("a pack", e);
    buf_init(&back, DOC);
    if ((e = pack_get(&store, 1, id, items[n - 1].off, DOC, sha256_of(items[n - 1].doc), &back)))
        die("what was written", e);
    buf_release(&back);
    free(text);
}

static void write_file(int64_t n)
{
    char text[DOC + 1], key[BLOB_KEY_MAX], hex[SHA256_HEX + 1];
    struct str doc = document(n, text);
    enum err e;

    sha256_hex(sha256_of(doc), hex);
    snprintf(key, sizeof(key), "labels/1/%.2s/%s", hex, hex);
    if ((e = blob_put(&store, key, &doc, 1)))
        die("a file", e);
}

static void *work(void *arg)
{
    const struct writer *w = arg;

    for (int64_t i = 0; i < w->versions;) {
        int64_t n = w->versions - i < PACK ? w->versions - i : PACK;
        if (in_packs) {
            write_pack(w->first + i, n);
            i += n;
        } else {
            write_file(w->first + i++);
        }
    }
    return NULL;
}

static double measure(bool packs, int64_t versions, int threads)
{
    struct writer w[THREADS_MAX];
    int64_t start = clock_mono_us();

    in_packs = packs;
    for (int i = 0; i < threads; i++) {
        w[i] = (struct writer){.first = i * versions, .versions = versions / threads};
        if (pthread_create(&w[i].thread, NULL, work, &w[i]))
            die("a thread", ERR_NO_MEMORY);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(w[i].thread, NULL);
    return (double)(versions / threads * threads) * 1e6 / (double)(clock_mono_us() - start);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : NULL;
    int64_t versions = argc > 2 ? strtoll(argv[2], NULL, 10) : 20000;
    int threads = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 4;
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 3;
    double ratio[ROUNDS_MAX];
    char spec[600];

    if (!directory || threads < 1 || threads > THREADS_MAX || rounds < 1 || rounds > ROUNDS_MAX ||
        versions < 1) {
        fprintf(stderr, "usage: bench-labels DIRECTORY [VERSIONS [THREADS [ROUNDS]]]\n");
        return 2;
    }
    snprintf(spec, sizeof(spec), "fs:%s", directory);
    enum err e = blob_open(&store, spec);
    if (e)
        die(spec, e);
    for (round_no = 0; round_no < rounds; round_no++) {
        double files = measure(false, versions / 10, threads);
        double packs = measure(true, versions, threads);
        ratio[round_no] = packs / files;
        printf("round %d: %.0f versions/s in packs of %d, %.0f/s in a file each, ratio %.2f\n",
            round_no + 1, packs, PACK, files, packs / files);
    }
    blob_close(&store);
    qsort(ratio, (size_t)rounds, sizeof(*ratio), by_size);
    double median = ratio[rounds / 2];
    printf("labels ratio %.2f\n", median);
    return median < least;
}
