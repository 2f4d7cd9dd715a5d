/* Owns `annotate import`: task files sent as they are, and directories of images, each image an
 * asset and a task whose external id is the file's name, so that a second run adds nothing twice.
 * Data sets of other tools are import_set.c's.
 * Memory: one batch of names, however many files there are. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/images.h"
#include "cli/import_set.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/tasks_send.h"
#include "cli/upload.h"

struct import {
    int64_t project, parallel;
    const char *field; /* the key of the image's address in the task's data */
    char path[64];     /* of the API: where tasks go */
    struct api api;
    struct tasks_sent sent;
    int64_t failed;
};

static void show_bytes(void *progress, int64_t done, int64_t total)
{
    progress_show(progress, done, total);
}

/* An array is JSON, anything else one task a line. NULL when the file cannot be read or is empty.
 */
static const char *content_type(int fd)
{
    char head[512];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    for (ssize_t i = 0; i < n; i++)
        if (!strchr(" \t\r\n", head[i]))
            return head[i] == '[' ? "application/json" : "application/x-ndjson";
    return NULL;
}

static int import_file(struct import *m, const char *path, int64_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = 1;
    const char *type = fd < 0 ? NULL : content_type(fd);
    struct progress p;

    if (!type) {
        fail("%s cannot be read or holds nothing.", path);
    } else {
        struct http_source from = http_source_fd(&fd, size);
        progress_begin(&p, "bytes", size);
        http_client_progress(m->api.http, show_bytes, &p);
        enum err e =
            http_client_upload(m->api.http, "POST", m->path, NULL, type, &from, &m->api.answer);
        bool ok = api_ok(&m->api, e, path) && tasks_count(&m->api, &m->sent);
        if (ok)
            progress_end(&p, size);
        status = !ok;
    }
    if (fd >= 0)
        close(fd);
    return status;
}

/* One line of NDJSON for each image that was uploaded, in the order of their names. */
static void print_tasks(const struct import *m, const struct upload *u, struct buf *out)
{
    for (size_t i = 0; i < u->n; i++) {
        const struct upload_item *item = &u->items[i];
        if (!item->ok)
            continue;
        buf_puts(out, "{\"data\":{");
        buf_json(out, str_of(m->field));
        buf_putc(out, ':');
        buf_json(out, str_of(item->url));
        buf_puts(out, "},\"external_id\":");
        buf_json(out, str_of(item->name));
        buf_puts(out, "}\n");
    }
}

static bool flush_batch(struct import *m, struct upload *u)
{
    struct buf lines;
    bool ok = upload_run(u, (int)m->parallel);

    buf_init(&lines, BUF_MAX_JSON);
    print_tasks(m, u, &lines);
    m->failed += upload_failures(u);
    if (ok && buf_err(&lines))
        ok = !fail("the names of one batch are too long; import fewer files at once.");
    if (ok && lines.n > 0)
        ok = tasks_send(&m->api, m->path, buf_view(&lines), &m->sent);
    buf_release(&lines);
    upload_clear(u);
    return ok;
}

static int import_images(struct import *m, const char *dir)
{
    int64_t total = images_count(dir), done = 0;
    struct images *walk = total < 0 ? NULL : images_open(dir);
    struct upload *u = upload_new();
    const char *path, *name;
    struct progress p;
    bool ok = walk != NULL;

    progress_begin(&p, "images", total);
    while (ok && images_next(walk, &path, &name)) {
        upload_add(u, path, name);
        done++;
        if (u->n == UPLOAD_BATCH) {
            ok = flush_batch(m, u);
            progress_show(&p, done, total);
        }
    }
    ok = ok && flush_batch(m, u) && !images_failed(walk);
    if (ok)
        progress_end(&p, done);
    if (ok && images_other(walk))
        fprintf(stderr, "%" PRId64 " files were left out: their names are not those of images\n",
            images_other(walk));
    images_close(walk);
    upload_free(u);
    return !ok;
}

/* One sentence about a wrong token or project, before anything is sent. */
static bool project_is_there(struct import *m)
{
    snprintf(m->path, sizeof(m->path), "/v1/projects/%" PRId64, m->project);
    struct json_object *o = api_call(&m->api, "GET", m->path, NULL);
    json_object_put(o);
    snprintf(m->path, sizeof(m->path), "/v1/projects/%" PRId64 "/tasks", m->project);
    return o != NULL;
}

static int import(struct import *m, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return fail("%s cannot be read: %s.", path, strerror(errno));
    if (!api_open(&m->api) || !project_is_there(m))
        return 1;
    int status = S_ISDIR(st.st_mode) ? import_images(m, path) : import_file(m, path, st.st_size);
    printf("{\"created\":%" PRId64 ",\"skipped\":%" PRId64 ",\"failed\":%" PRId64 "}\n",
        m->sent.created, m->sent.skipped, m->failed);
    if (!status && m->failed)
        status = fail("%" PRId64 " images were not imported; they are named above.", m->failed);
    return status;
}

static int import_format(struct set_options *o)
{
    struct api api = {0};
    int status = import_set_check(o);

    if (status)
        return status;
    status = api_open(&api) ? import_set(&api, o) : 1;
    api_close(&api);
    return status;
}

int cmd_import(int argc, char **argv)
{
    struct import m = {.parallel = 8, .field = "image"};
    struct set_options o = {.as = "annotations", .errors = "refuse"};
    const struct opt opts[] = {{"project", .number = &m.project, .required = true},
        {"field", .text = &m.field}, {"parallel", .number = &m.parallel},
        {"format", .text = &o.format}, {"split", .text = &o.split}, {"map", .text = &o.map},
        {"as", .text = &o.as}, {"model", .text = &o.model}, {"errors", .text = &o.errors},
        {"from", .text = &o.from}, {"allow-private", .flag = &o.allow_private}};
    int paths = args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 1);

    if (paths < 0)
        return 2;
    if (o.from && !o.format)
        return misuse("import", "--from needs --format; `annotate sync` takes files alone.");
    if ((o.from != NULL) == (paths == 1))
        return misuse("import", "it needs a PATH, or else --from.");
    if (m.parallel < 1 || m.parallel > UPLOAD_THREADS)
        return misuse("import", "--parallel must be from 1 to %d.", UPLOAD_THREADS);
    if (o.format) {
        o.project = m.project, o.parallel = m.parallel, o.path = paths ? argv[1] : NULL;
        return import_format(&o);
    }
    int status = import(&m, argv[1]);
    api_close(&m.api);
    return status;
}
