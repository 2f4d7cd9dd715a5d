/* Owns authentication and authorisation of requests. Never runs a handler that the route's row does
 * not allow. */
#include "annotate-server/auth/gate.h"

#include "annotate-server/api/events.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/media_link.h"
#include "annotate-server/http/server.h"
#include "annotate-server/project.h"
#include "base/api_token.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    ROLE_TTL_MS = 2000,
    API_TOKEN_TTL_MS = 5000,
    USER_TTL_MS = 5000,
    OBJECT_TTL_MS = 600000,
};

static const struct {
    const char *name;
    unsigned may;
} roles[ROLE_COUNT] = {
    [ROLE_NONE] = {"none", 0},
    [ROLE_VIEWER] = {"viewer", MAY_VIEWER},
    [ROLE_ANNOTATOR] = {"annotator", MAY_ANNOTATOR},
    [ROLE_REVIEWER] = {"reviewer", MAY_REVIEWER},
    [ROLE_QA] = {"qa", MAY_QA},
    [ROLE_MODEL] = {"model", MAY_MODEL},
    [ROLE_MANAGER] = {"manager", MAY_MANAGER},
};

static const char *const object_names[] = {
    [OBJECT_TASK] = "task",
    [OBJECT_ASSIGNMENT] = "assignment",
    [OBJECT_LABEL] = "label",
    [OBJECT_RELEASE] = "release",
    [OBJECT_EXPORT] = "export",
};

const char *role_name(enum role role)
{
    return roles[role].name;
}

unsigned role_may(enum role role)
{
    return roles[role].may;
}

bool role_parse(struct str name, enum role *out)
{
    for (int i = ROLE_VIEWER; i < ROLE_COUNT; i++)
        if (str_is(name, roles[i].name)) {
            *out = (enum role)i;
            return true;
        }
    return false;
}

static struct memo_key role_key(const struct req *r)
{
    return (struct memo_key){r->who.tenant, r->project->id, r->who.user, 0};
}

void gate_forget_role(struct thread_ctx *c, int64_t tenant, int64_t project, int64_t user)
{
    memo_forget(&c->roles, (struct memo_key){tenant, project, user, 0});
    events_recheck(c, tenant);
}

void gate_forget_token(struct thread_ctx *c)
{
    memo_release(&c->api_tokens);
    memo_init(&c->api_tokens, 4096);
    events_recheck(c, 0);
}

void gate_forget_user(struct thread_ctx *c, int64_t tenant, int64_t user, int64_t unused)
{
    (void)unused;
    c->user_changes++;
    memo_forget(&c->users, (struct memo_key){tenant, user, 0, 0});
    gate_forget_token(c);
}

void gate_learn(struct thread_ctx *c, int64_t tenant, enum object kind, int64_t id, int64_t project)
{
    memo_put(&c->objects, (struct memo_key){tenant, kind, id, 0}, project, OBJECT_TTL_MS);
}

/* 6. An archived project takes no more work and no changes; what people hold they still hand in. */
static void pass_project(struct req *r)
{
    const struct route *route = r->route;

    if (r->project->archived && route->object == OBJECT_PROJECT && route->method != HTTP_M_GET &&
        !(route->may & MAY_ARCHIVED))
        req_fail(r, ERR_CONFLICT, NULL, "the project is archived");
    else
        http_gate_pass(r);
}

/* 5. The role of the person in the project, against the route's row. */
static void check_role(struct req *r, enum role role)
{
    r->who.role = r->who.admin ? ROLE_MANAGER : role;
    if (r->who.role == ROLE_NONE)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such thing here");
    else if (r->who.admin && (r->route->may & MAY_ADMIN))
        pass_project(r);
    else if (!(r->route->may & (role_may(r->who.role) | role_may(role))))
        req_fail(r, ERR_FORBIDDEN, NULL, "a %s may not do this", role_name(r->who.role));
    else
        pass_project(r);
}

static void on_role(struct req *r, const PGresult *res)
{
    enum role role = ROLE_NONE;

    if (PQntuples(res) == 1)
        role_parse(db_get_str(res, 0, 0), &role);
    memo_put(&r->ctx->roles, role_key(r), role, ROLE_TTL_MS);
    check_role(r, role);
}

static void find_role(struct req *r)
{
    int64_t role;

    project_ref(r->project);
    arena_defer(r->arena, project_unref, r->project);
    if (memo_get(&r->ctx->roles, role_key(r), &role)) {
        check_role(r, (enum role)role);
        return;
    }
    struct query *q = query_new(r, STMT_member_role, on_role);
    query_int(q, r->project->id);
    query_int(q, r->who.user);
    query_run(q);
}

