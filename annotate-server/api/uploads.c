/* Owns making, showing and giving up uploads in parts. Never touches a blob. */
#include "annotate-server/api/uploads.h"

#include <inttypes.h>

#include "annotate-server/api/quota.h"
#include "storage/blob.h"

struct wanted {
    int64_t bytes;
    struct sha256 hash;
    bool has_hash;
    struct quota room;
};

static void answer(struct req *r, int status, struct str json)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_str(&out, json);
    req_reply_json(r, status, &out);
    buf_release(&out);
}

static void no_room(struct req *r, const struct quota *room)
{
    req_fail_extra(r, ERR_QUOTA, NULL, quota_members(r->arena, room),
        "the tenant may store %lld bytes and stores %lld; uploads that are open count, too",
        (long long)room->limit, (long long)room->used);
}

static void on_created(struct req *r, const PGresult *res)
{
    const struct wanted *w = r->user;

    if (!db_is_null(res, 0, 2))
        answer(r, 201, db_get_str(res, 0, 2));
    else if (db_get_bool(res, 0, 0))
        req_fail(r, ERR_CONFLICT, NULL, "you have %d open uploads; complete or delete some",
            UPLOADS_OPEN);
    else
        no_room(r, &w->room);
}

static void on_room(struct req *r, const PGresult *res)
{
    struct wanted *w = r->user;

    w->room = quota_room(res, 0, 0).bytes;
    if (!quota_allows(&w->room, w->bytes)) {
        no_room(r, &w->room);
        return;
    }
    struct query *q = query_new(r, STMT_upload_create, on_created);
    query_int(q, r->who.user);
    query_int(q, w->bytes);
    if (w->has_hash)
        query_bytes(q, w->hash.b, SHA256_LEN);
    else
        query_null(q);
    if (w->room.limit < 0)
        query_null(q);
    else
        query_int(q, w->room.limit - w->room.used);
    query_int(q, UPLOADS_OPEN);
    query_run(q);
}

void upload_create_handler(struct req *r)
{
    static const char *const members[] = {"bytes", "sha256"};
    struct wanted *w = arena_alloc(r->arena, sizeof(*w));
    struct str hex = {NULL, 0};

    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_int(r, "bytes", true, 1, (int64_t)PART_MAX * PARTS_MAX, &w->bytes) ||
        !body_str(r, "sha256", false, SHA256_HEX, &hex))
        return;
    w->has_hash = hex.p != NULL;
    if (w->has_hash && !sha256_parse(hex, &w->hash)) {
        req_fail(r, ERR_INVALID, "/sha256", "must be a SHA-256 in hex");
        return;
    }
    r->user = w;
    query_read(query_new(r, STMT_quota_room, on_room));
}

static void on_upload(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such upload");
    else
        answer(r, 200, db_get_str(res, 0, 0));
}

void upload_get_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_upload_get, on_upload);

    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_run(q);
}

static void on_dropped(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such upload");
    else
        req_reply_empty(r, 204);
}

void upload_drop_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_upload_drop, on_dropped);

    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_run(q);
}
