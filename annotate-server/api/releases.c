/* Owns ordering and showing releases. Never builds one: that is annotate-export's work. */
#include "annotate-server/api/releases.h"

#include "annotate-server/api/query.h"
#include "core/split.h"

static void put_release(struct buf *out, const PGresult *res, int row)
{
    static const struct {
        const char *name;
        void (*put)(struct buf *out, const PGresult *res, int row, int col);
    } columns[] = {{"id", put_int}, {"project", put_int}, {"name", put_str}, {"state", put_str},
        {"items", put_int}, {"root", put_hex}, {"splits", put_raw}, {"created_at", put_raw},
        {"error", put_str}, {"split", put_raw}, {"salt", put_str}, {"format", put_int}};

    buf_putc(out, '{');
    for (int c = 0; c < (int)ARRAY_LEN(columns); c++) {
        buf_printf(out, "%s\"%s\":", c ? "," : "", columns[c].name);
        columns[c].put(out, res, row, c);
    }
    buf_putc(out, '}');
}

static void reply_release(struct req *r, const PGresult *res, int status)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such release");
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    put_release(&out, res, 0);
    req_reply_json(r, status, &out);
    buf_release(&out);
}

static void on_release(struct req *r, const PGresult *res)
{
    reply_release(r, res, 200);
}

void release_get_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_release_get, on_release);

    query_int(q, r->id_arg[0]);
    query_run(q);
}

static void on_releases(struct req *r, const PGresult *res)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"releases\":[");
    for (int i = 0; i < PQntuples(res); i++) {
        put_release(&out, res, i);
        buf_putc(&out, ',');
    }
    buf_chop(&out, ',');
    buf_puts(&out, "]}");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void release_list_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_release_list, on_releases);

    query_int(q, r->id_arg[0]);
    query_run(q);
}

static void on_ordered(struct req *r, const PGresult *res)
{
    reply_release(r, res, 202);
}

static void on_order_failed(struct req *r, enum err e)
{
    if (e == ERR_EXISTS)
        req_fail(r, e, "/name", "the project has a release of this name");
    else
        query_fail(r, e);
}

void release_create_handler(struct req *r)
{
    static const char *const members[] = {"name", "split", "salt"};
    struct str name = {NULL, 0}, salt = STR(""),
               text = STR("{\"train\":0.8,\"val\":0.1,\"test\":0.1}");
    char pointer[128] = "", why[128] = "";
    struct json_object *given;
    struct split split;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "name", true, 200, &name) ||
        !body_str(r, "salt", false, 200, &salt))
        return;
    given = body_get(r, "split");
    if (given)
        text = str_of(json_object_to_json_string_ext(given, JSON_C_TO_STRING_PLAIN));
    if (split_parse(&split, text, pointer, why)) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/split%s", pointer), "%s", why);
        return;
    }
    struct query *q = query_new(r, STMT_release_create, on_ordered);
    q->failed = on_order_failed;
    query_int(q, r->id_arg[0]);
    query_text(q, name);
    query_text(q, text);
    query_text(q, salt);
    query_int(q, r->who.user);
    query_run(q);
}
