/* Owns a manager's moves of a task: reopen, archive, restore. Each is a compare-and-set on the
 * task's version (I2). */
#include "annotate-server/api/task_move.h"

#include "annotate-server/api/park.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/tasks.h"
#include "annotate-server/project.h"

static void on_moved(struct req *r, const PGresult *res)
{
    struct task_move *m = r->user;
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_VERSION, NULL, "the task has moved on to another version");
        return;
    }
    if (m->decision.open)
        park_wake(r->ctx->server, r->who.tenant, r->project->id, m->decision.open_stage);
    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"task\":{\"id\":");
    put_int(&out, res, 0, 0);
    buf_puts(&out, ",\"state\":");
    put_str(&out, res, 0, 1);
    buf_puts(&out, ",\"version\":");
    put_int(&out, res, 0, 2);
    buf_puts(&out, "}}");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static void write_move(struct req *r, struct task_move *m)
{
    struct query *q = query_new(r, STMT_task_move, on_moved);
    const struct decision *d = &m->decision;
    struct buf excluded;

    buf_init(&excluded, BUF_MAX_LINE);
    buf_putc(&excluded, '{');
    for (int i = 0; i < d->nexclude; i++)
        buf_printf(&excluded, i ? ",%lld" : "%lld", (long long)d->exclude[i]);
    buf_putc(&excluded, '}');
    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_text(q, str_of(task_state_name(m->facts.state)));
    query_text(q, str_of(action_name(m->action)));
    query_text(q, str_of(task_state_name(d->to)));
    query_int(q, r->who.user);
    query_text(q, str_of(d->open ? stage_name(d->open_stage) : NULL));
    query_int(q, d->open_slots);
    if (d->reserved_for)
        query_int(q, d->reserved_for);
    else
        query_null(q);
    query_int(q, r->project->workflow.reserve_s);
    query_text(q, buf_view(&excluded));
    query_bool(q, d->open_unfinished);
    query_int(q, d->rework_add);
    buf_release(&excluded);
    query_run(q);
}

static void on_facts(struct req *r, const PGresult *res)
{
    struct task_move *m = r->user;
    struct task_facts *f = &m->facts;
    int64_t *people;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such task");
        return;
    }
    BUG_ON(!task_state_parse(db_get_str(res, 0, 0), &f->state));
    if (db_get_int(res, 0, 1) != r->version) {
        req_fail(r, ERR_VERSION, NULL, "the task has moved on to another version");
        return;
    }
    f->id = r->id_arg[0];
    f->salt = r->project->salt;
    f->overlap = (int)db_get_int(res, 0, 2);
    f->rework_count = (int)db_get_int(res, 0, 3);
    f->skip_count = (int)db_get_int(res, 0, 4);
    if (!db_is_null(res, 0, 5))
        BUG_ON(!task_state_parse(db_get_str(res, 0, 5), &f->archived_from));
    f->has_label = db_get_bool(res, 0, 6);
    f->gold = db_get_bool(res, 0, 12);
    f->erased = db_get_bool(res, 0, 13);
    f->head_author = db_get_int(res, 0, 7);
    f->slots_left = (int)db_get_int(res, 0, 8);
    size_t n = db_get_ints(res, 0, 9, r->arena, &people);
    for (size_t i = 0; i < n && i < MAX_OVERLAP; i++)
        f->annotators[f->nannotators++] = people[i];
    f->reviewer = db_get_int(res, 0, 10);
    n = db_get_ints(res, 0, 11, r->arena, &people);
    for (size_t i = 0; i < n && i < MAX_HANDS; i++)
        f->hands[f->nhands++] = people[i];
    f->agreement = 1;
    f->score = -1;
    if (workflow_decide(&r->project->workflow, f, m->action, &m->decision)) {
        req_fail(r, ERR_CONFLICT, NULL, "a task that is %s cannot be %s%s",
            f->erased ? "erased" : task_state_name(f->state), action_name(m->action),
            m->action == ACTION_REOPEN ? "ed" : "d");
        return;
    }
    m->write(r, m);
}

static struct task_move *move_new(struct req *r, enum action action)
{
    struct task_move *m = arena_alloc(r->arena, sizeof(*m));

    m->action = action;
    m->write = write_move;
    return m;
}

void task_move_start(struct req *r, struct task_move *m)
{
    struct query *q = query_new(r, STMT_task_facts, on_facts);

    r->user = m;
    query_int(q, r->id_arg[0]);
    query_run(q);
}

void task_reopen_handler(struct req *r)
{
    static const char *const members[] = {"to"};
    struct str to = STR("annotate");
    struct task_move *m = move_new(r, ACTION_REOPEN);

    if (!body_only(r, members, 1) || !body_str(r, "to", false, 16, &to))
        return;
    m->facts.reopen_to_review = str_is(to, "review");
    if (!m->facts.reopen_to_review && !str_is(to, "annotate")) {
        req_fail(r, ERR_INVALID, "/to", "must be annotate or review");
        return;
    }
    task_move_start(r, m);
}

void task_archive_handler(struct req *r)
{
    task_move_start(r, move_new(r, ACTION_ARCHIVE));
}

void task_restore_handler(struct req *r)
{
    task_move_start(r, move_new(r, ACTION_RESTORE));
}
