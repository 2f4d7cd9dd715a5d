/* Owns changing people: name, administrator or not, disabled or not, password. What ends a session
 * ends it here at once (gate_forget_user) and elsewhere when the gate's memory has passed, within
 * 5 s. Never lets a person make or unmake themselves an administrator. */
#include "annotate-server/api/people.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/auth/guess.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/password.h"

/* ---- by an administrator */

static void on_updated(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such user");
        return;
    }
    context_broadcast(r->ctx->server, gate_forget_user, r->who.tenant, r->id_arg[0], 0);
    gate_forget_user(r->ctx, r->who.tenant, r->id_arg[0], 0);
    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"id\":");
    put_int(&out, res, 0, 0);
    buf_puts(&out, ",\"email\":");
    put_str(&out, res, 0, 1);
    buf_puts(&out, ",\"name\":");
    put_str(&out, res, 0, 2);
    buf_puts(&out, ",\"admin\":");
    put_bool(&out, res, 0, 3);
    buf_puts(&out, ",\"disabled\":");
    put_bool(&out, res, 0, 4);
    buf_putc(&out, '}');
    log_req(LOG_INFO, r->id, "user_changed", "user %lld by %lld", (long long)r->id_arg[0],
        (long long)r->who.user);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static void set_bool(struct query *q, const char *name, bool value)
{
    if (body_get(q->r, name))
        query_bool(q, value);
    else
        query_null(q);
}

void user_update_handler(struct req *r)
{
    static const char *const members[] = {"name", "admin", "disabled"};
    struct str name = {NULL, 0};
    bool admin = false, disabled = false;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "name", false, 200, &name) ||
        !body_bool(r, "admin", &admin) || !body_bool(r, "disabled", &disabled))
        return;
    if (name.p && name.n == 0) {
        req_fail(r, ERR_INVALID, "/name", "must not be empty");
        return;
    }
    if (r->id_arg[0] == r->who.user && (body_get(r, "admin") || body_get(r, "disabled"))) {
        req_fail(r, ERR_FORBIDDEN, NULL, "nobody changes what they may do themselves");
        return;
    }
    struct query *q = query_new(r, STMT_user_update, on_updated);
    query_int(q, r->id_arg[0]);
    query_text(q, name);
    set_bool(q, "admin", admin);
    set_bool(q, "disabled", disabled);
    query_read(q); /* the same again does the same; and what is forgotten must be committed */
}

/* ---- one's own password */

struct change {
    struct req *r;
    char *old, *new, *stored;
    struct str email, name;
    uint64_t account; /* of the address: what failed logins are counted by */
    char hash[PASSWORD_HASH_SIZE];
    bool good;
    enum err err;
};

static void wipe(void *arg)
{
    struct change *c = arg;

    explicit_bzero(c->old, strlen(c->old));
    explicit_bzero(c->new, strlen(c->new));
}

static void verify_and_hash(void *arg)
{
    struct change *c = arg;

    c->good = password_verify(c->old, c->stored);
    if (c->good)
        c->err = password_hash(c->new, c->hash, sizeof(c->hash));
}

static void wrong(struct req *r)
{
    log_req(LOG_WARN, r->id, "password_refused", "user %lld", (long long)r->who.user);
    req_fail(r, ERR_INVALID, "/old", "is not your password");
}

static void on_set(struct req *r, const PGresult *res)
{
    const struct change *c = r->user;

    if (PQntuples(res) == 0) { /* it was changed meanwhile */
        wrong(r);
        return;
    }
    context_broadcast(r->ctx->server, gate_forget_user, r->who.tenant, r->who.user, 0);
    gate_forget_user(r->ctx, r->who.tenant, r->who.user, 0);
    session_reply(r, 200, db_get_int(res, 0, 0), c->email, c->name);
}

static void verified(void *arg)
{
    struct change *c = arg;

    if (!c->good) {
        wrong(c->r);
        return;
    }
    guess_right(c->r, c->account);
    if (c->err) {
        req_fail(c->r, ERR_INVALID, "/new", PASSWORD_RULE);
        return;
    }
    struct query *q = query_new(c->r, STMT_user_secret_set, on_set);
    query_int(q, c->r->who.user);
    query_text(q, str_of(c->stored));
    query_text(q, str_of(c->hash));
    query_read(q); /* the answer holds a token: it is kept nowhere */
}

static void on_secret(struct req *r, const PGresult *res)
{
    struct change *c = r->user;

    if (PQntuples(res) == 1) {
        c->email = arena_str(r->arena, db_get_str(res, 0, 0));
        c->name = arena_str(r->arena, db_get_str(res, 0, 1));
        if (!db_is_null(res, 0, 2))
            c->stored = arena_copy(r->arena, PQgetvalue(res, 0, 2), (size_t)PQgetlength(res, 0, 2));
        r->who.admin = db_get_bool(res, 0, 3);
    }
    if (!guess_begin(r, c->email, &c->account))
        return;
    work_submit(r->ctx->server->work, r->loop, verify_and_hash, verified, c);
}

void password_handler(struct req *r)
{
    static const char *const members[] = {"old", "new"};
    struct change *c = arena_alloc(r->arena, sizeof(*c));
    struct str old = {NULL, 0}, new = {NULL, 0};

    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_str(r, "old", true, PASSWORD_MAX, &old) ||
        !body_str(r, "new", true, PASSWORD_MAX, &new))
        return;
    if (!password_acceptable(new.p)) {
        req_fail(r, ERR_INVALID, "/new", PASSWORD_RULE);
        return;
    }
    c->r = r;
    c->old = arena_copy(r->arena, old.p, old.n);
    c->new = arena_copy(r->arena, new.p, new.n);
    arena_defer(r->arena, wipe, c);
    r->user = c;
    struct query *q = query_new(r, STMT_user_secret, on_secret);
    query_int(q, r->who.user);
    query_read(q);
}
