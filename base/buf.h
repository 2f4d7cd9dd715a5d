/* A growing byte buffer with a mandatory maximum (curl's dynbuf): no unbounded growth by
 * construction. After the first failure every further write is ignored and buf_err() keeps the
 * reason, so a writer may check once, at the end. `p` is NUL-terminated while there is content;
 * release with buf_release(). */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap, max;
    enum err err;
};

/* All maxima in one place, in bytes. */
enum {
    BUF_MAX_JSON = 1 << 20,   /* an API body */
    BUF_MAX_LABEL = 4 << 20,  /* a label document */
    BUF_MAX_REPLY = 32 << 20, /* an API answer: prefetched claims with their labels */
    BUF_MAX_PACK = 64 << 20,  /* one batch of blobs */
    BUF_MAX_BATCH = 64 << 20, /* parameters of one batched statement */
    BUF_MAX_LINE = 64 << 10,  /* a log line */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Empties it, keeps the memory and the maximum. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *z);
void buf_putc(struct buf *b, char c);
void buf_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* A JSON string with its quotes; control characters escaped; `s` must be valid UTF-8. */
void buf_json(struct buf *b, struct str s);
/* Lower-case hex. */
void buf_hex(struct buf *b, const void *p, size_t n);
/* Drops the last byte if it is `c` (the comma after the last element). */
void buf_chop(struct buf *b, char c);

static inline enum err buf_err(const struct buf *b)
{
    return b->err;
}

static inline struct str buf_view(const struct buf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}

#endif
