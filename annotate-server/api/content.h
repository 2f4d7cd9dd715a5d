/* Reading label documents out of packs, several at once, on a work thread. */
#ifndef API_CONTENT_H
#define API_CONTENT_H

#include "annotate-server/context.h"
#include "storage/pack.h"

struct content {
    struct pack_id pack; /* in */
    int64_t off, bytes;
    struct sha256 sha256;
    struct buf text; /* out; released with the arena */
    enum err err;
};

/* n contents in the arena, their buffers released with it. */
struct content *content_new(struct arena *a, size_t n);
/* From a result's columns sha256, bytes, pack, pack_off, which stand side by side from `col` on. */
bool content_locate(struct content *c, const PGresult *res, int row, int col);
/* Reads and verifies all (I6) but those that have an error already, then calls done(arg) on the
 * loop. n may be 0. */
void content_read(struct thread_ctx *ctx, struct arena *a, int64_t tenant, struct content *items,
    size_t n, void (*done)(void *arg), void *arg);

#endif
