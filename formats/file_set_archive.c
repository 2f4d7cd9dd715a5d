/* Owns unpacking an archive into a file without a name. Only zip and tar, plain, gzip or zstd:
 * libarchive's other readers are not linked to. Sizes are counted, never believed; an entry is a
 * regular file or left out. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "formats/file_set_list.h"

enum { PIECE = 256 << 10, FREE_BYTES = 1 << 20 };

struct unpack {
    struct file_set *s;
    struct archive *a;
    const char *path;
    int64_t limit, total; /* bytes out: at most, so far */
    char *piece;
};

static enum err open_spool(struct file_set *s)
{
    const char *dir = secure_getenv("TMPDIR");
    char name[4096];

    snprintf(name, sizeof(name), "%s/annotate-import-XXXXXX", dir ? dir : "/var/tmp");
    s->fd = mkostemp(name, O_CLOEXEC);
    if (s->fd < 0)
        return file_set_fail(s, ERR_IO, "%s cannot be made: %s.", name, strerror(errno));
    unlink(name);
    return ERR_OK;
}

static enum err write_all(struct file_set *s, const char *p, size_t n, int64_t off)
{
    while (n > 0) {
        ssize_t k = pwrite(s->fd, p, n, off);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return file_set_fail(s, ERR_IO, "there is no room to unpack it: %s.", strerror(errno));
        p += k, off += k;
        n -= (size_t)k;
    }
    return ERR_OK;
}

static enum err broken(struct unpack *u)
{
    const char *why = archive_error_string(u->a);

    return file_set_fail(
        u->s, ERR_INVALID, "%s is damaged: %.300s.", u->path, why ? why : "it ends in the middle");
}

static enum err unpack_entry(struct unpack *u, struct str name)
{
    int64_t from = u->total;
    enum err e = ERR_OK;
    la_ssize_t n;

    while (!e && (n = archive_read_data(u->a, u->piece, PIECE)) != 0) {
        if (n < 0) /* a warning too: what it gave may not be what was put in */
            return broken(u);
        if (u->total + n > u->limit)
            return file_set_fail(u->s, ERR_TOO_LARGE,
                "%s unpacks to more than %lld bytes, %d times its size: that is no data set.",
                u->path, (long long)u->limit, FILE_SET_RATIO);
        e = write_all(u->s, u->piece, (size_t)n, u->total);
        u->total += n;
    }
    return e ? e : file_set_add(u->s, name, from, u->total - from);
}

static enum err next_entry(struct unpack *u, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    struct str path;

    if (!name) /* in no encoding that could be read */
        return file_set_fail(
            u->s, ERR_INVALID, "%s has a file whose name cannot be read as UTF-8.", u->path);
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return ERR_OK;
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry)) {
        u->s->left_out++;
        return ERR_OK;
    }
    path = str_of(name);
    while (str_starts(path, STR("./"))) {
        path.p += 2;
        path.n -= 2;
    }
    return unpack_entry(u, path);
}

static enum err unpack(struct unpack *u, bool *is)
{
    struct archive_entry *entry;
    enum err e = ERR_OK;
    int r;

    while (!e && (r = archive_read_next_header(u->a, &entry)) != ARCHIVE_EOF) {
        if (r < ARCHIVE_WARN)
            return *is ? broken(u) : ERR_OK; /* at the first: no archive */
        if (!*is) {
            *is = true;
            e = open_spool(u->s);
        }
        if (!e)
            e = next_entry(u, entry);
    }
    return e;
}

/* What says of itself that it is one, so that a damaged one is not taken for something else. */
static bool has_magic(int fd)
{
    static const struct {
        size_t at;
        struct str bytes;
    } rows[] = {{0, {"PK\3\4", 4}}, {0, {"PK\5\6", 4}}, {0, {"\x1f\x8b", 2}},
        {0, {"\x28\xb5\x2f\xfd", 4}}, {257, {"ustar", 5}}};
    char head[512];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (n >= (ssize_t)(rows[i].at + rows[i].bytes.n) &&
            memcmp(head + rows[i].at, rows[i].bytes.p, rows[i].bytes.n) == 0)
            return true;
    return false;
}

enum err file_set_unpack(struct file_set *s, int fd, const char *path, bool *is)
{
    struct unpack u = {.s = s, .a = archive_read_new(), .path = path};
    int64_t size = lseek(fd, 0, SEEK_END);
    enum err e = ERR_OK;

    *is = has_magic(fd);
    u.limit = size * FILE_SET_RATIO;
    if (u.limit < FREE_BYTES)
        u.limit = FREE_BYTES;
    if (u.limit > FILE_SET_BYTES)
        u.limit = FILE_SET_BYTES;
    u.piece = malloc(PIECE);
    BUG_ON(!u.a || !u.piece);
    archive_read_support_filter_gzip(u.a);
    archive_read_support_filter_zstd(u.a);
    archive_read_support_format_zip(u.a);
    archive_read_support_format_tar(u.a);
    if (*is) {
        bool any = false;
        if (lseek(fd, 0, SEEK_SET) != 0 || archive_read_open_fd(u.a, fd, PIECE) != ARCHIVE_OK)
            e = broken(&u);
        else
            e = unpack(&u, &any);
        if (!e && !any)
            e = broken(&u);
    }
    archive_read_free(u.a);
    free(u.piece);
    return e;
}
