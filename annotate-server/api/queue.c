/* Owns what managers do to the queue, one bounded statement a request. Never moves a task: its
 * version stays. */
#include "annotate-server/api/queue.h"

#include "annotate-server/api/claim.h"
#include "annotate-server/api/query.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/http/route.h"
#include "annotate-server/project.h"
#include "base/json_scan.h"

enum { TASKS_MAX = 1000, PRIORITY_MAX = 1000000 };

struct order {
    enum stage stage;
    struct db_array tasks;
    bool listed; /* tasks were named; else the statement finds some */
    int64_t limit, user, priority, after;
};

static void release(void *arg)
{
    struct order *o = arg;

    db_array_release(&o->tasks);
}

/* "tasks" and "limit". false: answered. */
static bool read_tasks(struct req *r, struct order *o)
{
    struct json_object *list = body_get(r, "tasks");

    o->limit = TASKS_MAX;
    db_array_init(&o->tasks, DB_INT8);
    arena_defer(r->arena, release, o);
    if (!body_int(r, "limit", false, 1, TASKS_MAX, &o->limit))
        return false;
    o->listed = list != NULL;
    if (!list)
        return true;
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    bool good = n >= 1 && n <= TASKS_MAX;
    for (size_t i = 0; i < n && good; i++) {
        struct json_object *id = json_object_array_get_idx(list, i);
        good = json_object_is_type(id, json_type_int) && json_object_get_int64(id) >= 1;
        if (good)
            db_array_int(&o->tasks, json_object_get_int64(id));
    }
    if (!good)
        req_fail(r, ERR_INVALID, "/tasks", "must be an array of 1 to %d task ids", TASKS_MAX);
    return good;
}

static bool read_stage(struct req *r, struct order *o)
{
    struct str stage = {NULL, 0};

    if (!body_str(r, "stage", true, 16, &stage))
        return false;
    if (stage_parse(stage, &o->stage))
        return true;
    req_fail(r, ERR_INVALID, "/stage", "must be prelabel, annotate, review or qa");
    return false;
}

static struct order *order_new(struct req *r)
{
    struct order *o = arena_alloc(r->arena, sizeof(*o));

    r->user = o;
    return o;
}

static void bind_tasks(struct query *q, struct order *o)
{
    if (o->listed)
        db_array_bind(&o->tasks, &q->call);
    else
        query_null(q);
}

/* count, more, tasks: of a row of the three statements. */
static void reply(struct req *r, const PGresult *res)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"count\":");
    put_int(&out, res, 0, 2);
    buf_puts(&out, ",\"more\":");
    put_bool(&out, res, 0, 1);
    buf_puts(&out, ",\"tasks\":");
    put_raw(&out, res, 0, 3);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

/* ---- reserving, and taking away */

static void on_opened(struct req *r, const PGresult *res)
{
    const struct order *o = r->user;

    if (db_get_int(res, 0, 0) == 0) {
        req_fail(
            r, ERR_INVALID, "/user", "is nobody who may do %s work here", stage_name(o->stage));
        return;
    }
    if (db_get_int(res, 0, 2))
        park_wake(r->ctx->server, r->who.tenant, r->project->id, o->stage);
    reply(r, res);
}

void queue_assign_handler(struct req *r)
{
    static const char *const members[] = {"stage", "user", "tasks", "limit", "revoke"};
    struct order *o = order_new(r);
    bool revoke = false;

    if (!body_only(r, members, ARRAY_LEN(members)) || !read_stage(r, o) ||
        !body_int(r, "user", true, 1, JSON_INT_MAX, &o->user) || !body_bool(r, "revoke", &revoke) ||
        !read_tasks(r, o))
        return;
    struct query *q = query_new(r, STMT_queue_assign, on_opened);
    query_int(q, r->project->id);
    query_text(q, str_of(stage_name(o->stage)));
    query_int(q, o->user);
    bind_tasks(q, o);
    query_int(q, o->limit);
    query_bool(q, revoke);
    query_int(q, r->project->workflow.reserve_s);
    query_int(q, r->who.user);
    query_text(q, claim_roles(o->stage, r->arena));
    query_run(q);
}

void queue_unassign_handler(struct req *r)
{
    static const char *const members[] = {"stage", "user", "tasks", "limit"};
    struct order *o = order_new(r);

    if (!body_only(r, members, ARRAY_LEN(members)) || !read_stage(r, o) ||
        !body_int(r, "user", false, 1, JSON_INT_MAX, &o->user) || !read_tasks(r, o))
        return;
    struct query *q = query_new(r, STMT_queue_unassign, on_opened);
    query_int(q, r->project->id);
    query_text(q, str_of(stage_name(o->stage)));
    bind_tasks(q, o);
    if (o->user)
        query_int(q, o->user);
    else
        query_null(q);
    query_int(q, o->limit);
    query_int(q, r->who.user);
    query_run(q);
}

/* ---- priority */

static void prioritize(
    struct req *r, struct order *o, struct str state, void (*then)(struct req *, const PGresult *))
{
    struct query *q = query_new(r, STMT_queue_prioritize, then);

    query_int(q, r->project->id);
    bind_tasks(q, o);
    query_text(q, state);
    query_int(q, o->priority);
    query_int(q, o->limit);
    query_int(q, r->who.user);
    query_int(q, o->after);
    query_run(q);
}

void queue_prioritize_handler(struct req *r)
{
    static const char *const members[] = {"priority", "tasks", "state", "after", "limit"};
    struct order *o = order_new(r);
    struct str state = {NULL, 0};
    enum task_state known;

    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_int(r, "priority", true, -PRIORITY_MAX, PRIORITY_MAX, &o->priority) ||
        !read_tasks(r, o) || !body_int(r, "after", false, 0, JSON_INT_MAX, &o->after) ||
        !body_str(r, "state", !o->listed, 16, &state))
        return;
    if (state.p && (o->listed || !task_state_parse(state, &known) || known == TASK_NONE)) {
        req_fail(r, ERR_INVALID, "/state", "must be a state of tasks, and goes without tasks");
        return;
    }
    prioritize(r, o, state, reply);
}

static void on_updated(struct req *r, const PGresult *res)
{
    const struct order *o = r->user;
    struct buf out;

    (void)res; /* nothing changed: it had that priority */
    buf_init(&out, BUF_MAX_JSON);
    buf_printf(
        &out, "{\"id\":%lld,\"priority\":%lld}", (long long)r->id_arg[0], (long long)o->priority);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void task_update_handler(struct req *r)
{
    static const char *const members[] = {"priority"};
    struct order *o = order_new(r);

    if (!body_only(r, members, ARRAY_LEN(members)) || !read_tasks(r, o) ||
        !body_int(r, "priority", true, -PRIORITY_MAX, PRIORITY_MAX, &o->priority))
        return;
    o->listed = true;
    db_array_int(&o->tasks, r->id_arg[0]);
    prioritize(r, o, (struct str){NULL, 0}, on_updated);
}
