/* How far the stream has come. It is kept by the sink, in the same transaction as the records, and
 * nowhere else.
 * A batch is the difference of two snapshots of the database, in the order of seq: what `cur` sees
 * and `prev` does not. That set never changes, so a batch can be read again after a crash and gone
 * on with behind `done` (I5). With no batch begun, `cur` is empty. The database's identity goes
 * with it: in another database, or after a failover or a restore, the same transaction numbers mean
 * other transactions. */
#ifndef WORKERS_STREAM_POSITION_H
#define WORKERS_STREAM_POSITION_H

#include "base/buf.h"
#include "base/err.h"

/* Sees nothing: transaction numbers start at 3. */
#define POSITION_START "3:3:"

struct position {
    struct buf prev, cur; /* pg_snapshot as text */
    int64_t done;         /* seq of the last event of the batch that is wholly out; 0: none */
    int64_t part;         /* records that are out of the release event behind `done` */
    int64_t generation;   /* counts the relay's starts */
    int64_t timeline;
    char system[48]; /* the cluster's identifier and the database's number; "" before the first
                        start */
};

/* At the very start of the database's events. */
void position_init(struct position *p);
void position_release(struct position *p);
void position_copy(struct position *to, const struct position *from);
/* The batch is out: what cur saw is done. */
void position_advance(struct position *p);

/* One line of JSON, and back. ERR_INVALID for any other text; p is unspecified then, but can be
 * released. */
void position_print(const struct position *p, struct buf *out);
enum err position_parse(struct position *p, struct str text) MUSTCHECK;

#endif
