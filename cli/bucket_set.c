/* Owns copying a bucket's objects side by side. Never knows what is in them. */
#include "cli/bucket_set.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/unnamed.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/upload.h"
#include "storage/s3_bucket.h"

struct bucket_set {
    struct s3_bucket *bucket;
    struct arena *arena; /* of the objects' texts */
    struct s3_object *objects;
    struct file_set_entry *files; /* the same objects, by name and place */
    size_t n, cap;
    int64_t total; /* bytes */
    int fd;

    /* while copying */
    atomic_size_t next, copied;
    atomic_bool failed;
};

static bool add(struct bucket_set *b, const struct s3_object *o)
{
    struct str name = str_of(o->key + strlen(s3_bucket_prefix(b->bucket)));

    if (o->bytes == 0 && (name.n == 0 || name.p[name.n - 1] == '/'))
        return true; /* stands for a directory */
    if (b->n == FILE_SET_FILES || o->bytes > FILE_SET_BYTES - b->total)
        return !fail("the bucket holds more than %d files, or %lld bytes.", FILE_SET_FILES,
            (long long)FILE_SET_BYTES);
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : S3_BUCKET_PAGE;
        b->objects = realloc(b->objects, b->cap * sizeof(*b->objects));
        b->files = realloc(b->files, b->cap * sizeof(*b->files));
        BUG_ON(!b->objects || !b->files);
    }
    b->objects[b->n] = *o;
    b->files[b->n++] = (struct file_set_entry){name, b->total, o->bytes};
    b->total += o->bytes;
    return true;
}

static bool list(struct bucket_set *b)
{
    static struct s3_object page[S3_BUCKET_PAGE];
    const char *after = NULL;
    char why[S3_BUCKET_WHY];
    size_t n;

    do {
        if (s3_bucket_page(b->bucket, b->arena, after, page, &n, why))
            return !fail("%s.", why);
        for (size_t i = 0; i < n; i++)
            if (!add(b, &page[i]))
                return false;
        after = n ? page[n - 1].key : after;
    } while (n == S3_BUCKET_PAGE);
    return true;
}

/* Names have been checked: they may be shown. */
static void *copy_thread(void *arg)
{
    struct bucket_set *b = arg;
    char why[S3_BUCKET_WHY];
    size_t i;

    while (!atomic_load(&b->failed) && (i = atomic_fetch_add(&b->next, 1)) < b->n) {
        if (s3_bucket_fetch(b->bucket, &b->objects[i], b->fd, b->files[i].off, why)) {
            fail("%s: %s.", b->objects[i].key, why);
            atomic_store(&b->failed, true);
        }
        atomic_fetch_add(&b->copied, 1);
    }
    return NULL;
}

static bool copy(struct bucket_set *b, int threads)
{
    pthread_t id[UPLOAD_THREADS];
    struct progress p;
    int started = 0;

    progress_begin(&p, "objects", (int64_t)b->n);
    while (started < threads && pthread_create(&id[started], NULL, copy_thread, b) == 0)
        started++;
    if (!started)
        return !fail("no thread can be started.");
    while (atomic_load(&b->copied) < b->n && !atomic_load(&b->failed)) {
        usleep(10000);
        progress_show(&p, (int64_t)atomic_load(&b->copied), (int64_t)b->n);
    }
    for (int i = 0; i < started; i++)
        pthread_join(id[i], NULL);
    if (!atomic_load(&b->failed))
        progress_end(&p, (int64_t)b->n);
    return !atomic_load(&b->failed);
}

static bool fill(struct bucket_set *b, int threads, struct file_set **out)
{
    char why[FILE_SET_WHY];

    if (!list(b))
        return false;
    b->fd = unnamed_file();
    if (b->fd < 0)
        return !fail("no file can be made for the data set: %s.", strerror(errno));
    if (file_set_open_files(b->fd, b->files, b->n, out, why))
        return !fail("%s: %s", s3_bucket_name(b->bucket), why);
    if (copy(b, threads))
        return true;
    file_set_close(*out);
    *out = NULL;
    return false;
}

bool bucket_set_open(const char *spec, bool guarded, int threads, struct file_set **out)
{
    struct bucket_set b = {.arena = arena_new()};
    char why[S3_BUCKET_WHY];
    bool good = false;

    if (s3_bucket_open(spec, guarded, &b.bucket, why))
        fail("--from: %s.", why);
    else
        good = fill(&b, threads, out);
    s3_bucket_close(b.bucket);
    arena_free(b.arena);
    free(b.objects);
    free(b.files);
    return good;
}
