/* Owns `annotate export`: a release, streamed into a file or a directory that exists only once it
 * is whole. What was cut off is gone on with: an export has the same bytes every time. Memory does
 * not depend on the release's size. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/api.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/export_job.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "formats/container.h"
#include "formats/exporter.h"
#include "formats/format.h"
#include "formats/unpack.h"

/* The server makes again what is here already, and sends nothing meanwhile. */
enum { PATIENCE_S = 3600 };

enum { PATH_SIZE = 4096 };

/* Where the bytes go: FILE.part, or standard output. */
struct target {
    const char *path; /* of the finished file; NULL = there is none to rename */
    char *part;
    int fd;
    int64_t bytes;
    char last; /* byte that is no white space */
    bool finished;
};

static void note(struct target *t, const char *p, size_t n)
{
    t->bytes += (int64_t)n;
    for (size_t i = n; i-- > 0;)
        if (!strchr(" \r\n", p[i])) {
            t->last = p[i];
            break;
        }
}

static enum err write_all(void *arg, const void *data, size_t n)
{
    struct target *t = arg;
    const char *p = data;

    note(t, p, n);
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
    t->fd = open(path, (t->part ? O_RDWR : O_WRONLY) | O_CREAT | O_CLOEXEC, 0666);
    if (t->fd < 0)
        fail("%s cannot be written: %s.", path, strerror(errno));
    return t->fd >= 0;
}

/* What came before it was cut off: counted, and its sum in hex; the file stands at its end. */
static bool target_resume(struct target *t, char hex[SHA256_HEX + 1])
{
    struct sha256_ctx *sum = sha256_new();
    char piece[64 << 10];
    ssize_t n;

    while ((n = read(t->fd, piece, sizeof(piece))) > 0) {
        sha256_add(sum, piece, (size_t)n);
        note(t, piece, (size_t)n);
    }
    sha256_hex(sha256_end(sum), hex);
    if (n < 0)
        fail("%s cannot be read: %s.", t->part, strerror(errno));
    return n == 0;
}

/* From the beginning. */
static bool target_restart(struct target *t)
{
    t->bytes = 0;
    t->last = '\0';
    if (lseek(t->fd, 0, SEEK_SET) == 0 && ftruncate(t->fd, 0) == 0)
        return true;
    fail("%s cannot be written: %s.", t->part, strerror(errno));
    return false;
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
    if (t->part && t->fd >= 0 && !t->finished && t->bytes == 0)
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
    bool job; /* made by the system first, and kept */
};

/* JSON ends in a bracket, lines of it in a brace. Of all else the transfer itself says whether it
 * is whole. */
static bool is_whole(const struct target *t, const struct order *o)
{
    struct str extension = str_of(o->format->extension);

    if (o->container != CONTAINER_FILE)
        return t->bytes > 0;
    if (str_is(extension, ".jsonl"))
        return t->last == '}' || t->bytes == 0;
    return t->last == ']' || !str_is(extension, ".json");
}

static enum err fetch(struct api *a, const struct order *o, struct target *t, const char *beginning)
{
    const struct http_sink to = {write_all, t};
    char path[320];

    snprintf(path, sizeof(path), "/v1/releases/%" PRId64 "/export?format=%s&container=%s%s%s%s",
        o->release, o->format->name, container_name(o->container), o->media ? "&media=true" : "",
        o->labelled ? "&labelled=true" : "", beginning);
    return http_client_download(a->http, path, NULL, &to, &a->answer);
}

/* Goes on where the part ends; if that is the beginning of something else, from the start. */
static enum err fetch_rest(struct api *a, const struct order *o, struct target *t)
{
    char hex[SHA256_HEX + 1], beginning[SHA256_HEX + 64] = "";

    if (t->part && !target_resume(t, hex))
        return ERR_CORRUPT; /* said already */
    if (t->bytes > 0)
        snprintf(beginning, sizeof(beginning), "&skip=%" PRId64 "&sha256=%s", t->bytes, hex);
    enum err e = fetch(a, o, t, beginning);
    if (e || a->answer.status != 409 || !strstr(a->answer.body.p, "\"/skip\""))
        return e;
    return target_restart(t) ? fetch(a, o, t, "") : ERR_CORRUPT;
}

/* One that the system makes and keeps. It is there as a whole when it is asked for, so a part of it
 * is not worth going on with. */
static enum err fetch_made(struct api *a, const struct order *o, struct target *t)
{
    struct json_object *wishes = json_object_new_object();
    const struct http_sink to = {write_all, t};
    char path[64];

    json_object_object_add(wishes, "format", json_object_new_string(o->format->name));
    json_object_object_add(
        wishes, "container", json_object_new_string(container_name(o->container)));
    json_object_object_add(wishes, "media", json_object_new_boolean(o->media));
    json_object_object_add(wishes, "labelled", json_object_new_boolean(o->labelled));
    int64_t id = export_job_wait(a, o->release, wishes);
    json_object_put(wishes);
    if (!id || (t->part && !target_restart(t)))
        return ERR_CORRUPT; /* said already */
    snprintf(path, sizeof(path), "/v1/exports/%" PRId64 "/content", id);
    return http_client_download(a->http, path, NULL, &to, &a->answer);
}

