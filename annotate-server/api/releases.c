/* Owns ordering, showing, protecting and deleting releases. Never builds one and never takes its
 * items away: that is annotate-export's work. */
#include "annotate-server/api/releases.h"

#include "annotate-server/api/query.h"
#include "core/filter.h"
#include "core/split.h"

static void put_release(struct buf *out, const PGresult *res, int row)
{
    static const struct {
        const char *name;
        void (*put)(struct buf *out, const PGresult *res, int row, int col);
    } columns[] = {{"id", put_int}, {"project", put_int}, {"name", put_str}, {"state", put_str},
        {"items", put_int}, {"root", put_hex}, {"splits", put_raw}, {"created_at", put_raw},
        {"error", put_str}, {"split", put_raw}, {"salt", put_str}, {"format", put_int},
        {"filter", put_raw}, {"group_by", put_str}, {"pin_by", put_str}, {"description", put_str},
        {"licence", put_str}, {"protected", put_bool}, {"warnings", put_raw}};

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

/* ---- ordering */

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

/* What is asked for; p NULL where nothing is said. */
struct order {
    struct str name, split, salt, filter, group_by, pin_by, description, licence;
    bool protected;
};

static struct str text_of(struct req *r, const char *member)
{
    struct json_object *given = body_get(r, member);

    if (!given)
        return (struct str){NULL, 0};
    return str_of(json_object_to_json_string_ext(given, JSON_C_TO_STRING_PLAIN));
}

static bool read_split(struct req *r, struct order *o)
{
    char pointer[128] = "", why[128] = "";
    struct split split;

    o->split = text_of(r, "split");
    if (!o->split.p)
        o->split = STR("{\"train\":0.8,\"val\":0.1,\"test\":0.1}");
    if (split_parse(&split, o->split, pointer, why)) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/split%s", pointer), "%s", why);
        return false;
    }
    return true;
}

/* The same grammar as a search's; what it takes is looked up when the release is built. */
static bool read_filter(struct req *r, struct order *o)
{
    struct filter_problem problem;
    struct filter filter;

    o->filter = text_of(r, "filter");
    if (!filter_parse(&filter, r->arena, body_get(r, "filter"), &problem))
        return true;
    req_fail(
        r, ERR_INVALID, arena_printf(r->arena, "/filter%s", problem.pointer), "%s", problem.why);
    return false;
}

static bool read_path(struct req *r, const char *member, struct str *out)
{
    if (!body_str(r, member, false, FILTER_PATH, out))
        return false;
    if (!out->p || filter_is_path(*out))
        return true;
    req_fail(r, ERR_INVALID, arena_printf(r->arena, "/%s", member),
        "a path is data.KEY or data.KEY.KEY…: up to 8 keys of letters, digits, _ and -");
    return false;
}

static bool read_order(struct req *r, struct order *o)
{
    static const char *const members[] = {"name", "split", "salt", "filter", "group_by", "pin_by",
        "description", "licence", "protected"};

    *o = (struct order){
        .salt = STR(""), .description = STR(""), .licence = STR(""), .protected = true};
    return body_only(r, members, ARRAY_LEN(members)) && body_str(r, "name", true, 200, &o->name) &&
           body_str(r, "salt", false, 200, &o->salt) &&
           body_str(r, "description", false, 10000, &o->description) &&
           body_str(r, "licence", false, 200, &o->licence) &&
           body_bool(r, "protected", &o->protected) && read_split(r, o) && read_filter(r, o) &&
           read_path(r, "group_by", &o->group_by) && read_path(r, "pin_by", &o->pin_by);
}

void release_create_handler(struct req *r)
{
    struct order o;

    if (!read_order(r, &o))
        return;
    struct query *q = query_new(r, STMT_release_create, on_ordered);
    q->failed = on_order_failed;
    query_int(q, r->id_arg[0]);
    query_text(q, o.name);
    query_text(q, o.split);
    query_text(q, o.salt);
    query_int(q, r->who.user);
    query_text(q, o.filter);
    query_text(q, o.group_by);
    query_text(q, o.pin_by);
    query_text(q, o.description);
    query_text(q, o.licence);
    query_bool(q, o.protected);
    query_run(q);
}

/* ---- protection and the end */

static void on_protected(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        reply_release(r, res, 200);
    else
        req_fail(r, ERR_CONFLICT, NULL, "the release is still being built, or was deleted");
}

void release_protect_handler(struct req *r)
{
    static const char *const members[] = {"protected"};
    bool on = true;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_bool(r, "protected", &on))
        return;
    if (!body_get(r, "protected")) {
        req_fail(r, ERR_INVALID, "/protected", "is missing");
        return;
    }
    struct query *q = query_new(r, STMT_release_protect, on_protected);
    query_int(q, r->id_arg[0]);
    query_bool(q, on);
    query_run(q);
}

static void on_deleted(struct req *r, const PGresult *res)
{
    if (db_get_bool(res, 0, 1))
        req_reply_empty(r, 204);
    else if (!db_get_bool(res, 0, 0))
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such release");
    else
        req_fail(r, ERR_CONFLICT, NULL,
            "the release is protected, or still being built; PATCH {\"protected\":false} first");
}

void release_delete_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_release_delete, on_deleted);

    query_int(q, r->id_arg[0]);
    query_run(q);
}
