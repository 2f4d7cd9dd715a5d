/* Owns accepting an invite. Does the work of one password whatever the token is worth, and never
 * tells a token that was used from one that never was. */
#include "annotate-server/api/people.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/auth/guess.h"
#include "base/api_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/password.h"

struct acceptance {
    struct req *r;
    int64_t id, user; /* user 0: there is none of the address yet */
    struct sha256 hash;
    uint64_t account; /* of the address: what failed logins are counted by */
    struct str name;
    char *password, *stored;
    char made[PASSWORD_HASH_SIZE]; /* of a new user's password */
    bool valid, known;             /* the token; the password */
};

static void wipe(void *arg)
{
    struct acceptance *a = arg;

    explicit_bzero(a->password, strlen(a->password));
}

static void no_invite(struct req *r)
{
    log_req(LOG_WARN, r->id, "invite_refused", "tenant %lld", (long long)r->who.tenant);
    req_fail(r, ERR_NOT_FOUND, NULL,
        "the invite is not valid: it was used or taken back, or has expired");
}

/* ---- 3. It is used up, and the person is in. */

static void forget_roles(struct req *r, int64_t user, const PGresult *res)
{
    int64_t *projects;
    size_t n = db_get_ints(res, 0, 5, r->arena, &projects);

    for (size_t i = 0; i < n; i++)
        context_broadcast(r->ctx->server, gate_forget_role, r->who.tenant, projects[i], user);
}

static void on_accepted(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        no_invite(r);
        return;
    }
    r->who.user = db_get_int(res, 0, 0);
    r->who.admin = db_get_bool(res, 0, 3);
    forget_roles(r, r->who.user, res);
    log_req(LOG_INFO, r->id, "invite_accepted", "user %lld", (long long)r->who.user);
    session_reply(r, 201, db_get_int(res, 0, 4), db_get_str(res, 0, 1), db_get_str(res, 0, 2));
}

static void on_failed(struct req *r, enum err e)
{
    if (e == ERR_EXISTS)
        req_fail(r, e, NULL, "there is a user with the invite's e-mail address");
    else
        query_fail(r, e);
}

/* ---- 2. The work of one password. */

static void work(void *arg)
{
    struct acceptance *a = arg;

    if (a->valid && !a->user)
        a->known = password_hash(a->password, a->made, sizeof(a->made)) == ERR_OK;
    else
        a->known = password_verify(a->password, a->stored);
}

static void worked(void *arg)
{
    struct acceptance *a = arg;
    struct req *r = a->r;

    if (!a->valid) {
        no_invite(r);
        return;
    }
    if (!a->known) {
        log_req(LOG_WARN, r->id, "login_failed", "user %lld", (long long)a->user);
        req_fail(r, ERR_UNAUTHENTICATED, NULL, "you have an account; its password is another one");
        return;
    }
    if (a->user)
        guess_right(r, a->account);
    struct query *q = query_new(r, STMT_invite_accept, on_accepted);
    q->failed = on_failed;
    query_int(q, a->id);
    query_bytes(q, a->hash.b, SHA256_LEN);
    query_text(q, a->name);
    query_text(q, a->user ? (struct str){NULL, 0} : str_of(a->made));
    if (a->user)
        query_int(q, a->user);
    else
        query_null(q);
    query_run(q);
}

/* ---- 1. The invite of the token. */

static void on_found(struct req *r, const PGresult *res)
{
    struct acceptance *a = r->user;
    struct sha256 stored;

    if (PQntuples(res) == 1 && db_get_bytes(res, 0, 0, stored.b, sizeof(stored.b)) &&
        sha256_eq(stored, a->hash)) {
        a->valid = true;
        a->user = db_get_int(res, 0, 1);
        /* An invite is no way around the limit on failed logins. */
        if (a->user && !guess_begin(r, db_get_str(res, 0, 4), &a->account))
            return;
        if (!db_is_null(res, 0, 2) && !db_get_bool(res, 0, 3))
            a->stored = arena_copy(r->arena, PQgetvalue(res, 0, 2), (size_t)PQgetlength(res, 0, 2));
    }
    work_submit(r->ctx->server->work, r->loop, work, worked, a);
}

void invite_accept_handler(struct req *r)
{
    static const char *const members[] = {"token", "name", "password"};
    struct acceptance *a = arena_alloc(r->arena, sizeof(*a));
    struct str token = {NULL, 0}, password = {NULL, 0};

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "token", true, 200, &token) ||
        !body_str(r, "name", true, 200, &a->name) ||
        !body_str(r, "password", true, PASSWORD_MAX, &password))
        return;
    if (!password_acceptable(password.p)) {
        req_fail(r, ERR_INVALID, "/password", PASSWORD_RULE);
        return;
    }
    a->r = r;
    a->password = arena_copy(r->arena, password.p, password.n);
    arena_defer(r->arena, wipe, a);
    r->user = a;
    if (!invite_token_parse(token, &r->who.tenant, &a->id, &a->hash)) {
        work_submit(r->ctx->server->work, r->loop, work, worked, a);
        return;
    }
    struct query *q = query_new(r, STMT_invite_find, on_found);
    query_int(q, a->id);
    query_run(q);
}
