/* Owns the list of a source's files, and reading them. Unpacks nothing (file_set_archive.c). */
#include "formats/file_set.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "formats/file_set_list.h"

enum err file_set_fail(struct file_set *s, enum err e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s->why, FILE_SET_WHY, fmt, ap);
    va_end(ap);
    return e;
}

/* ---- names */

/* Every segment is one of this directory or below it. A backslash is a separator to some. */
static bool stays_inside(struct str name)
{
    struct str rest = name, part;

    if (name.n == 0 || memchr(name.p, '\\', name.n))
        return false;
    while (str_split(&rest, '/', &part))
        if (part.n == 0 || str_is(part, "..") || str_is(part, "."))
            return false;
    return true;
}

static bool is_clean(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    return utf8_valid(name) == name.n;
}

static bool is_hidden(struct str name)
{
    struct str rest = name, part;

    if (str_starts(name, STR("__MACOSX/")))
        return true;
    while (str_split(&rest, '/', &part))
        if (part.n && part.p[0] == '.')
            return true;
    return false;
}

enum err file_set_add(struct file_set *s, struct str name, int64_t off, int64_t bytes)
{
    if (name.n > FILE_SET_NAME)
        return file_set_fail(s, ERR_INVALID,
            "the file \"%.40s…\" has a name of more than %d bytes.", name.p, FILE_SET_NAME);
    if (!is_clean(name))
        return file_set_fail(s, ERR_INVALID,
            "file %zu has a name that is not UTF-8 or has control characters.", s->n + 1);
    if (!stays_inside(name))
        return file_set_fail(
            s, ERR_INVALID, "the name \"%.*s\" leads out of the data set.", STR_FMT(name));
    if (is_hidden(name)) {
        s->left_out++;
        return ERR_OK;
    }
    if (s->n == FILE_SET_FILES)
        return file_set_fail(s, ERR_TOO_LARGE, "there are more than %d files.", FILE_SET_FILES);
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->files = realloc(s->files, s->cap * sizeof(*s->files));
        BUG_ON(!s->files);
    }
    s->files[s->n++] = (struct file_set_entry){arena_str(s->arena, name), off, bytes};
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(
        ((const struct file_set_entry *)a)->name, ((const struct file_set_entry *)b)->name);
}

/* Bytes compared from the end: names with the same end lie side by side. */
static int cmp_backwards(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;

    for (size_t i = 1; i <= n; i++)
        if (a.p[a.n - i] != b.p[b.n - i])
            return (unsigned char)a.p[a.n - i] < (unsigned char)b.p[b.n - i] ? -1 : 1;
    return (a.n > b.n) - (a.n < b.n);
}

static int by_end(const void *a, const void *b, void *source)
{
    const struct file_set *s = source;

    return cmp_backwards(s->files[*(const size_t *)a].name, s->files[*(const size_t *)b].name);
}

static enum err put_in_order(struct file_set *s)
{
    if (s->n == 0)
        return file_set_fail(s, ERR_INVALID, "there is no file in it.");
    qsort(s->files, s->n, sizeof(*s->files), by_name);
    for (size_t i = 1; i < s->n; i++)
        if (str_eq(s->files[i - 1].name, s->files[i].name))
            return file_set_fail(
                s, ERR_INVALID, "the file \"%.*s\" is there twice.", STR_FMT(s->files[i].name));
    s->ends = calloc(s->n, sizeof(*s->ends));
    BUG_ON(!s->ends);
    for (size_t i = 0; i < s->n; i++)
        s->ends[i] = i;
    qsort_r(s->ends, s->n, sizeof(*s->ends), by_end, s);
    return ERR_OK;
}

size_t file_set_find(const struct file_set *s, struct str name)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(s->files[mid].name, name);
        if (order == 0)
            return mid;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return SIZE_MAX;
}

static bool ends_in(struct str path, struct str name)
{
    return path.n > name.n && path.p[path.n - name.n - 1] == '/' &&
           memcmp(path.p + path.n - name.n, name.p, name.n) == 0;
}

/* "/name" is a prefix of the backward names it ends: they follow where it would stand. */
size_t file_set_find_end(const struct file_set *s, struct str name, bool *several)
{
    size_t low = 0, high = s->n, exact = file_set_find(s, name);
    char with_slash[FILE_SET_NAME + 1];
    struct str end = {with_slash, name.n + 1};

    *several = false;
    if (exact != SIZE_MAX || name.n == 0 || name.n > FILE_SET_NAME)
        return exact;
    with_slash[0] = '/';
    memcpy(with_slash + 1, name.p, name.n);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (cmp_backwards(s->files[s->ends[mid]].name, end) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == s->n || !ends_in(s->files[s->ends[low]].name, name))
        return SIZE_MAX;
    *several = low + 1 < s->n && ends_in(s->files[s->ends[low + 1]].name, name);
    return *several ? SIZE_MAX : s->ends[low];
}

/* ---- a directory */

