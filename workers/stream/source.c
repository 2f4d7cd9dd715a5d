/* Owns the connection that events are read by, and its two cursors. Never writes to the database.
 */
#include "workers/stream/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/db.h"

/* A held cursor of the database, read in pieces. */
struct cursor {
    enum statement fetch, end;
    PGresult *piece;
    int row;
    bool open;
};

struct source {
    struct db_sync *db;
    struct arena *arena; /* parameters of the running call */
    struct cursor batch, items;
    PGresult *label, *release; /* what was handed out last */
    struct sha256 *assets;     /* of the item handed out last */
    size_t max_assets;
};

enum err source_open(struct source **out, const char *conninfo)
{
    struct source *s = calloc(1, sizeof(*s));
    enum err e;

    BUG_ON(!s);
    if ((e = db_sync_open(&s->db, conninfo, STATEMENT_STREAM))) {
        free(s);
        return e;
    }
    s->arena = arena_new();
    s->batch = (struct cursor){.fetch = STMT_stream_batch_fetch, .end = STMT_stream_batch_end};
    s->items = (struct cursor){.fetch = STMT_stream_items_fetch, .end = STMT_stream_items_end};
    *out = s;
    return ERR_OK;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    PQclear(s->batch.piece);
    PQclear(s->items.piece);
    PQclear(s->label);
    PQclear(s->release);
    arena_free(s->arena);
    db_sync_close(s->db);
    free(s->assets);
    free(s);
}

static struct db_call call_of(enum statement stmt)
{
    struct db_call c;

    db_call_init(&c, stmt, 0, NULL); /* no tenant: the workers' role reads across all */
    return c;
}

/* Runs a call whose parameters lie in the arena; *r NULL on error. */
static enum err run(struct source *s, struct db_call *c, PGresult **r)
{
    enum err e = db_sync_run(s->db, c, r);

    arena_free(s->arena);
    s->arena = arena_new();
    if (e) {
        PQclear(*r);
        *r = NULL;
    }
    return e;
}

/* --- cursors --- */

static enum err cursor_open(struct source *s, struct cursor *c, struct db_call *call)
{
    PGresult *r;
    enum err e = run(s, call, &r);

    PQclear(r);
    c->open = !e;
    return e;
}

/* Moves to the next row: *got, and c->piece at c->row - 1. */
static enum err cursor_next(struct source *s, struct cursor *c, bool *got)
{
    enum err e;

    *got = false;
    BUG_ON(!c->open);
    if (!c->piece || c->row == PQntuples(c->piece)) {
        struct db_call call = call_of(c->fetch);
        PQclear(c->piece);
        c->row = 0;
        if ((e = run(s, &call, &c->piece)))
            return e;
    }
    *got = c->row < PQntuples(c->piece);
    c->row += *got;
    return ERR_OK;
}

static enum err cursor_end(struct source *s, struct cursor *c)
{
    struct db_call call = call_of(c->end);
    PGresult *r;
    enum err e;

    PQclear(c->piece);
    c->piece = NULL;
    if (!c->open)
        return ERR_OK;
    c->open = false;
    e = run(s, &call, &r);
    PQclear(r);
    return e;
}

/* --- position --- */

static enum err alarm_at(const struct position *p, const char *what)
{
    log_error("stream_alarm",
        "%s. Nothing was sent, for going on could skip events in silence. Give the stream its "
        "database back, or start a new stream (another --topic-prefix, or another directory of "
        "the file sink). The stream stands at system %s, timeline %" PRId64 ", snapshot %.*s",
        what, p->system, p->timeline, STR_FMT(buf_view(&p->prev)));
    return ERR_CONFLICT;
}

enum err source_check(struct source *s, struct position *p)
{
    struct db_call c = call_of(STMT_stream_identity);
    PGresult *r;
    enum err e;

    db_text(&c, s->arena, buf_view(&p->prev));
    if (p->cur.n)
        db_text(&c, s->arena, buf_view(&p->cur));
    else
        db_null(&c);
    if ((e = run(s, &c, &r)))
        return e;
    struct str system = db_get_str(r, 0, 0);
    int64_t timeline = db_get_int(r, 0, 1);
    if (!*p->system) {
        snprintf(p->system, sizeof(p->system), "%.*s", STR_FMT(system));
        p->timeline = timeline;
    }
    if (db_get_bool(r, 0, 2))
        e = alarm_at(p, "The database is a standby");
    else if (!str_is(system, p->system))
        e = alarm_at(p, "The database is not the one that the stream was read from");
    else if (timeline != p->timeline)
        e = alarm_at(p, "The database has failed over to another timeline or been restored");
    else if (db_get_bool(r, 0, 3))
        e = alarm_at(p, "The stream is ahead of the database, which must have been restored");
    PQclear(r);
    return e;
}

enum err source_boundary(struct source *s, struct buf *snapshot, int64_t *now_us)
{
    struct db_call c = call_of(STMT_stream_boundary);
    PGresult *r;
    enum err e;

    if ((e = run(s, &c, &r)))
        return e;
    buf_clear(snapshot);
    buf_str(snapshot, db_get_str(r, 0, 0));
    *now_us = db_get_int(r, 0, 1);
    PQclear(r);
    return buf_err(snapshot);
}

/* --- events --- */

enum err source_batch(struct source *s, const struct position *p)
{
    struct db_call c = call_of(STMT_stream_batch);