/* 4. The project's snapshot. */
static void on_project(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such thing here");
        return;
    }
    r->project = project_remember(r->ctx, r->who.tenant, res);
    if (r->project)
        find_role(r);
    else
        req_fail(r, ERR_INTERNAL, NULL, "the project's configuration cannot be read");
}

static void load_project(struct req *r, int64_t id)
{
    r->project = project_cached(r->ctx, r->who.tenant, id);
    if (r->project) {
        find_role(r);
        return;
    }
    struct query *q = query_new(r, STMT_project_get, on_project);
    query_int(q, id);
    query_run(q);
}

/* 3. Which project the object of the path belongs to. */
static void on_object(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such %s", object_names[r->route->object]);
        return;
    }
    int64_t project = db_get_int(res, 0, 0);
    gate_learn(r->ctx, r->who.tenant, r->route->object, r->id_arg[0], project);
    load_project(r, project);
}

static void find_project(struct req *r)
{
    struct memo_key key = {r->who.tenant, r->route->object, r->id_arg[0], 0};
    int64_t project;

    if (r->route->object == OBJECT_PROJECT) {
        load_project(r, r->id_arg[0]);
        return;
    }
    if (memo_get(&r->ctx->objects, key, &project)) {
        load_project(r, project);
        return;
    }
    struct query *q = query_new(r, STMT_object_project, on_object);
    query_text(q, str_of(object_names[r->route->object]));
    query_int(q, r->id_arg[0]);
    query_run(q);
}

static bool within_rates(struct req *r)
{
    struct server *s = r->ctx->server;
    uint64_t tenant = (uint64_t)r->who.tenant, user = tenant << 40 ^ (uint64_t)r->who.user;
    int64_t now = clock_mono_us(), wait_ms = 0;

    if (rate_take(&s->users, user, now, &wait_ms) && rate_take(&s->tenants, tenant, now, &wait_ms))
        return true;
    rate_fail(r, wait_ms, "too many requests");
    return false;
}

/* 2. We know who it is. */
static void authorise(struct req *r)
{
    const struct route *route = r->route;

    if (!within_rates(r))
        return;
    if (route->may & MAY_USER)
        http_gate_pass(r);
    else if (route->object == OBJECT_NONE) {
        if (r->who.admin && (route->may & MAY_ADMIN))
            http_gate_pass(r);
        else
            req_fail(r, ERR_FORBIDDEN, NULL, "only an administrator may do this");
    } else
        find_project(r);
}

void rate_fail(struct req *r, int64_t wait_ms, const char *what)
{
    req_set_header(
        r, "Retry-After", arena_printf(r->arena, "%lld", (long long)(wait_ms + 999) / 1000));
    req_fail(r, ERR_RATE, NULL, "%s; try again in %lld ms", what, (long long)wait_ms);
}

static void unauthenticated(struct req *r, const char *why)
{
    log_req(LOG_INFO, r->id, "unauthenticated", "%s", why);
    req_set_header(r, "WWW-Authenticate", "Bearer");
    req_fail(r, ERR_UNAUTHENTICATED, NULL, "log in, or send a valid token");
}

/* 1b. An API token: by its row, remembered for a few seconds. */
struct token_asked {
    struct sha256 hash;
    struct memo_key key;
    uint64_t changes;
};

static void on_token(struct req *r, const PGresult *res)
{
    struct token_asked *asked = r->user;
    struct sha256 stored;

    if (PQntuples(res) == 0 || !db_get_bytes(res, 0, 0, stored.b, sizeof(stored.b)) ||
        !sha256_eq(stored, asked->hash)) {
        unauthenticated(r, "unknown API token");
        return;
    }
    r->who.user = db_get_int(res, 0, 1);
    r->who.admin = db_get_bool(res, 0, 2);
    if (asked->changes == r->ctx->user_changes)
        memo_put(&r->ctx->api_tokens, asked->key, r->who.user * 2 + r->who.admin, API_TOKEN_TTL_MS);
    r->user = NULL;
    authorise(r);
}