static int download(struct api *a, const struct order *o, struct target *t)
{
    struct progress p;

    progress_begin(&p, "bytes", -1);
    http_client_progress(a->http, show_bytes, &p);
    enum err e = o->job ? fetch_made(a, o, t) : fetch_rest(a, o, t);
    if (e == ERR_CORRUPT)
        return 1; /* said already */
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

/* ---- a directory: a tar, unpacked when it is whole */

/* Takes the tar apart into DIR.part, which becomes DIR. */
static int unpack(const char *tar, const char *dir)
{
    char why[UNPACK_WHY], *part = NULL;
    int fd = open(tar, O_RDONLY | O_CLOEXEC), status = 0;
    enum err e = ERR_IO;

    if (asprintf(&part, "%s.part", dir) < 0)
        part = NULL;
    BUG_ON(!part);
    snprintf(why, sizeof(why), "it cannot be read");
    if (fd >= 0)
        e = unpack_tar(fd, part, why);
    if (fd >= 0)
        close(fd);
    if (e)
        status = fail("%s cannot be unpacked: %s.", tar, why);
    else if (rename(part, dir) < 0)
        status = fail("%s cannot be finished: %s.", dir, strerror(errno));
    else
        unlink(tar);
    free(part);
    return status;
}

static int export_to(const struct order *o, const char *out)
{
    struct target t = {.fd = -1};
    struct api a = {0};
    int status = 1;

    if (api_open_patient(&a, PATIENCE_S) && target_open(&t, out))
        status = download(&a, o, &t);
    target_close(&t);
    api_close(&a);
    return status;
}

/* Neither may be there: nothing of the reader's is mixed with what comes. */
static bool is_free(const char *dir)
{
    struct stat st;
    char part[PATH_SIZE];

    snprintf(part, sizeof(part), "%.*s.part", PATH_SIZE - 16, dir);
    if (lstat(dir, &st) == 0)
        fail("%s is there already.", dir);
    else if (lstat(part, &st) == 0)
        fail("%s is there already; it is left of an export that could not be unpacked.", part);
    else
        return true;
    return false;
}

static int export_to_directory(const struct order *o, const char *dir)
{
    char name[PATH_SIZE - 16], tar[PATH_SIZE];
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/')
        n--;
    if (n >= sizeof(name))
        return misuse("export", "the directory's name is too long.");
    snprintf(name, sizeof(name), "%.*s", (int)n, dir);
    snprintf(tar, sizeof(tar), "%s.tar", name);
    if (!is_free(name) || export_to(o, tar) != 0)
        return 1;
    return unpack(tar, name);
}

static bool ends_in(const char *path, const char *suffix)
{
    size_t n = strlen(path), k = strlen(suffix);

    return n > k && strcmp(path + n - k, suffix) == 0;
}

/* As said, or as the file's name says, or what the format needs. */
static bool choose_container(struct order *o, const char *said, const char *out)
{
    o->container = export_container(o->format, o->media);
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

/* What the options say; false: said why not, *status is the exit status. */
static bool order_read(struct order *o, const char *format, const char *container, const char *out,
    const char *dir, int *status)
{
    *status = 2;
    o->format = format_find(str_of(format));
    if (!o->format)
        *status = wrong_format(format);
    else if (!out == !dir)
        *status = misuse("export", "either --out FILE or --dir DIRECTORY is needed.");
    else if (dir && container)
        *status = misuse("export", "--dir is plain files: there is no --container.");
    else if (dir)
        o->container = CONTAINER_TAR, *status = 0;
    else if (!choose_container(o, container, out))
        *status =
            misuse("export", "a container is file, tar, tar.zst or zip, not \"%s\".", container);
    else if (o->container == CONTAINER_FILE &&
             export_container(o->format, o->media) != CONTAINER_FILE)
        *status = misuse("export", "that is several files: --container tar, tar.zst or zip.");
    else
        *status = 0;
    return *status == 0;
}

int cmd_export(int argc, char **argv)
{
    struct order o = {0};
    const char *format = NULL, *out = NULL, *container = NULL, *dir = NULL;
    const struct opt opts[] = {{"release", .number = &o.release, .required = true},
        {"format", .text = &format, .required = true}, {"out", .text = &out}, {"dir", .text = &dir},
        {"container", .text = &container}, {"media", .flag = &o.media},
        {"labelled", .flag = &o.labelled}, {"job", .flag = &o.job}};
    int status;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (!order_read(&o, format, container, out, dir, &status))
        return status;
    return dir ? export_to_directory(&o, dir) : export_to(&o, out);
}