static int in_order(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum err walk(struct file_set *s, FTS *fts)
{
    size_t root = strlen(s->root) + 1;
    enum err e = ERR_OK;
    FTSENT *f;

    errno = 0;
    while (!e && (f = fts_read(fts))) {
        if (f->fts_info == FTS_D && f->fts_level > FTS_ROOTLEVEL && f->fts_name[0] == '.')
            fts_set(fts, f, FTS_SKIP);
        else if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS)
            e = file_set_fail(
                s, ERR_IO, "%s cannot be read: %s.", f->fts_path, strerror(f->fts_errno));
        else if (f->fts_info == FTS_F)
            e = file_set_add(s, str_of(f->fts_path + root), 0, f->fts_statp->st_size);
        else if (f->fts_info != FTS_D && f->fts_info != FTS_DP)
            s->left_out++;
    }
    return e;
}

static enum err list_directory(struct file_set *s, const char *path)
{
    char *roots[2] = {NULL, NULL};
    size_t n = strlen(path);
    FTS *fts;
    enum err e;

    while (n > 1 && path[n - 1] == '/')
        n--;
    roots[0] = s->root = arena_copy(s->arena, path, n);
    fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, in_order);
    if (!fts)
        return file_set_fail(s, ERR_IO, "%s cannot be read: %s.", path, strerror(errno));
    e = walk(s, fts);
    fts_close(fts);
    return e;
}

/* ---- opening */

static enum err list_file(struct file_set *s, const char *path, const struct stat *st)
{
    const char *base = strrchr(path, '/');
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is = false;
    enum err e;

    if (fd < 0)
        return file_set_fail(s, ERR_IO, "%s cannot be read: %s.", path, strerror(errno));
    e = file_set_unpack(s, fd, path, &is);
    if (e || is) {
        close(fd);
        return e;
    }
    s->fd = fd;
    return file_set_add(s, str_of(base ? base + 1 : path), 0, st->st_size);
}

enum err file_set_open(const char *path, struct file_set **out, char *why)
{
    struct file_set *s = calloc(1, sizeof(*s));
    struct stat st;
    enum err e;

    BUG_ON(!s);
    *s = (struct file_set){.arena = arena_new(), .fd = -1, .open = -1, .why = why};
    if (stat(path, &st) != 0)
        e = file_set_fail(s, ERR_IO, "%s cannot be read: %s.", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        e = list_directory(s, path);
    else if (S_ISREG(st.st_mode))
        e = list_file(s, path, &st);
    else
        e = file_set_fail(s, ERR_INVALID, "%s is neither a directory nor a file.", path);
    if (!e)
        e = put_in_order(s);
    if (e)
        file_set_close(s);
    else
        *out = s;
    return e;
}

enum err file_set_open_files(
    int fd, const struct file_set_entry *files, size_t n, struct file_set **out, char *why)
{
    struct file_set *s = calloc(1, sizeof(*s));
    enum err e = ERR_OK;

    BUG_ON(!s);
    *s = (struct file_set){.arena = arena_new(), .fd = fd, .open = -1, .why = why};
    for (size_t i = 0; !e && i < n; i++)
        e = file_set_add(s, files[i].name, files[i].off, files[i].bytes);
    if (!e)
        e = put_in_order(s);
    if (e)
        file_set_close(s);
    else
        *out = s;
    return e;
}

void file_set_close(struct file_set *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    if (s->open >= 0)
        close(s->open);
    free(s->files);
    free(s->ends);
    arena_free(s->arena);
    free(s);
}

size_t file_set_count(const struct file_set *s)
{
    return s->n;
}

const struct file_set_entry *file_set_at(const struct file_set *s, size_t i)
{
    return &s->files[i];
}

int64_t file_set_left_out(const struct file_set *s)
{
    return s->left_out;
}

/* ---- reading */

int file_set_fd(const struct file_set *s, size_t i, int64_t *off)
{
    char path[4096 + FILE_SET_NAME];
    struct stat st;
    int fd;

    *off = s->files[i].off;
    if (!s->root)
        return fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
    snprintf(path, sizeof(path), "%s/%.*s", s->root, STR_FMT(s->files[i].name));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

ssize_t file_set_read(struct file_set *s, size_t i, int64_t off, void *p, size_t n)
{
    const struct file_set_entry *f = &s->files[i];
    int64_t at, left = f->bytes - off;
    ssize_t got;

    if (left <= 0)
        return 0;
    if (s->root && (s->open < 0 || s->opened != i)) {
        if (s->open >= 0)
            close(s->open);
        s->open = file_set_fd(s, i, &at);
        s->opened = i;
        if (s->open < 0)
            return -1;
    }
    if ((int64_t)n > left)
        n = (size_t)left;
    do
        got = pread(s->root ? s->open : s->fd, p, n, f->off + off);
    while (got < 0 && errno == EINTR);
    return got;
}

enum err file_set_load(struct file_set *s, size_t i, struct buf *out)
{
    char piece[64 << 10];
    int64_t off = 0;
    ssize_t n;

    if (s->files[i].bytes > FILE_SET_PLAIN)
        return ERR_TOO_LARGE;
    while ((n = file_set_read(s, i, off, piece, sizeof(piece))) > 0) {
        buf_add(out, piece, (size_t)n);
        off += n;
    }
    return n < 0 || off != s->files[i].bytes ? ERR_IO : buf_err(out);
}
