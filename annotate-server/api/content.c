/* Owns reading label content off the loop. Never returns bytes that do not match their hash. */
#include "annotate-server/api/content.h"

#include "base/log.h"

struct reading {
    struct thread_ctx *ctx;
    int64_t tenant;
    struct content *items;
    size_t n;
    void (*done)(void *arg);
    void *arg;
};

static void release(void *arg)
{
    struct content *c = arg;

    buf_release(&c->text);
}

struct content *content_new(struct arena *a, size_t n)
{
    struct content *c = arena_array(a, n, sizeof(*c));

    for (size_t i = 0; i < n; i++) {
        buf_init(&c[i].text, BUF_MAX_LABEL);
        arena_defer(a, release, &c[i]);
    }
    return c;
}

bool content_locate(struct content *c, const PGresult *res, int row, int col)
{
    c->bytes = db_get_int(res, row, col + 1);
    c->off = db_get_int(res, row, col + 3);
    return db_get_bytes(res, row, col, c->sha256.b, SHA256_LEN) &&
           pack_id_parse(db_get_str(res, row, col + 2), &c->pack);
}

static void read_all(void *arg)
{
    struct reading *r = arg;

    for (size_t i = 0; i < r->n; i++) {
        struct content *c = &r->items[i];
        if (c->err)
            continue;
        c->err = pack_get(
            &r->ctx->server->blobs, r->tenant, c->pack, c->off, c->bytes, c->sha256, &c->text);
        if (c->err && c->err != ERR_GONE)
            log_error("label_read", "a label document: %s", err_title(c->err));
    }
}

static void read_done(void *arg)
{
    struct reading *r = arg;

    r->done(r->arg);
}

void content_read(struct thread_ctx *ctx, struct arena *a, int64_t tenant, struct content *items,
    size_t n, void (*done)(void *arg), void *arg)
{
    struct reading *r = arena_alloc(a, sizeof(*r));

    *r = (struct reading){ctx, tenant, items, n, done, arg};
    work_submit(ctx->server->work, ctx->loop, read_all, read_done, r);
}
