/* Owns the file sink: transactions as batches of a batch log (storage/batch_log.h). Never writes
 * before commit, so an abort has nothing to undo. */
#include <stdlib.h>

#include "storage/batch_log.h"
#include "workers/stream/sink.h"

struct file_sink {
    struct batch_log *log;
    struct buf lines;    /* of the transaction */
    struct buf position; /* found by open */
    int64_t records;
};

static void file_close(struct sink *s)
{
    struct file_sink *f = s->state;

    batch_log_close(f->log);
    buf_release(&f->lines);
    buf_release(&f->position);
    free(f);
}

static enum err file_open(struct sink *s)
{
    struct file_sink *f = calloc(1, sizeof(*f));
    enum err e;

    BUG_ON(!f);
    buf_init(&f->lines, BATCH_LOG_MAX - BUF_MAX_LABEL); /* room for the trailer */
    buf_init(&f->position, BUF_MAX_LABEL);
    s->state = f;
    e = batch_log_open(&f->log, s->where, BATCH_LOG_SEGMENT, &f->position);
    return e == ERR_IO ? ERR_UNAVAILABLE : e;
}

static enum err file_recover(struct sink *s, struct buf *position, bool *used)
{
    struct file_sink *f = s->state;

    *used = false; /* records without a position cannot be: they are one batch */
    buf_str(position, buf_view(&f->position));
    return buf_err(position);
}

static void file_abort(struct sink *s)
{
    struct file_sink *f = s->state;

    buf_clear(&f->lines);
    f->records = 0;
}

static enum err file_begin(struct sink *s)
{
    file_abort(s);
    return ERR_OK;
}

static enum err file_put(struct sink *s, const struct record *r)
{
    struct file_sink *f = s->state;
    enum err e = record_print(r, &f->lines);

    buf_putc(&f->lines, '\n');
    f->records++;
    return e ? e : buf_err(&f->lines);
}

static enum err file_commit(struct sink *s, struct str position)
{
    struct file_sink *f = s->state;
    enum err e = batch_log_append(f->log, buf_view(&f->lines), f->records, position);

    file_abort(s);
    return e == ERR_IO ? ERR_UNAVAILABLE : e;
}

const struct sink_backend sink_file = {
    .name = "file",
    .open = file_open,
    .recover = file_recover,
    .begin = file_begin,
    .put = file_put,
    .commit = file_commit,
    .abort = file_abort,
    .close = file_close,
};
