/* Owns users and API tokens. Never gives out a password hash, nor a token a second time. */
#include "annotate-server/api/people.h"

#include "annotate-server/api/listing.h"
#include "annotate-server/auth/gate.h"
#include "base/api_token.h"
#include "base/password.h"

static void on_me(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_UNAUTHENTICATED, NULL, "this account is gone");
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    buf_str(&out, db_get_str(res, 0, 0));
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void me_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_user_get, on_me);

    query_int(q, r->who.user);
    query_run(q);
}

/* ---- users */

void user_list_handler(struct req *r)
{
    static const struct column columns[] = {
        {"id", put_int}, {"email", put_str}, {"name", put_str}, {"admin", put_bool}};
    bool disabled = false;
    int64_t after, limit;

    if (!page_params(r, &after, &limit) || !flag_param(r, "disabled", &disabled))
        return;
    struct query *q = listing_new(r, STMT_user_list, "users", columns, ARRAY_LEN(columns), limit);
    query_int(q, after);
    query_int(q, limit);
    query_bool(q, disabled);
    query_run(q);
}

struct new_user {
    struct req *r;
    struct str email, name;
    char *password;
    char hash[PASSWORD_HASH_SIZE];
    bool admin;
    enum err err;
};

static void wipe(void *arg)
{
    struct new_user *u = arg;

    explicit_bzero(u->password, strlen(u->password));
}

static void on_user_created(struct req *r, const PGresult *res)
{
    struct new_user *u = r->user;
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"id\":");
    put_int(&out, res, 0, 0);
    buf_puts(&out, ",\"email\":");
    put_str(&out, res, 0, 1);
    buf_puts(&out, ",\"name\":");
    buf_json(&out, u->name);
    buf_printf(&out, ",\"admin\":%s}", u->admin ? "true" : "false");
    req_reply_json(r, 201, &out);
    buf_release(&out);
}

static void on_user_failed(struct req *r, enum err e)
{
    if (e == ERR_EXISTS)
        req_fail(r, e, "/email", "there is a user with this e-mail address");
    else
        query_fail(r, e);
}

static void hash_password(void *arg)
{
    struct new_user *u = arg;

    u->err = password_hash(u->password, u->hash, sizeof(u->hash));
}

static void hashed(void *arg)
{
    struct new_user *u = arg;

    if (u->err) {
        req_fail(u->r, ERR_INVALID, "/password", PASSWORD_RULE);
        return;
    }
    struct query *q = query_new(u->r, STMT_user_create, on_user_created);
    q->failed = on_user_failed;
    query_text(q, u->email);
    query_text(q, u->name);
    query_text(q, str_of(u->hash));
    query_bool(q, u->admin);
    query_run(q);
}

void user_create_handler(struct req *r)
{
    static const char *const members[] = {"email", "name", "password", "admin"};
    struct new_user *u = arena_alloc(r->arena, sizeof(*u));
    struct str password = {NULL, 0};

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "email", true, 254, &u->email) ||
        !body_str(r, "name", true, 200, &u->name) ||
        !body_str(r, "password", true, PASSWORD_MAX, &password) ||
        !body_bool(r, "admin", &u->admin))
        return;
    if (u->email.n < 3 || !memchr(u->email.p, '@', u->email.n)) {
        req_fail(r, ERR_INVALID, "/email", "must be an e-mail address");
        return;
    }
    u->r = r;
    u->password = arena_copy(r->arena, password.p, password.n);
    arena_defer(r->arena, wipe, u);
    r->user = u;
    work_submit(r->ctx->server->work, r->loop, hash_password, hashed, u);
}

/* ---- API tokens */

struct new_token {
    struct str name;
    struct sha256 hash;
    char text[API_TOKEN_SIZE];
};

static void on_token_created(struct req *r, const PGresult *res)
{
    struct new_token *t = r->user;
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"id\":");
    put_int(&out, res, 0, 0);
    buf_puts(&out, ",\"name\":");
    buf_json(&out, t->name);
    buf_puts(&out, ",\"token\":");
    buf_json(&out, str_of(t->text));
    buf_putc(&out, '}');
    req_reply_json(r, 201, &out);
    explicit_bzero(t->text, sizeof(t->text));
    buf_release(&out);
}

static void on_token_id(struct req *r, const PGresult *res)
{
    struct new_token *t = r->user;
    int64_t id = db_get_int(res, 0, 0);

    t->hash = api_token_make(r->who.tenant, id, t->text);
    struct query *q = query_new(r, STMT_token_create, on_token_created);
    query_int(q, id);
    query_int(q, r->who.user);
    query_text(q, t->name);
    query_bytes(q, t->hash.b, SHA256_LEN);
    query_read(q); /* the answer holds a secret: it is kept nowhere */
}

void token_create_handler(struct req *r)
{
    static const char *const members[] = {"name"};
    struct new_token *t = arena_alloc(r->arena, sizeof(*t));

    if (!body_only(r, members, 1) || !body_str(r, "name", true, 200, &t->name))
        return;
    r->user = t;
    query_read(query_new(r, STMT_token_next, on_token_id));
}

void token_list_handler(struct req *r)
{
    static const struct column columns[] = {
        {"id", put_int}, {"name", put_str}, {"created_at", put_raw}};
    struct query *q = listing_new(r, STMT_token_list, "tokens", columns, ARRAY_LEN(columns), 0);

    query_int(q, r->who.user);
    query_run(q);
}

static void forget_tokens(struct thread_ctx *c, int64_t tenant, int64_t a, int64_t b)
{
    (void)tenant;
    (void)a;
    (void)b;
    gate_forget_token(c);
}

static void on_revoked(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "you have no such token");
        return;
    }
    context_broadcast(r->ctx->server, forget_tokens, r->who.tenant, 0, 0);
    req_reply_empty(r, 204);
}

void token_revoke_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_token_revoke, on_revoked);

    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_run(q);
}
