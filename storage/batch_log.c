/* Owns the segments of a batch log. Never shows a batch whose trailer is missing or wrong, and
 * never cuts one that is good. */
#include "storage/batch_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"

#define TRAILER_START "{\"batch\":{\"records\":"
#define TRAILER_HASH  ",\"sha256\":\""
#define TRAILER_POS   "\",\"position\":"
#define TRAILER_END   "}}"

enum { READ_STEP = 256 << 10, SEGMENT_DIGITS = 10 };

struct batch_log {
    char *dir;
    int lock, fd;
    int64_t segment, size, segment_bytes;
    struct buf batch;
};

static struct sha256 batch_hash(struct str lines, struct str position)
{
    const struct str parts[] = {lines, position};

    return sha256_parts(parts, ARRAY_LEN(parts));
}

static void segment_path(const char *dir, int64_t segment, char *out, size_t size)
{
    snprintf(out, size, "%s/%0*" PRId64 ".jsonl", dir, SEGMENT_DIGITS, segment);
}

static int segment_open(const char *dir, int64_t segment, int flags)
{
    char path[PATH_MAX];

    segment_path(dir, segment, path, sizeof(path));
    return open(path, flags | O_CLOEXEC, 0640);
}

static bool segment_exists(const char *dir, int64_t segment)
{
    char path[PATH_MAX];

    segment_path(dir, segment, path, sizeof(path));
    return access(path, F_OK) == 0;
}

/* The lowest and the highest segment; both 0 when there is none. */
static enum err segment_range(const char *dir, int64_t *low, int64_t *high)
{
    DIR *d = opendir(dir);

    *low = *high = 0;
    if (!d)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    for (struct dirent *entry; (entry = readdir(d));) {
        struct str rest = str_of(entry->d_name), digits;
        int64_t n;
        str_split(&rest, '.', &digits);
        if (!str_is(rest, "jsonl") || digits.n != SEGMENT_DIGITS || !str_int(digits, &n) || n < 1)
            continue;
        *low = *low == 0 || n < *low ? n : *low;
        *high = n > *high ? n : *high;
    }
    closedir(d);
    return ERR_OK;
}

/* --- the trailer --- */

static bool take(struct str *s, const char *text)
{
    struct str want = str_of(text);

    if (!str_starts(*s, want))
        return false;
    s->p += want.n;
    s->n -= want.n;
    return true;
}

static bool is_trailer(struct str line)
{
    return str_starts(line, STR(TRAILER_START));
}

static int64_t count_lines(struct str lines)
{
    int64_t n = 0;

    for (struct str rest = lines, line; rest.n && str_split(&rest, '\n', &line);)
        n++;
    return n;
}

/* True when `line` is the trailer that belongs to `lines`. */
static bool trailer_matches(struct str line, struct str lines, struct str *position)
{
    struct str digits;
    int64_t records;
    struct sha256 hash;

    if (!take(&line, TRAILER_START))
        return false;
    digits = (struct str){line.p, 0};
    while (digits.n < line.n && line.p[digits.n] >= '0' && line.p[digits.n] <= '9')
        digits.n++;
    line = (struct str){line.p + digits.n, line.n - digits.n};
    if (!str_int(digits, &records) || !take(&line, TRAILER_HASH) || line.n < SHA256_HEX ||
        !sha256_parse((struct str){line.p, SHA256_HEX}, &hash))
        return false;
    line = (struct str){line.p + SHA256_HEX, line.n - SHA256_HEX};
    if (!take(&line, TRAILER_POS) || line.n <= strlen(TRAILER_END) ||
        memcmp(line.p + line.n - strlen(TRAILER_END), TRAILER_END, strlen(TRAILER_END)) != 0)
        return false;
    *position = (struct str){line.p, line.n - strlen(TRAILER_END)};
    return count_lines(lines) == records && sha256_eq(batch_hash(lines, *position), hash);
}

static void trailer_print(struct buf *out, struct str lines, int64_t records, struct str position)
{
    struct sha256 hash = batch_hash(lines, position);

    buf_puts(out, TRAILER_START);
    buf_int(out, records);
    buf_puts(out, TRAILER_HASH);
    buf_hex(out, hash.b, sizeof(hash.b));
    buf_puts(out, TRAILER_POS);
    buf_str(out, position);
    buf_puts(out, TRAILER_END "\n");
}

/* --- reading --- */

enum err batch_reader_open(struct batch_reader *r, const char *dir)
{
    int64_t high;
    enum err e;

    *r = (struct batch_reader){.fd = -1};
    buf_init(&r->buf, BATCH_LOG_MAX);
    if ((e = segment_range(dir, &r->segment, &high)))
        return e;
    if (high == 0)
        return ERR_NOT_FOUND;
    r->dir = strdup(dir);
    BUG_ON(!r->dir);
    r->fd = segment_open(dir, r->segment, O_RDONLY);
    return r->fd < 0 ? ERR_IO : ERR_OK;
}