    db_text(&c, s->arena, buf_view(&p->prev));
    db_text(&c, s->arena, buf_view(&p->cur));
    db_int(&c, s->arena, p->done);
    return cursor_open(s, &s->batch, &c);
}

static void read_row(const PGresult *r, int i, struct source_row *row)
{
    *row = (struct source_row){
        .seq = db_get_int(r, i, 0),
        .tenant = db_get_int(r, i, 1),
        .project = db_get_int(r, i, 2),
        .task = db_get_int(r, i, 3),
        .version = db_get_int(r, i, 4),
        .actor = db_get_int(r, i, 5),
        .assignment = db_get_int(r, i, 6),
        .assignment_version = db_get_int(r, i, 7),
        .label = db_get_int(r, i, 8),
        .release = db_get_int(r, i, 9),
        .action = db_get_str(r, i, 10),
        .from = db_get_str(r, i, 11),
        .to = db_get_str(r, i, 12),
        .at = db_get_str(r, i, 13),
        .at_us = db_get_int(r, i, 14),
        .detail = db_get_str(r, i, 15),
        .type = db_get_str(r, i, 16),
    };
}

enum err source_next(struct source *s, struct source_row *row, bool *got)
{
    enum err e = cursor_next(s, &s->batch, got);

    if (!e && *got)
        read_row(s->batch.piece, s->batch.row - 1, row);
    return e;
}

enum err source_batch_end(struct source *s)
{
    return cursor_end(s, &s->batch);
}

/* --- labels --- */

static enum err read_label(const PGresult *r, struct source_label *out)
{
    *out = (struct source_label){
        .id = db_get_int(r, 0, 0),
        .seq = db_get_int(r, 0, 1),
        .kind = db_get_str(r, 0, 2),
        .stage = db_get_str(r, 0, 3),
        .author = db_get_int(r, 0, 4),
        .model = db_get_str(r, 0, 5),
        .regions = db_get_int(r, 0, 6),
        .lead_time = db_get_str(r, 0, 7),
        .config = db_get_int(r, 0, 8),
        .off = db_get_int(r, 0, 11),
        .bytes = db_get_int(r, 0, 12),
        .external_id = db_get_str(r, 0, 13),
        .data = db_get_str(r, 0, 14),
    };
    if (out->id && (!sha256_parse(db_get_str(r, 0, 9), &out->sha256) ||
                       !pack_id_parse(db_get_str(r, 0, 10), &out->pack)))
        return ERR_CORRUPT;
    return ERR_OK;
}

enum err source_label(struct source *s, const struct source_row *row, struct source_label *out)
{
    struct db_call c = call_of(STMT_stream_label);
    enum err e;

    db_int(&c, s->arena, row->tenant);
    db_int(&c, s->arena, row->task);
    db_int(&c, s->arena, row->version);
    db_text(&c, s->arena, row->at);
    PQclear(s->label);
    if ((e = run(s, &c, &s->label)))
        return e;
    return PQntuples(s->label) ? read_label(s->label, out) : ERR_NOT_FOUND;
}

/* --- releases --- */

enum err source_release(struct source *s, const struct source_row *row, struct source_release *out)
{
    struct db_call c = call_of(STMT_stream_release);
    enum err e;

    db_int(&c, s->arena, row->tenant);
    db_int(&c, s->arena, row->release);
    PQclear(s->release);
    if ((e = run(s, &c, &s->release)))
        return e;
    if (PQntuples(s->release) == 0)
        return ERR_NOT_FOUND;
    *out = (struct source_release){
        .name = db_get_str(s->release, 0, 0),
        .items = db_get_int(s->release, 0, 1),
        .root = db_get_str(s->release, 0, 2),
        .split = db_get_str(s->release, 0, 3),
        .splits = db_get_str(s->release, 0, 4),
        .created_at = db_get_str(s->release, 0, 5),
        .format = db_get_int(s->release, 0, 6),
    };
    return ERR_OK;
}

enum err source_items(struct source *s, const struct source_row *row, int64_t from)
{
    struct db_call c = call_of(STMT_stream_items);

    db_int(&c, s->arena, row->tenant);
    db_int(&c, s->arena, row->release);
    db_int(&c, s->arena, from);
    return cursor_open(s, &s->items, &c);
}

/* "hash,hash,…" into s->assets. */
static enum err read_assets(struct source *s, struct str list, struct release_item *item)
{
    struct str part;

    item->nassets = 0;
    while (list.n && str_split(&list, ',', &part)) {
        if (item->nassets == s->max_assets) {
            s->max_assets = s->max_assets ? 2 * s->max_assets : 8;
            s->assets = reallocarray(s->assets, s->max_assets, sizeof(*s->assets));
            BUG_ON(!s->assets);
        }
        if (!sha256_parse(part, &s->assets[item->nassets++]))
            return ERR_CORRUPT;
    }
    item->assets = s->assets;
    return ERR_OK;
}

enum err source_next_item(struct source *s, struct release_item *item, bool *got)
{
    enum err e = cursor_next(s, &s->items, got);
    const PGresult *r = s->items.piece;
    int i = s->items.row - 1;

    if (e || !*got)
        return e;
    *item = (struct release_item){
        .key = db_get_str(r, i, 0),
        .label_id = db_get_int(r, i, 1),
        .split = db_get_str(r, i, 3),
    };
    if (!sha256_parse(db_get_str(r, i, 2), &item->label))
        return ERR_CORRUPT;
    return read_assets(s, db_get_str(r, i, 4), item);
}

enum err source_items_end(struct source *s)
{
    return cursor_end(s, &s->items);
}
