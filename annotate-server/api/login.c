/* Owns logging in. Never tells an unknown address from a wrong password, in the answer or in the
 * work done. */
#include "annotate-server/api/people.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/guess.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/password.h"

struct login {
    struct req *r;
    uint64_t account;      /* guess_begin()'s */
    char *password, *hash; /* hash NULL: no such user */
    struct str email, name;
    int64_t epoch;
    bool good;
};

static void wipe(void *arg)
{
    struct login *l = arg;

    if (l->password)
        explicit_bzero(l->password, strlen(l->password));
}

static void verify(void *arg)
{
    struct login *l = arg;

    l->good = password_verify(l->password, l->hash);
}

void session_reply(struct req *r, int status, int64_t epoch, struct str email, struct str name)
{
    int64_t life = config_int(CONFIG_token_ttl_s);
    struct token_claims who = {
        .tenant = r->who.tenant, .user = r->who.user, .admin = r->who.admin, .epoch = epoch};
    struct buf token, out;

    buf_init(&token, TOKEN_MAX_BYTES);
    enum err e = token_sign(&r->ctx->server->keys, &who, life, &token);
    if (e) {
        req_fail(r, e, NULL, "%s", err_title(e));
        buf_release(&token);
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"token\":");
    buf_json(&out, buf_view(&token));
    buf_puts(&out, ",\"expires_at\":");
    char at[32];
    clock_rfc3339_at(clock_unix() + life, at, sizeof(at));
    buf_json(&out, str_of(at));
    buf_printf(&out, ",\"user\":{\"id\":%lld,\"email\":", (long long)r->who.user);
    buf_json(&out, email);
    buf_puts(&out, ",\"name\":");
    buf_json(&out, name);
    buf_printf(&out, ",\"admin\":%s}}", r->who.admin ? "true" : "false");
    req_reply_json(r, status, &out);
    buf_release(&token);
    buf_release(&out);
}

static void verified(void *arg)
{
    struct login *l = arg;
    struct req *r = l->r;

    if (l->good) {
        guess_right(r, l->account);
        session_reply(r, 200, l->epoch, l->email, l->name);
        return;
    }
    log_req(LOG_WARN, r->id, "login_failed", "user %lld", (long long)r->who.user);
    req_fail(r, ERR_UNAUTHENTICATED, NULL, "the e-mail address or the password is wrong");
}

static void on_found(struct req *r, const PGresult *res)
{
    struct login *l = r->user;

    if (PQntuples(res) == 1) {
        r->who.tenant = db_get_int(res, 0, 0);
        r->who.user = db_get_int(res, 0, 1);
        l->name = arena_str(r->arena, db_get_str(res, 0, 2));
        r->who.admin = db_get_bool(res, 0, 3);
        l->epoch = db_get_int(res, 0, 5);
        if (!db_is_null(res, 0, 4))
            l->hash = arena_copy(r->arena, PQgetvalue(res, 0, 4), (size_t)PQgetlength(res, 0, 4));
    }
    work_submit(r->ctx->server->work, r->loop, verify, verified, l);
}

void login_handler(struct req *r)
{
    static const char *const members[] = {"email", "password"};
    struct login *l = arena_alloc(r->arena, sizeof(*l));
    struct str email = {NULL, 0}, password = {NULL, 0};

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "email", true, 254, &email) ||
        !body_str(r, "password", true, PASSWORD_MAX, &password))
        return;
    l->r = r;
    l->email = email;
    if (!guess_begin(r, email, &l->account))
        return;
    l->password = arena_copy(r->arena, password.p, password.n);
    arena_defer(r->arena, wipe, l);
    r->user = l;
    struct query *q = query_new(r, STMT_login_find, on_found);
    query_text(q, email);
    query_run(q);
}
