/* Owns the reading of archives, by libarchive, and the files that come of it. */
#include "formats/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/container.h"

enum { PIECE = 64 << 10 };

struct unpack {
    struct archive *a;
    int dir;
    char *why;
};

static enum err refuse(struct unpack *u, enum err e, const char *fmt, ...) PRINTF(3, 4);

static enum err refuse(struct unpack *u, enum err e, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(u->why, UNPACK_WHY, fmt, args);
    va_end(args);
    return e;
}

static enum err failed(struct unpack *u, const char *path)
{
    int code = errno;

    return refuse(u, code == EEXIST ? ERR_CONFLICT : ERR_IO, "%s: %s", path, strerror(code));
}

/* The directories above the file. */
static enum err make_parents(struct unpack *u, const char *path)
{
    char part[CONTAINER_PATH_MAX + 1];

    for (size_t i = 0; path[i]; i++) {
        if (path[i] != '/')
            continue;
        snprintf(part, sizeof(part), "%.*s", (int)i, path);
        if (mkdirat(u->dir, part, 0777) < 0 && errno != EEXIST)
            return failed(u, part);
    }
    return ERR_OK;
}

static enum err write_all(struct unpack *u, int fd, const char *path, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return failed(u, path);
        p += k;
        n -= (size_t)k;
    }
    return ERR_OK;
}

static enum err copy_data(struct unpack *u, int fd, const char *path)
{
    char piece[PIECE];
    la_ssize_t n;

    while ((n = archive_read_data(u->a, piece, sizeof(piece))) > 0) {
        enum err e = write_all(u, fd, path, piece, (size_t)n);
        if (e)
            return e;
    }
    return n < 0 ? refuse(u, ERR_INVALID, "%s: %s", path, archive_error_string(u->a)) : ERR_OK;
}

static enum err unpack_entry(struct unpack *u, struct archive_entry *entry)
{
    const char *path = archive_entry_pathname(entry);
    enum err e;
    int fd;

    if (!path || !container_path_valid(path))
        return refuse(u, ERR_INVALID, "a file in it has a name that is not taken");
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
        return refuse(u, ERR_INVALID, "%s is no plain file", path);
    e = make_parents(u, path);
    if (e)
        return e;
    fd = openat(u->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return failed(u, path);
    e = copy_data(u, fd, path);
    if (close(fd) < 0 && !e)
        e = failed(u, path);
    return e;
}

static enum err unpack_all(struct unpack *u)
{
    struct archive_entry *entry;
    enum err e = ERR_OK;
    int status;

    while (!e && (status = archive_read_next_header(u->a, &entry)) != ARCHIVE_EOF)
        e = status == ARCHIVE_OK ? unpack_entry(u, entry)
                                 : refuse(u, ERR_INVALID, "%s", archive_error_string(u->a));
    if (!e && syncfs(u->dir) < 0)
        e = failed(u, "the directory");
    return e;
}

enum err unpack_tar(int fd, const char *dir, char why[UNPACK_WHY])
{
    struct unpack u = {.a = archive_read_new(), .dir = -1, .why = why};
    enum err e = ERR_OK;

    why[0] = '\0';
    if (!u.a)
        return ERR_NO_MEMORY;
    if (archive_read_support_format_tar(u.a) || archive_read_open_fd(u.a, fd, PIECE))
        e = refuse(&u, ERR_INVALID, "%s", archive_error_string(u.a));
    if (!e && mkdir(dir, 0777) < 0)
        e = failed(&u, dir);
    if (!e && (u.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        e = failed(&u, dir);
    if (!e)
        e = unpack_all(&u);
    if (u.dir >= 0)
        close(u.dir);
    archive_read_free(u.a);
    return e;
}
