/* Owns acceptance in bulk: review and QA of many tasks by their manager, each decided in
 * core/workflow.c and written under its version. Never lets anybody accept their own work (I3). */
#include "annotate-server/api/bulk.h"

#include "annotate-server/api/idempotency.h"
#include "annotate-server/api/park.h"
#include "annotate-server/api/query.h"
#include "annotate-server/project.h"
#include "base/json_scan.h"

enum { BULK_MAX = 500 };

/* Columns of bulk_facts. */
enum {
    COL_TASK,
    COL_STATE,
    COL_VERSION,
    COL_OVERLAP,
    COL_REWORK,
    COL_SKIPS,
    COL_HAS_LABEL,
    COL_HEAD_AUTHOR,
    COL_ANNOTATORS,
    COL_REVIEWER,
    COL_HANDS,
    COL_ASSIGNMENT,
    COL_EXCLUDED,
};

enum array { TASK, VERSION, FROM, ACTION, TO, ASSIGNMENT, EXCLUDED, ARRAYS };

struct bulk {
    struct db_array wanted, arrays[ARRAYS];
    int64_t *sent;  /* the tasks of the statement, by id */
    int64_t *asked; /* those of the request; NULL: a page of a stage */
    size_t nsent, nasked;
    int64_t limit;
    struct buf refused; /* {…},{…}, */
    int64_t last;       /* the page's last task; 0: there is no further page */
    bool opens_qa;
};

static void release(void *arg)
{
    struct bulk *b = arg;

    db_array_release(&b->wanted);
    for (int i = 0; i < ARRAYS; i++)
        db_array_release(&b->arrays[i]);
    buf_release(&b->refused);
}

static struct bulk *bulk_new(struct req *r)
{
    struct bulk *b = arena_alloc(r->arena, sizeof(*b));

    db_array_init(&b->wanted, DB_INT8);
    for (int i = 0; i < ARRAYS; i++)
        db_array_init(
            &b->arrays[i], i == TASK || i == VERSION || i == ASSIGNMENT ? DB_INT8 : DB_TEXT);
    buf_init(&b->refused, BUF_MAX_JSON);
    arena_defer(r->arena, release, b);
    b->sent = arena_array(r->arena, BULK_MAX, sizeof(*b->sent));
    return b;
}

static void refuse(struct bulk *b, int64_t task, const char *error, const char *why)
{
    buf_printf(&b->refused, "{\"task\":%lld,\"error\":\"%s\",\"detail\":\"%s\"},", (long long)task,
        error, why);
}

static void answer(struct req *r, const PGresult *res)
{
    struct bulk *b = r->user;
    int n = res ? PQntuples(res) : 0, row = 0;
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"accepted\":[");
    for (size_t i = 0; i < b->nsent; i++) {
        if (row == n || db_get_int(res, row, 0) != b->sent[i]) {
            refuse(b, b->sent[i], "version-mismatch", "the task has moved on");
            continue;
        }
        buf_puts(&out, "{\"id\":");
        put_int(&out, res, row, 0);
        buf_puts(&out, ",\"state\":");
        put_str(&out, res, row, 1);
        buf_puts(&out, ",\"version\":");
        put_int(&out, res, row, 2);
        buf_puts(&out, "},");
        row++;
    }
    buf_chop(&out, ',');
    buf_chop(&b->refused, ',');
    buf_puts(&out, "],\"refused\":[");
    buf_str(&out, buf_view(&b->refused));
    buf_puts(&out, "],\"next\":");
    if (b->last)
        buf_int(&out, b->last);
    else
        buf_puts(&out, "null");
    buf_putc(&out, '}');
    if (n && b->opens_qa)
        park_wake(r->ctx->server, r->who.tenant, r->project->id, STAGE_QA);
    if (res) /* in the transaction of bulk_accept */
        req_reply_json(r, 200, &out);
    else
        idempotency_reply(r, 200, &out);
    buf_release(&out);
}

/* ---- deciding */

static void read_facts(struct req *r, struct task_facts *f, const PGresult *res, int row)
{
    int64_t *people;
    size_t n = db_get_ints(res, row, COL_ANNOTATORS, r->arena, &people);

    *f = (struct task_facts){.id = db_get_int(res, row, COL_TASK),
        .salt = r->project->salt,
        .overlap = (int)db_get_int(res, row, COL_OVERLAP),
        .rework_count = (int)db_get_int(res, row, COL_REWORK),
        .skip_count = (int)db_get_int(res, row, COL_SKIPS),
        .has_label = db_get_bool(res, row, COL_HAS_LABEL),
        .agreement = 1,
        .score = -1,
        .reviewer = db_get_int(res, row, COL_REVIEWER),
        .head_author = db_get_int(res, row, COL_HEAD_AUTHOR),
        .actor = r->who.user};
    BUG_ON(!task_state_parse(db_get_str(res, row, COL_STATE), &f->state));
    for (size_t i = 0; i < n && i < MAX_OVERLAP; i++)
        f->annotators[f->nannotators++] = people[i];
    n = db_get_ints(res, row, COL_HANDS, r->arena, &people);
    for (size_t i = 0; i < n && i < MAX_HANDS; i++)
        f->hands[f->nhands++] = people[i];
}

