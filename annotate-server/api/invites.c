/* Owns invites: who may join, and where. The token is shown once; its hash is all that is stored.
 * Never replaces the password of a user who is there already: whoever holds the token, and that is
 * the inviter, too, must show it to join them. */
#include "annotate-server/api/listing.h"
#include "annotate-server/api/people.h"
#include "annotate-server/auth/gate.h"
#include "base/api_token.h"

enum { INVITE_PROJECTS = 100 };

/* ---- inviting */

struct invite {
    struct str email, name;
    struct db_array projects, roles;
    struct sha256 hash;
    char text[API_TOKEN_SIZE];
};

static void release(void *arg)
{
    struct invite *i = arg;

    db_array_release(&i->projects);
    db_array_release(&i->roles);
    explicit_bzero(i->text, sizeof(i->text));
}

static void on_created(struct req *r, const PGresult *res)
{
    struct invite *i = r->user;
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, r->who.admin ? ERR_NOT_FOUND : ERR_FORBIDDEN, "/projects", "%s",
            r->who.admin ? "there is no such project" : "you may invite to projects you manage");
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"id\":");
    put_int(&out, res, 0, 0);
    buf_puts(&out, ",\"email\":");
    put_str(&out, res, 0, 1);
    buf_puts(&out, ",\"created_at\":");
    put_raw(&out, res, 0, 2);
    buf_puts(&out, ",\"expires_at\":");
    put_raw(&out, res, 0, 3);
    buf_puts(&out, ",\"token\":");
    buf_json(&out, str_of(i->text));
    buf_putc(&out, '}');
    req_reply_json(r, 201, &out);
    buf_release(&out);
}

static void on_next(struct req *r, const PGresult *res)
{
    struct invite *i = r->user;
    int64_t id = db_get_int(res, 0, 0);

    i->hash = invite_token_make(r->who.tenant, id, i->text);
    struct query *q = query_new(r, STMT_invite_create, on_created);
    query_int(q, id);
    query_text(q, i->email);
    query_text(q, i->name);
    query_bytes(q, i->hash.b, SHA256_LEN);
    query_int(q, r->who.user);
    query_bool(q, r->who.admin);
    db_array_bind(&i->projects, &q->call);
    db_array_bind(&i->roles, &q->call);
    query_read(
        q); /* the answer holds a token: it is kept nowhere, with an Idempotency-Key or not */
}

/* One of `projects`: {"id", "role"}. */
static bool read_project(struct req *r, struct invite *i, struct json_object *item, size_t at)
{
    struct json_object *id, *role;
    enum role known;

    if (!json_object_is_type(item, json_type_object) || json_object_object_length(item) != 2 ||
        !json_object_object_get_ex(item, "id", &id) || !json_object_is_type(id, json_type_int) ||
        json_object_get_int64(id) < 1 || !json_object_object_get_ex(item, "role", &role) ||
        !json_object_is_type(role, json_type_string) ||
        !role_parse(str_of(json_object_get_string(role)), &known)) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/projects/%zu", at),
            "must be a project's id and a role");
        return false;
    }
    db_array_int(&i->projects, json_object_get_int64(id));
    db_array_text(&i->roles, str_of(role_name(known)));
    return true;
}

static bool twice(struct json_object *list, size_t at)
{
    struct json_object *id = json_object_object_get(json_object_array_get_idx(list, at), "id");

    for (size_t k = 0; k < at; k++)
        if (json_object_equal(json_object_object_get(json_object_array_get_idx(list, k), "id"), id))
            return true;
    return false;
}

static bool read_projects(struct req *r, struct invite *i)
{
    struct json_object *list = body_get(r, "projects");

    if (!list)
        return true;
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) > INVITE_PROJECTS) {
        req_fail(r, ERR_INVALID, "/projects", "must be a list of at most %d", INVITE_PROJECTS);
        return false;
    }
    for (size_t k = 0; k < json_object_array_length(list); k++) {
        if (!read_project(r, i, json_object_array_get_idx(list, k), k))
            return false;
        if (twice(list, k)) {
            req_fail(r, ERR_INVALID, arena_printf(r->arena, "/projects/%zu", k),
                "names a project again");
            return false;
        }
    }
    return true;
}

void invite_create_handler(struct req *r)
{
    static const char *const members[] = {"email", "name", "projects"};
    struct invite *i = arena_alloc(r->arena, sizeof(*i));

    db_array_init(&i->projects, DB_INT8);
    db_array_init(&i->roles, DB_TEXT);
    arena_defer(r->arena, release, i);
    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "email", true, 254, &i->email) ||
        !body_str(r, "name", false, 200, &i->name) || !read_projects(r, i))
        return;
    if (i->email.n < 3 || !memchr(i->email.p, '@', i->email.n)) {
        req_fail(r, ERR_INVALID, "/email", "must be an e-mail address");
        return;
    }
    if (i->name.p && i->name.n == 0) {
        req_fail(r, ERR_INVALID, "/name", "must not be empty");
        return;
    }
    r->user = i;
    query_read(query_new(r, STMT_invite_next, on_next));
}

/* ---- the list */

void invite_list_handler(struct req *r)
{
    static const struct column columns[] = {{"id", put_int}, {"email", put_str}, {"name", put_str},
        {"created_by", put_int}, {"created_at", put_raw}, {"expires_at", put_raw},
        {"expired", put_bool}, {"projects", put_raw}};
    int64_t after, limit;

    if (!page_params(r, &after, &limit))
        return;
    struct query *q =
        listing_new(r, STMT_invite_list, "invites", columns, ARRAY_LEN(columns), limit);
    query_int(q, r->who.user);
    query_bool(q, r->who.admin);
    query_int(q, after);
    query_int(q, limit);
    query_run(q);
}

static void on_revoked(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        req_reply_empty(r, 204);
    else
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such invite");
}

void invite_revoke_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_invite_revoke, on_revoked);

    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_bool(q, r->who.admin);
    query_run(q);
}
