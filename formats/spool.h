/* A spool: bytes written now and read later, in memory while they are few, on disk beyond that. The
 * file has no name, so it goes with the process. Blocking; one user at a time. */
#ifndef FORMATS_SPOOL_H
#define FORMATS_SPOOL_H

#include "base/buf.h"

enum { SPOOL_MEMORY = 256 << 10 };

struct spool {
    struct buf tail; /* not on disk yet; writers append here and call spool_settle() */
    int fd;          /* -1: nothing is on disk */
    int64_t on_disk;
};

void spool_init(struct spool *s);
void spool_release(struct spool *s);
/* Moves what has grown beyond SPOOL_MEMORY to disk; call after each record written to `tail`.
 * ERR_IO, ERR_UNAVAILABLE (no space), or buf_err(tail). */
enum err spool_settle(struct spool *s) MUSTCHECK;
int64_t spool_bytes(const struct spool *s);
/* Appends up to n bytes from off on. */
enum err spool_read(const struct spool *s, int64_t off, size_t n, struct buf *out) MUSTCHECK;

#endif
