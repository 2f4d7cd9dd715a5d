/* Owns the body of an import on disk: written while it is checked, read again when it is imported.
 * The file has no name, so it goes with the process. Disk is touched on work threads only. */
#include "annotate-server/api/task_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

static enum err io_error(const char *what)
{
    int code = errno;

    log_error("import_spool", "%s: %s", what, strerror(code));
    return code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_UNAVAILABLE : ERR_IO;
}

/* /var/tmp rather than /tmp, which may be memory. */
enum err import_spool_open(struct import_spool *s, struct import *im)
{
    const char *dir = secure_getenv("TMPDIR");
    char *name = arena_printf(im->r->arena, "%s/annotate-import-XXXXXX", dir ? dir : "/var/tmp");

    s->im = im;
    s->piece = arena_alloc(im->r->arena, IMPORT_PIECE);
    s->fd = mkostemp(name, O_CLOEXEC);
    if (s->fd < 0)
        return io_error(name);
    unlink(name);
    return ERR_OK;
}

void import_spool_close(struct import_spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static void ended(void *arg)
{
    struct import_spool *s = arg;

    s->busy = false;
    s->done(s->im);
}

static void start(struct import_spool *s, void (*work)(void *arg), void (*done)(struct import *im))
{
    const struct thread_ctx *ctx = s->im->r->ctx;

    BUG_ON(s->busy);
    s->busy = true;
    s->done = done;
    work_submit(ctx->server->work, ctx->loop, work, ended, s);
}

static void write_piece(void *arg)
{
    struct import_spool *s = arg;

    for (size_t done = 0; done < s->n && !s->err;) {
        ssize_t n = pwrite(s->fd, s->piece + done, s->n - done, s->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            s->err = io_error("writing");
            return;
        }
        done += (size_t)n;
        s->size += n;
    }
    s->n = 0;
}

bool import_spool_add(struct import_spool *s, struct str data)
{
    BUG_ON(s->busy || data.n > IMPORT_PIECE - s->n);
    memcpy(s->piece + s->n, data.p, data.n);
    s->n += data.n;
    return s->n > IMPORT_PIECE / 2;
}

void import_spool_flush(struct import_spool *s, void (*done)(struct import *im))
{
    start(s, write_piece, done);
}

static void read_piece(void *arg)
{
    struct import_spool *s = arg;
    ssize_t n;

    do
        n = pread(s->fd, s->piece, IMPORT_PIECE, s->at);
    while (n < 0 && errno == EINTR);
    s->n = n < 0 ? 0 : (size_t)n;
    s->at += (int64_t)s->n;
    if (n < 0)
        s->err = io_error("reading");
    else if (n == 0 && s->at != s->size)
        s->err = ERR_CORRUPT;
}

void import_spool_read(struct import_spool *s, void (*done)(struct import *im))
{
    start(s, read_piece, done);
}