static void check_api_token(struct req *r, struct str token)
{
    struct token_asked *asked = arena_alloc(r->arena, sizeof(*asked));
    int64_t id, known;

    if (!api_token_parse(token, &r->who.tenant, &id, &asked->hash)) {
        unauthenticated(r, "not an API token");
        return;
    }
    r->who.token = id;
    struct sha256 again = sha256_of((struct str){(const char *)asked->hash.b, SHA256_LEN});
    asked->key = (struct memo_key){
        r->who.tenant, id, (int64_t)sha256_u64(asked->hash), (int64_t)sha256_u64(again)};
    if (memo_get(&r->ctx->api_tokens, asked->key, &known)) {
        r->who.user = known / 2;
        r->who.admin = known % 2;
        authorise(r);
        return;
    }
    asked->changes = r->ctx->user_changes;
    r->user = asked;
    struct query *q = query_new(r, STMT_token_find, on_token);
    query_int(q, id);
    query_run(q);
}

/* 1c. A login token says who; whether that still holds says the user's row, remembered for a few
 * seconds: a token of a disabled user or of another epoch is dead, and `admin` is the row's. */
enum { USER_ADMIN = 1, USER_DISABLED = 2, USER_EPOCH = 4 };

struct login_asked {
    int64_t epoch;
    uint64_t changes;
};

static struct memo_key user_key(const struct req *r)
{
    return (struct memo_key){r->who.tenant, r->who.user, 0, 0};
}

static void check_user(struct req *r, int64_t state, int64_t epoch)
{
    if ((state & USER_DISABLED) || state / USER_EPOCH != epoch) {
        unauthenticated(r, "the account is disabled, or its tokens were ended");
        return;
    }
    r->who.admin = state & USER_ADMIN;
    authorise(r);
}

static void on_user(struct req *r, const PGresult *res)
{
    const struct login_asked *asked = r->user;

    r->user = NULL;
    if (PQntuples(res) == 0) {
        unauthenticated(r, "no such user");
        return;
    }
    int64_t state = db_get_int(res, 0, 2) * USER_EPOCH +
                    (db_get_bool(res, 0, 1) ? USER_DISABLED : 0) +
                    (db_get_bool(res, 0, 0) ? USER_ADMIN : 0);
    if (asked->changes == r->ctx->user_changes)
        memo_put(&r->ctx->users, user_key(r), state, USER_TTL_MS);
    check_user(r, state, asked->epoch);
}

static void check_login(struct req *r, int64_t epoch)
{
    struct login_asked *asked;
    int64_t state;

    if (memo_get(&r->ctx->users, user_key(r), &state)) {
        check_user(r, state, epoch);
        return;
    }
    asked = arena_alloc(r->arena, sizeof(*asked));
    *asked = (struct login_asked){epoch, r->ctx->user_changes};
    r->user = asked;
    struct query *q = query_new(r, STMT_user_state, on_user);
    query_int(q, r->who.user);
    query_run(q);
}

/* 1d. A signed link: nobody in particular, of the link's tenant. */
static void check_link(struct req *r)
{
    struct media_link link;
    int64_t wait_ms = 0;

    if (!media_link_read(r, &link)) {
        req_fail(r, ERR_FORBIDDEN, NULL, "the link has expired, or is not one of ours");
        return;
    }
    r->who.tenant = link.tenant;
    if (rate_take(&r->ctx->server->tenants, (uint64_t)link.tenant, clock_mono_us(), &wait_ms))
        http_gate_pass(r);
    else
        rate_fail(r, wait_ms, "too many requests");
}

/* 1. Who asks. */
void gate_check(struct req *r)
{
    struct str header = req_header(r, "authorization"), scheme;
    struct token_claims claims;
    const char *why = "no token";

    if (r->route->may == MAY_ANYONE) {
        http_gate_pass(r);
        return;
    }
    if ((r->route->may & MAY_LINK) && media_link_asked(r)) {
        check_link(r);
        return;
    }
    if (!header.p || !str_split(&header, ' ', &scheme) || !str_ieq(scheme, STR("bearer"))) {
        unauthenticated(r, why);
        return;
    }
    header = str_trim(header);
    if (str_starts(header, STR(API_TOKEN_PREFIX))) {
        check_api_token(r, header);
        return;
    }
    if (token_cache_verify(&r->ctx->tokens, header, &claims, &why)) {
        unauthenticated(r, why);
        return;
    }
    if (!claims.user) { /* an outside issuer's: good, but nobody of ours */
        req_fail(r, ERR_FORBIDDEN, NULL,
            "the token is good, but its subject is linked to no account here; log in, or use an "
            "API token");
        return;
    }
    r->who = (struct principal){
        .tenant = claims.tenant, .user = claims.user, .epoch = claims.epoch, .expires = claims.exp};
    check_login(r, claims.epoch);
}