void batch_reader_close(struct batch_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    buf_release(&r->buf);
    free(r->dir);
    *r = (struct batch_reader){.fd = -1};
}

/* Reads on behind what the buffer holds; *n is 0 at the end of the segment. */
static enum err read_more(struct batch_reader *r, size_t *n)
{
    char *step = malloc(READ_STEP);
    ssize_t got;

    BUG_ON(!step);
    do
        got = pread(r->fd, step, READ_STEP, r->off + (int64_t)r->buf.n);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        buf_add(&r->buf, step, (size_t)got);
    free(step);
    *n = got > 0 ? (size_t)got : 0;
    return got < 0 ? ERR_IO : buf_err(&r->buf);
}

/* Finds the first trailer line at or after *at in the buffer, reading as far as needed. */
static enum err find_trailer(struct batch_reader *r, size_t *at, struct str *line, bool *found)
{
    size_t scanned = *at, n;
    enum err e;

    *found = false;
    for (;;) {
        char *nl = r->buf.n > scanned ? memchr(r->buf.p + scanned, '\n', r->buf.n - scanned) : NULL;
        if (!nl) {
            scanned = r->buf.n;
            if ((e = read_more(r, &n)) || n == 0)
                return e;
            continue;
        }
        *line = (struct str){r->buf.p + *at, (size_t)(nl - r->buf.p) - *at};
        scanned = (size_t)(nl - r->buf.p) + 1;
        if (is_trailer(*line)) {
            *found = true;
            return ERR_OK;
        }
        *at = scanned;
    }
}

/* A wrong batch at the very end was torn; one that anything follows was damaged later. */
static enum err judge_bad(struct batch_reader *r, size_t end)
{
    size_t n = 0;
    enum err e = r->buf.n > end ? ERR_OK : read_more(r, &n);

    if (e)
        return e;
    if (r->buf.n > end || segment_exists(r->dir, r->segment + 1)) {
        log_error("batch_log", "%s: segment %" PRId64 " is damaged at byte %" PRId64, r->dir,
            r->segment, r->off);
        return ERR_CORRUPT;
    }
    return ERR_OK;
}

/* The next segment, if this one is read to its end and there is one. */
static enum err next_segment(struct batch_reader *r, bool *moved)
{
    *moved = false;
    if (!segment_exists(r->dir, r->segment + 1))
        return ERR_OK;
    if (r->buf.n) {
        log_error("batch_log", "%s: segment %" PRId64 " does not end in a whole batch", r->dir,
            r->segment);
        return ERR_CORRUPT;
    }
    int fd = segment_open(r->dir, r->segment + 1, O_RDONLY);
    if (fd < 0)
        return ERR_IO;
    close(r->fd);
    r->fd = fd;
    r->segment++;
    r->off = 0;
    *moved = true;
    return ERR_OK;
}

/* Drops the batch shown last from the buffer. */
static void drop_used(struct batch_reader *r)
{
    size_t used = r->used;

    if (!used)
        return;
    memmove(r->buf.p, r->buf.p + used, r->buf.n - used);
    r->buf.n -= used;
    r->off += (int64_t)used;
    r->used = 0;
}

enum err batch_reader_next(
    struct batch_reader *r, struct str *lines, struct str *position, bool *got)
{
    struct str line;
    bool found, moved;
    size_t at;
    enum err e;

    *got = false;
    drop_used(r);
    do {
        at = 0;
        if ((e = find_trailer(r, &at, &line, &found)))
            return e;
        if (!found && (e = next_segment(r, &moved)))
            return e;
    } while (!found && moved);
    if (!found) { /* a torn or unfinished tail may yet be cut and written anew: forget it */
        buf_clear(&r->buf);
        return ERR_OK;
    }
    size_t end = at + line.n + 1;
    *lines = (struct str){r->buf.p, at};
    if (!trailer_matches(line, *lines, position)) {
        e = judge_bad(r, end);
        buf_clear(&r->buf);
        return e;
    }
    r->used = end;
    *got = true;
    return ERR_OK;
}

/* --- writing --- */

static enum err io_error(const struct batch_log *l, const char *what)
{
    int err = errno;

    log_error("batch_log", "%s: %s: %s", l->dir, what, strerror(err));
    return err == ENOSPC || err == EDQUOT ? ERR_UNAVAILABLE : ERR_IO;
}

static enum err sync_dir(const struct batch_log *l)
{
    int fd = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0) {
        enum err e = io_error(l, "syncing the directory");
        if (fd >= 0)
            close(fd);
        return e;
    }
    close(fd);
    return ERR_OK;
}