static void add_excluded(struct bulk *b, const struct decision *d)
{
    struct buf list;

    buf_init(&list, BUF_MAX_LINE);
    buf_putc(&list, '{');
    for (int i = 0; i < d->nexclude; i++)
        buf_printf(&list, i ? ",%lld" : "%lld", (long long)d->exclude[i]);
    buf_putc(&list, '}');
    db_array_text(&b->arrays[EXCLUDED], buf_view(&list));
    buf_release(&list);
}

static void decide(struct req *r, struct bulk *b, const PGresult *res, int row)
{
    struct task_facts f;
    struct decision d;
    enum action action;

    read_facts(r, &f, res, row);
    action = f.state == TASK_QA ? ACTION_PASS : ACTION_ACCEPT;
    if (db_get_bool(res, row, COL_EXCLUDED)) {
        refuse(b, f.id, "forbidden", "nobody accepts what they had a hand in");
        return;
    }
    if (db_is_null(res, row, COL_ASSIGNMENT) ||
        workflow_decide(&r->project->workflow, &f, action, &d)) {
        refuse(b, f.id, "conflict", "the task is not in review or QA");
        return;
    }
    b->sent[b->nsent++] = f.id;
    b->opens_qa |= d.to == TASK_QA;
    db_array_int(&b->arrays[TASK], f.id);
    db_array_int(&b->arrays[VERSION], db_get_int(res, row, COL_VERSION));
    db_array_text(&b->arrays[FROM], str_of(task_state_name(f.state)));
    db_array_text(&b->arrays[ACTION], str_of(action_name(action)));
    db_array_text(&b->arrays[TO], str_of(task_state_name(d.to)));
    db_array_int(&b->arrays[ASSIGNMENT], db_get_int(res, row, COL_ASSIGNMENT));
    add_excluded(b, &d);
}

/* Of the tasks that were asked for, those that the project has not. */
static void refuse_unknown(struct bulk *b, const PGresult *res)
{
    for (size_t i = 0; i < b->nasked; i++) {
        int row = 0, n = PQntuples(res);
        while (row < n && db_get_int(res, row, COL_TASK) != b->asked[i])
            row++;
        if (row == n)
            refuse(b, b->asked[i], "not-found", "there is no such task in the project");
    }
}

static void on_facts(struct req *r, const PGresult *res)
{
    struct bulk *b = r->user;
    int n = PQntuples(res);

    for (int row = 0; row < n; row++)
        decide(r, b, res, row);
    refuse_unknown(b, res);
    if (!b->asked && n == b->limit)
        b->last = db_get_int(res, n - 1, COL_TASK);
    if (b->nsent == 0) {
        answer(r, NULL);
        return;
    }
    struct query *q = query_new(r, STMT_bulk_accept, answer);
    for (int i = 0; i < ARRAYS; i++)
        db_array_bind(&b->arrays[i], &q->call);
    query_int(q, r->who.user);
    query_run(q);
}

/* ---- the request */

static bool read_tasks(struct req *r, struct bulk *b, struct json_object *list)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    if (n < 1 || n > BULK_MAX) {
        req_fail(r, ERR_INVALID, "/tasks", "must be an array of 1 to %d tasks", BULK_MAX);
        return false;
    }
    b->asked = arena_array(r->arena, n, sizeof(*b->asked));
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        int64_t task = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;
        if (task < 1 || task > JSON_INT_MAX) {
            req_fail(
                r, ERR_INVALID, arena_printf(r->arena, "/tasks/%zu", i), "must be a task's id");
            return false;
        }
        b->asked[b->nasked++] = task;
        db_array_int(&b->wanted, task);
    }
    return true;
}

void bulk_accept_handler(struct req *r)
{
    static const char *const members[] = {"tasks", "stage", "after", "limit"};
    struct bulk *b = bulk_new(r);
    struct str stage = {NULL, 0};
    int64_t after = 0;

    b->limit = 100;
    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "stage", false, 16, &stage) ||
        !body_int(r, "after", false, 0, JSON_INT_MAX, &after) ||
        !body_int(r, "limit", false, 1, BULK_MAX, &b->limit))
        return;
    if (!stage.p == !body_get(r, "tasks")) {
        req_fail(r, ERR_INVALID, "/tasks", "give either tasks or a stage");
        return;
    }
    if (stage.p && !str_is(stage, "review") && !str_is(stage, "qa")) {
        req_fail(r, ERR_INVALID, "/stage", "must be review or qa");
        return;
    }
    if (!stage.p && !read_tasks(r, b, body_get(r, "tasks")))
        return;
    r->user = b;
    struct query *q = query_new(r, STMT_bulk_facts, on_facts);
    query_int(q, r->id_arg[0]);
    db_array_bind(&b->wanted, &q->call);
    query_text(q, stage);
    query_int(q, after);
    query_int(q, b->limit);
    query_int(q, r->who.user);
    query_read(q);
}
