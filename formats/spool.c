/* Owns the disk under an export that is not written in the order it is read. */
#include "formats/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

enum { RECORD_MAX = 32 << 20 };

static enum err io_error(const char *what)
{
    int code = errno;

    log_error("spool", "%s: %s", what, strerror(code));
    return code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_UNAVAILABLE : ERR_IO;
}

void spool_init(struct spool *s)
{
    *s = (struct spool){.fd = -1};
    buf_init(&s->tail, RECORD_MAX);
}

void spool_release(struct spool *s)
{
    buf_release(&s->tail);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* /var/tmp rather than /tmp, which may be memory. */
static enum err open_file(struct spool *s)
{
    const char *dir = secure_getenv("TMPDIR");
    char name[4096];

    snprintf(name, sizeof(name), "%s/annotate-spool-XXXXXX", dir ? dir : "/var/tmp");
    s->fd = mkostemp(name, O_CLOEXEC);
    if (s->fd < 0)
        return io_error(name);
    unlink(name);
    return ERR_OK;
}

enum err spool_settle(struct spool *s)
{
    struct str left = buf_view(&s->tail);
    enum err e = buf_err(&s->tail);

    if (e || left.n < SPOOL_MEMORY)
        return e;
    if (s->fd < 0 && (e = open_file(s)))
        return e;
    while (left.n > 0) {
        ssize_t n = pwrite(s->fd, left.p, left.n, s->on_disk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error("write");
        s->on_disk += n;
        left.p += n;
        left.n -= (size_t)n;
    }
    buf_clear(&s->tail);
    return ERR_OK;
}

int64_t spool_bytes(const struct spool *s)
{
    return s->on_disk + (int64_t)s->tail.n;
}

enum err spool_read(const struct spool *s, int64_t off, size_t n, struct buf *out)
{
    char piece[64 << 10];

    while (n > 0 && off < s->on_disk) {
        size_t want = n < sizeof(piece) ? n : sizeof(piece);
        ssize_t got = pread(s->fd, piece, want, off);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return io_error("read");
        if (got > s->on_disk - off)
            got = (ssize_t)(s->on_disk - off);
        buf_add(out, piece, (size_t)got);
        off += got;
        n -= (size_t)got;
    }
    if (n > 0 && off - s->on_disk < (int64_t)s->tail.n) {
        size_t at = (size_t)(off - s->on_disk), rest = s->tail.n - at;
        buf_add(out, s->tail.p + at, n < rest ? n : rest);
    }
    return buf_err(out);
}
