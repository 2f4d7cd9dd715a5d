/* Where events come from: the database, by the difference of two snapshots (docs/design.md §9).
 * Blocking, one connection. After any error but ERR_NOT_FOUND the connection is of no use: close
 * the source and open it again; nothing is lost, since batches can be read again. What a function
 * hands out is borrowed until the next call of the same function. */
#ifndef WORKERS_STREAM_SOURCE_H
#define WORKERS_STREAM_SOURCE_H

#include "base/hash.h"
#include "base/str.h"
#include "core/release_item.h"
#include "storage/pack.h"
#include "workers/stream/position.h"

struct source;

enum err source_open(struct source **out, const char *conninfo) MUSTCHECK;
void source_close(struct source *s); /* NULL is fine */

/* Checks that a position is one of this database, and fills in its identity when it has none yet.
 * ERR_CONFLICT when the database is another one, has failed over or been restored, lies behind the
 * position, or is a standby: the log says which, and what to do. */
enum err source_check(struct source *s, struct position *p) MUSTCHECK;

/* The snapshot of now, and the database's time in microseconds since 1970. */
enum err source_boundary(struct source *s, struct buf *snapshot, int64_t *now_us) MUSTCHECK;

/* A row of `event`. Numbers that are NULL are 0, texts "". */
struct source_row {
    int64_t seq, tenant, project, task, version, actor, assignment, assignment_version, label,
        release;
    struct str action, from, to;
    struct str at;     /* RFC 3339, UTC */
    int64_t at_us;     /* the same in microseconds since 1970 */
    struct str detail; /* JSON */
    struct str type;   /* detail.type of an event that is about no task */
};

/* Begins to read what lies between p->prev and p->cur behind p->done. Memory is bounded: rows come
 * in pieces. */
enum err source_batch(struct source *s, const struct position *p) MUSTCHECK;
/* *got false: the batch is at its end. */
enum err source_next(struct source *s, struct source_row *row, bool *got) MUSTCHECK;
enum err source_batch_end(struct source *s) MUSTCHECK;

/* The label of a task that became done, and its task. */
struct source_label {
    int64_t id; /* 0: the task has no label */
    int64_t seq, author, regions, config, off, bytes;
    struct str kind, stage, model, lead_time; /* lead_time: a JSON number, or "" */
    struct sha256 sha256;
    struct pack_id pack;
    struct str external_id;
    struct str data; /* JSON; "" when it is over 1 MiB */
};
/* ERR_NOT_FOUND: there is no such task. */
enum err source_label(
    struct source *s, const struct source_row *row, struct source_label *out) MUSTCHECK;

struct source_release {
    int64_t items, format; /* format: of the items' keys, docs/stream.md */
    struct str name, root, split, splits, created_at; /* root in hex; split, splits JSON */
};
/* ERR_NOT_FOUND: there is no such release, or it is not ready. */
enum err source_release(
    struct source *s, const struct source_row *row, struct source_release *out) MUSTCHECK;

/* Its items from number `from` on, in the order of the root hash. */
enum err source_items(struct source *s, const struct source_row *row, int64_t from) MUSTCHECK;
enum err source_next_item(struct source *s, struct release_item *item, bool *got) MUSTCHECK;
enum err source_items_end(struct source *s) MUSTCHECK;

#endif
