/* Owns `annotate export`: a release, streamed into a file that exists only once it is whole. Memory
 * does not depend on the release's size. */
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
#include "cli/progress.h"
#include "cli/say.h"
#include "formats/container.h"
#include "formats/format.h"

/* Where the bytes go: FILE.part, or standard output. */
struct target {
    const char *path; /* of the finished file; NULL = there is none to rename */
    char *part;
    int fd;
    int64_t bytes;
    char last; /* byte that is no white space */
    bool finished;
};

static enum err write_all(void *arg, const void *data, size_t n)
{
    struct target *t = arg;
    const char *p = data;

    t->bytes += (int64_t)n;
    for (size_t i = n; i-- > 0;)
        if (!strchr(" \r\n", p[i])) {
            t->last = p[i];
            break;
        }
    while (n > 0) {
        ssize_t k = write(t->fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ERR_IO;
        p += k;
        n -= (size_t)k;
    }
    return ERR_OK;
}

/* A device or a pipe is written to as it is; only a file can appear at the end. */
static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

static bool target_open(struct target *t, const char *out)
{
    const char *path = out;

    *t = (struct target){.fd = STDOUT_FILENO};
    if (strcmp(out, "-") == 0)
        return true;
    if (is_file(out)) {
        t->path = out;
        if (asprintf(&t->part, "%s.part", out) < 0)
            t->part = NULL;
        BUG_ON(!t->part);
        path = t->part;
    }
    t->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (t->fd < 0)
        fail("%s cannot be written: %s.", path, strerror(errno));
    return t->fd >= 0;
}

/* Durable, then under its own name. */
static bool target_finish(struct target *t)
{
    if (!t->path)
        return true;
    if (fsync(t->fd) == 0 && rename(t->part, t->path) == 0) {
        t->finished = true;
        return true;
    }
    fail("%s cannot be finished: %s.", t->path, strerror(errno));
    return false;
}

static void target_close(struct target *t)
{
    if (t->fd > STDOUT_FILENO)
        close(t->fd);
    if (t->part && t->fd >= 0 && !t->finished)
        unlink(t->part);
    free(t->part);
}

static void show_bytes(void *progress, int64_t done, int64_t total)
{
    progress_show(progress, done, total);
}

/* What is asked for. */
struct order {
    int64_t release;
    const struct format *format;
    enum container_kind container;
    bool media, labelled;
};

/* Our bare formats end in a bracket; a release without items is "[]" or no byte at all. Of archives
 * the transfer itself says whether it is whole. */
static bool is_whole(const struct target *t, const struct order *o)
{
    bool lines = str_is(str_of(o->format->extension), ".jsonl");

    if (o->container != CONTAINER_FILE)
        return t->bytes > 0;
    return t->last == (lines ? '}' : ']') || (lines && t->bytes == 0);
}

static int download(struct api *a, const struct order *o, struct target *t)
{
    const struct http_sink to = {write_all, t};
    struct progress p;
    char path[192];

    snprintf(path, sizeof(path), "/v1/releases/%" PRId64 "/export?format=%s&container=%s%s%s",
        o->release, o->format->name, container_name(o->container), o->media ? "&media=true" : "",
        o->labelled ? "&labelled=true" : "");
    progress_begin(&p, "bytes", -1);
    http_client_progress(a->http, show_bytes, &p);
    enum err e = http_client_download(a->http, path, NULL, &to, &a->answer);
    if (e == ERR_IO)
        return fail("the file cannot be written: %s.", strerror(errno));
    if (!api_ok(a, e, "the export"))
        return 1;
    if (!is_whole(t, o))
        return fail("the export came to its end in the middle; run the command again.");
    if (!target_finish(t))
        return 1;
    progress_end(&p, t->bytes);
    return 0;
}

static bool ends_in(const char *path, const char *suffix)
{
    size_t n = strlen(path), k = strlen(suffix);

    return n > k && strcmp(path + n - k, suffix) == 0;
}

/* As said, or as the file's name says, or what the format needs. */
static bool choose_container(struct order *o, const char *said, const char *out)
{
    o->container = o->format->tree || o->media ? CONTAINER_ZIP : CONTAINER_FILE;
    for (int k = CONTAINER_TAR; !said && k <= CONTAINER_ZIP; k++)
        if (ends_in(out, container_extension((enum container_kind)k)))
            o->container = (enum container_kind)k;
    return !said || container_find(str_of(said), &o->container);
}

static int wrong_format(const char *format)
{
    char names[512] = "";

    for (size_t i = 0; format_at(i); i++)
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? ", " : "",
            format_at(i)->name);
    return misuse("export", "there is no format \"%s\"; there are %s.", format, names);
}

int cmd_export(int argc, char **argv)
{
    struct order o = {0};
    const char *format = NULL, *out = NULL, *container = NULL;
    const struct opt opts[] = {{"release", .number = &o.release, .required = true},
        {"format", .text = &format, .required = true}, {"out", .text = &out, .required = true},
        {"container", .text = &container}, {"media", .flag = &o.media},
        {"labelled", .flag = &o.labelled}};
    struct target t = {.fd = -1};
    struct api a = {0};
    int status = 1;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    o.format = format_find(str_of(format));
    if (!o.format)
        return wrong_format(format);
    if (!choose_container(&o, container, out))
        return misuse("export", "a container is file, tar, tar.zst or zip, not \"%s\".", container);
    if (o.container == CONTAINER_FILE && (o.format->tree || o.media))
        return misuse("export", "that is several files: --container tar, tar.zst or zip.");
    if (api_open(&a) && target_open(&t, out))
        status = download(&a, &o, &t);
    target_close(&t);
    api_close(&a);
    return status;
}
