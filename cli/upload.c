/* Owns uploading a batch of files. Never holds a file's content: it streams from the descriptor. */
#include "cli/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/api.h"
#include "cli/say.h"
#include "cli/upload_parts.h"

enum { TRIES = 5, NAME_MAX_BYTES = 500 /* of an external id */ };

struct upload *upload_new(void)
{
    struct upload *u = calloc(1, sizeof(*u));

    BUG_ON(!u);
    return u;
}

void upload_clear(struct upload *u)
{
    for (size_t i = 0; i < u->n; i++) {
        free(u->items[i].path);
        free(u->items[i].name);
        u->items[i] = (struct upload_item){0};
    }
    u->n = 0;
}

void upload_free(struct upload *u)
{
    if (u)
        upload_clear(u);
    free(u);
}

void upload_add(struct upload *u, const char *path, const char *name)
{
    BUG_ON(u->n == UPLOAD_BATCH);
    struct upload_item *item = &u->items[u->n++];
    *item = (struct upload_item){.path = strdup(path), .name = strdup(name)};
    BUG_ON(!item->path || !item->name);
}

void upload_add_file(struct upload *u, const struct file_set *source, size_t file)
{
    struct str name = file_set_at(source, file)->name;
    char *text = strndup(name.p, name.n);

    BUG_ON(!text);
    upload_add(u, text, text);
    free(text);
    u->items[u->n - 1].source = source;
    u->items[u->n - 1].file = file;
}

int64_t upload_failures(const struct upload *u)
{
    int64_t n = 0;

    for (size_t i = 0; i < u->n; i++)
        n += !u->items[i].ok;
    return n;
}

/* What the threads of one run share. */
struct run {
    struct upload *upload;
    atomic_size_t next;
    atomic_bool lost; /* the server cannot be used: all stop */
};

static bool name_is_usable(const struct upload_item *item)
{
    struct str name = str_of(item->name);

    if (name.n <= NAME_MAX_BYTES && utf8_valid(name) == name.n)
        return true;
    fail("%s: its name is longer than %d bytes or not UTF-8.", item->path, NAME_MAX_BYTES);
    return false;
}

/* A stretch of a file. Not by its offset, which the threads of an archive share. */
struct part {
    int fd;
    int64_t off, left;
};

static ptrdiff_t read_part(void *arg, void *p, size_t n)
{
    struct part *part = arg;
    ssize_t got;

    if ((int64_t)n > part->left)
        n = (size_t)part->left;
    do
        got = pread(part->fd, p, n, part->off);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        part->off += got;
        part->left -= got;
    }
    return got;
}

static enum err send_part(struct api *a, const struct part *all)
{
    enum err e = ERR_OK;

    if (all->left > UPLOAD_PARTS_FROM)
        return upload_parts(a, all->fd, all->off, all->left);
    for (unsigned i = 0; i < TRIES; i++) {
        struct part part = *all;
        struct http_source from = {read_part, &part, all->left};
        if (i > 0)
            sleep(1U << (i - 1));
        e = http_client_upload(
            a->http, "POST", "/v1/assets", NULL, "application/octet-stream", &from, &a->answer);
        if (!api_may_pass(a, e))
            break;
    }
    return e;
}

/* The server stores any bytes, and says what they are by looking at them. */
static void keep_url(struct api *a, struct upload_item *item, bool any)
{
    struct json_object *o = api_json(a);
    const char *url = o ? api_text(o, "url") : "", *type = o ? api_text(o, "media_type") : "";

    item->ok = *url && strlen(url) < sizeof(item->url) && (any || strncmp(type, "image/", 6) == 0);
    if (item->ok)
        snprintf(item->url, sizeof(item->url), "%s", url);
    else if (o)
        fail("%s is no image; its content is %s.", item->path, *type ? type : "unknown");
    json_object_put(o);
}

static bool open_part(const struct upload *u, const struct upload_item *item, struct part *part)
{
    struct stat st;

    *part = (struct part){.fd = -1};
    if (!name_is_usable(item))
        return false;
    if (u->fetch) {
        part->fd = u->fetch(u->fetch_arg, item, &part->left);
        return part->fd >= 0;
    }
    if (item->source) {
        part->fd = file_set_fd(item->source, item->file, &part->off);
        part->left = file_set_at(item->source, item->file)->bytes;
    } else {
        part->fd = open(item->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (part->fd >= 0 && fstat(part->fd, &st) == 0)
            part->left = st.st_size;
    }
    if (part->fd < 0)
        fail("%s cannot be read: %s.", item->path, strerror(errno));
    return part->fd >= 0;
}

/* False when the server cannot be used at all. */
static bool upload_item(struct api *a, const struct upload *u, struct upload_item *item)
{
    struct part part;

    if (!open_part(u, item, &part))
        return true;
    enum err e = send_part(a, &part);
    close(part.fd);
    bool usable =
        !api_may_pass(a, e) && (e || (a->answer.status != 401 && a->answer.status != 403));
    if (api_ok(a, e, item->path))
        keep_url(a, item, u->any || item->any);
    return usable;
}

static void *upload_thread(void *arg)
{
    struct run *r = arg;
    struct api a;

    if (!api_open(&a))
        atomic_store(&r->lost, true);
    while (!atomic_load(&r->lost)) {
        size_t i = atomic_fetch_add(&r->next, 1);
        if (i >= r->upload->n)
            break;
        if (!upload_item(&a, r->upload, &r->upload->items[i]))
            atomic_store(&r->lost, true);
    }
    api_close(&a);
    return NULL;
}

bool upload_run(struct upload *u, int threads)
{
    struct run r = {.upload = u};
    pthread_t id[UPLOAD_THREADS];
    int started = 0;

    while (started < threads && (size_t)started < u->n &&
           pthread_create(&id[started], NULL, upload_thread, &r) == 0)
        started++;
    if (u->n > 0 && started == 0) {
        fail("no thread can be started: %s.", strerror(errno));
        return false;
    }
    for (int i = 0; i < started; i++)
        pthread_join(id[i], NULL);
    return !atomic_load(&r.lost);
}
