/* Owns taking projects out of use and back, and making one out of another. Never copies labels,
 * people or history: a duplicate begins where an import does. */
#include "annotate-server/api/park.h"
#include "annotate-server/api/projects.h"
#include "annotate-server/api/query.h"
#include "annotate-server/project.h"
#include "base/clock.h"
#include "base/hash.h"

enum { COPY_CHUNK = 1000, COPY_BUDGET_US = 2000000 };

/* ---- archive and restore */

static void on_archived(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        req_fail(r, ERR_VERSION, NULL, "the project has been changed by somebody else");
        return;
    }
    project_forget(r->ctx->server, r->who.tenant, r->id_arg[0]);
    project_reply_stored(r, res, 200);
}

static void set_archived(struct req *r, bool archived)
{
    if (r->project->archived == archived) {
        req_fail(
            r, ERR_CONFLICT, NULL, "the project is %s", archived ? "archived" : "not archived");
        return;
    }
    struct query *q = query_new(r, STMT_project_archive, on_archived);

    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_bool(q, archived);
    query_run(q);
}

void project_archive_handler(struct req *r)
{
    set_archived(r, true);
}

void project_restore_handler(struct req *r)
{
    set_archived(r, false);
}

/* ---- duplicate */

static void on_duplicated(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        project_reply_stored(r, res, 201);
    else
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such thing here");
}

void project_duplicate_handler(struct req *r)
{
    static const char *const members[] = {"name", "with"};
    struct str name = {NULL, 0}, with = {NULL, 0};
    int64_t salt;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "name", true, 200, &name) ||
        !body_str(r, "with", true, 16, &with))
        return;
    if (!str_is(with, "settings") && !str_is(with, "tasks")) {
        req_fail(r, ERR_INVALID, "/with", "must be settings or tasks");
        return;
    }
    random_bytes(&salt, sizeof(salt));
    struct query *q = query_new(r, STMT_project_duplicate, on_duplicated);
    query_int(q, r->id_arg[0]);
    query_text(q, name);
    query_int(q, salt);
    query_int(q, r->who.user);
    query_bool(q, str_is(with, "tasks"));
    query_run(q);
}

/* ---- the duplicate's tasks, chunk by chunk; the project's row knows how far they have come */

struct copying {
    int64_t from, after, copied, deadline_us;
    bool ended;
    struct decision start; /* of a new task */
};

static void reply(struct req *r, const struct copying *c)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_printf(
        &out, "{\"copied\":%lld,\"done\":%s}", (long long)c->copied, c->ended ? "true" : "false");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static void next_chunk(struct req *r);

static void on_chunk(struct req *r, const PGresult *res)
{
    struct copying *c = r->user;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_CONFLICT, NULL, "another request is copying these tasks");
        return;
    }
    c->ended = db_is_null(res, 0, 0);
    c->after = db_get_int(res, 0, 0);
    c->copied += db_get_int(res, 0, 1);
    if (db_get_int(res, 0, 1))
        park_wake(r->ctx->server, r->who.tenant, r->project->id, c->start.open_stage);
    if (c->ended || req_gone(r) || clock_mono_us() > c->deadline_us)
        reply(r, c);
    else
        next_chunk(r);
}

static void next_chunk(struct req *r)
{
    const struct copying *c = r->user;
    struct query *q = query_new(r, STMT_task_copy, on_chunk);

    query_int(q, r->id_arg[0]);
    query_int(q, c->from);
    query_int(q, c->after);
    query_text(q, str_of(task_state_name(c->start.to)));
    query_int(q, r->project->workflow.overlap);
    query_int(q, c->start.open_slots);
    query_int(q, r->who.user);
    query_int(q, COPY_CHUNK);
    query_read(q); /* safe to repeat by itself: the row knows */
}

static void on_position(struct req *r, const PGresult *res)
{
    const struct workflow *w = &r->project->workflow;
    struct task_facts facts = {.salt = r->project->salt, .state = TASK_NONE, .overlap = w->overlap};
    struct copying *c = arena_alloc(r->arena, sizeof(*c));

    r->user = c;
    if (PQntuples(res) == 0) {
        c->ended = true;
        reply(r, c);
        return;
    }
    c->from = db_get_int(res, 0, 0);
    c->after = db_get_int(res, 0, 1);
    c->deadline_us = clock_mono_us() + COPY_BUDGET_US;
    if (workflow_decide(w, &facts, ACTION_IMPORT, &c->start))
        req_fail(r, ERR_INTERNAL, NULL, "the workflow takes no tasks");
    else
        next_chunk(r);
}

void project_copy_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_project_copy, on_position);

    query_int(q, r->id_arg[0]);
    query_read(q);
}
