/* An append-only log of batches of JSON lines in a directory: the file sink's store.
 * A batch is its lines and one trailer line {"batch":{"records":N,"sha256":"…","position":…}}; it
 * is one write and one fsync, and lies in one segment. A batch without its whole, matching trailer
 * does not exist: what a crash tore is cut off by the next writer and never shown to a reader, so
 * lines and position become durable together (I5). Segments are NNNNNNNNNN.jsonl, from 1 upwards.
 * One writer at a time (a lock on DIR/lock), any number of readers. All calls block. */
#ifndef STORAGE_BATCH_LOG_H
#define STORAGE_BATCH_LOG_H

#include "base/buf.h"
#include "base/err.h"

enum {
    BATCH_LOG_MAX = 64 << 20,     /* bytes of one batch with its trailer */
    BATCH_LOG_SEGMENT = 64 << 20, /* a segment that has reached this is not appended to */
};

struct batch_log;

/* Makes the directory (its parent must exist), takes the lock, cuts a torn tail and appends the
 * position of the last batch to `position` (nothing: the log is empty). ERR_CONFLICT: another
 * writer has the lock. ERR_CORRUPT: a batch that others follow does not match its hash; nothing was
 * changed. ERR_IO. Logs why. */
enum err batch_log_open(
    struct batch_log **out, const char *dir, int64_t segment_bytes, struct buf *position) MUSTCHECK;

/* `lines`: records, each ending in a newline. `position`: JSON on one line. ERR_OK: durable. On
 * ERR_IO or ERR_UNAVAILABLE (no space) the log is as it was before. ERR_FULL: over BATCH_LOG_MAX.
 */
enum err batch_log_append(
    struct batch_log *l, struct str lines, int64_t records, struct str position) MUSTCHECK;
void batch_log_close(struct batch_log *l); /* NULL is fine */

/* Reads from the first batch on. */
struct batch_reader {
    char *dir;
    int fd;
    int64_t segment; /* its number */
    int64_t off;     /* where the next batch starts */
    struct buf buf;  /* from off on */
    size_t used;     /* bytes of buf that the batch shown last takes */
};

/* ERR_NOT_FOUND when there is no such directory or no segment in it yet. */
enum err batch_reader_open(struct batch_reader *r, const char *dir) MUSTCHECK;
/* *got: a batch; its lines and position are borrowed until the next call. Not *got: there is no
 * further batch for now. ERR_CORRUPT, ERR_IO, ERR_FULL. */
enum err batch_reader_next(
    struct batch_reader *r, struct str *lines, struct str *position, bool *got) MUSTCHECK;
void batch_reader_close(struct batch_reader *r);

#endif