static enum err take_lock(struct batch_log *l)
{
    char path[PATH_MAX];

    if (mkdir(l->dir, 0750) < 0 && errno != EEXIST)
        return io_error(l, "making the directory");
    snprintf(path, sizeof(path), "%s/lock", l->dir);
    l->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (l->lock < 0)
        return io_error(l, "opening the lock");
    if (flock(l->lock, LOCK_EX | LOCK_NB) < 0) {
        log_error("batch_log", "%s: another process writes this log", l->dir);
        return ERR_CONFLICT;
    }
    return ERR_OK;
}

static enum err create_segment(struct batch_log *l, int64_t segment)
{
    int fd = segment_open(l->dir, segment, O_RDWR | O_CREAT | O_EXCL);
    enum err e;

    if (fd < 0)
        return io_error(l, "making a segment");
    if ((e = sync_dir(l))) {
        close(fd);
        return e;
    }
    if (l->fd >= 0)
        close(l->fd);
    l->fd = fd;
    l->segment = segment;
    l->size = 0;
    return ERR_OK;
}

/* Reads segment number `segment` and those after it to the end. */
static enum err read_tail(struct batch_log *l, int64_t segment, struct buf *position)
{
    struct batch_reader r = {.fd = segment_open(l->dir, segment, O_RDONLY), .segment = segment};
    struct str lines, at;
    bool got = true;
    enum err e = ERR_OK;

    if (r.fd < 0)
        return io_error(l, "opening a segment");
    r.dir = strdup(l->dir);
    BUG_ON(!r.dir);
    buf_init(&r.buf, BATCH_LOG_MAX);
    while (!e && got) {
        e = batch_reader_next(&r, &lines, &at, &got);
        if (!e && got) {
            buf_clear(position);
            buf_str(position, at);
        }
    }
    l->segment = r.segment;
    l->size = r.off;
    batch_reader_close(&r);
    return e ? e : buf_err(position);
}

/* Finds the end of the last good batch and cuts what stands behind it. */
static enum err recover(struct batch_log *l, struct buf *position)
{
    int64_t low, high;
    enum err e;

    if ((e = segment_range(l->dir, &low, &high)))
        return e;
    if (high == 0)
        return create_segment(l, 1);
    /* The last segment may have been made just before the crash and hold no batch yet. */
    if ((e = read_tail(l, high, position)))
        return e;
    if (position->n == 0 && high > low && (e = read_tail(l, high - 1, position)))
        return e;
    l->fd = segment_open(l->dir, l->segment, O_RDWR);
    if (l->fd < 0)
        return io_error(l, "opening the last segment");
    if (ftruncate(l->fd, l->size) < 0 || fsync(l->fd) < 0)
        return io_error(l, "cutting a torn batch");
    return ERR_OK;
}

enum err batch_log_open(
    struct batch_log **out, const char *dir, int64_t segment_bytes, struct buf *position)
{
    struct batch_log *l = calloc(1, sizeof(*l));
    enum err e;

    BUG_ON(!l);
    l->dir = strdup(dir);
    BUG_ON(!l->dir);
    l->lock = l->fd = -1;
    l->segment_bytes = segment_bytes;
    buf_init(&l->batch, BATCH_LOG_MAX);
    if ((e = take_lock(l)) || (e = recover(l, position))) {
        batch_log_close(l);
        return e;
    }
    *out = l;
    return ERR_OK;
}

void batch_log_close(struct batch_log *l)
{
    if (!l)
        return;
    if (l->fd >= 0)
        close(l->fd);
    if (l->lock >= 0)
        close(l->lock);
    buf_release(&l->batch);
    free(l->dir);
    free(l);
}

static bool write_all(int fd, struct str data, int64_t off)
{
    while (data.n) {
        ssize_t n = pwrite(fd, data.p, data.n, off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data = (struct str){data.p + n, data.n - (size_t)n};
        off += n;
    }
    return true;
}

enum err batch_log_append(
    struct batch_log *l, struct str lines, int64_t records, struct str position)
{
    enum err e;

    if (l->size >= l->segment_bytes && (e = create_segment(l, l->segment + 1)))
        return e;
    buf_clear(&l->batch);
    buf_str(&l->batch, lines);
    trailer_print(&l->batch, lines, records, position);
    if ((e = buf_err(&l->batch)))
        return e;
    /* After a failed fsync the kernel may count the pages as written: cutting them off makes the
     * next try write them again. */
    if (!write_all(l->fd, buf_view(&l->batch), l->size) || fdatasync(l->fd) < 0) {
        e = io_error(l, "appending a batch");
        if (ftruncate(l->fd, l->size) < 0)
            (void)io_error(l, "cutting a failed batch");
        return e;
    }
    l->size += (int64_t)l->batch.n;
    return ERR_OK;
}
