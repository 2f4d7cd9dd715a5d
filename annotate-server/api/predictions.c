/* Owns POST /v1/projects/{id}/predictions: many pre-labels in one request, each its own transition,
 * one answer. One that is refused never fails the others. */
#include "annotate-server/api/idempotency.h"
#include "annotate-server/api/label_body.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/work.h"
#include "base/json_scan.h"

enum { PREDICTIONS_MAX = 500, MODEL_MAX = 200, FAILURE_MAX = 200 };

struct bulk {
    struct req *r;
    struct entry *entries;
    size_t n, pending;
    struct db_array ids; /* of the assignments, when labels need their task's data */
};

struct entry {
    struct bulk *bulk;
    struct transition t;
    struct json_object *result; /* NULL: a failure */
    struct json_object *data;   /* of the task, if the label needs it; NULL also: no such task */
    enum err refused;           /* before it became a transition */
    struct label_problem problem;
};

static void print_entry(const struct entry *e, struct buf *out)
{
    const struct transition *t = &e->t;

    buf_printf(out, "{\"assignment\":%lld,", (long long)t->assignment);
    if (e->refused) {
        buf_printf(out, "\"error\":\"%s\",\"pointer\":", err_slug(e->refused));
        buf_json(out, str_of(e->problem.pointer));
        buf_puts(out, ",\"detail\":");
        buf_json(out, str_of(e->problem.why));
    } else if (t->err) {
        buf_printf(out, "\"error\":\"%s\",\"detail\":", err_slug(t->err));
        buf_json(out, str_of(t->why));
    } else {
        buf_printf(out, "\"task\":{\"id\":%lld,\"state\":\"%s\",\"version\":%lld},\"label\":",
            (long long)t->task, task_state_name(t->to), (long long)t->task_version);
        if (t->label_id)
            buf_printf(out, "{\"id\":%lld,\"seq\":%d}", (long long)t->label_id, t->label_seq);
        else
            buf_puts(out, "null");
    }
    buf_puts(out, "},");
}

static void one_done(struct bulk *b)
{
    struct buf out;

    if (--b->pending)
        return;
    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"results\":[");
    for (size_t i = 0; i < b->n; i++)
        print_entry(&b->entries[i], &out);
    buf_chop(&out, ',');
    buf_puts(&out, "]}");
    idempotency_reply(b->r, 200, &out);
    buf_release(&out);
}

static void on_transition(struct transition *t)
{
    struct entry *e = t->user;

    one_done(e->bulk);
}

/* ---- reading an element; false: the request is not well-formed and has been answered */

static bool bad(struct req *r, size_t i, const char *member, const char *why)
{
    char *pointer = arena_alloc(r->arena, JSON_POINTER_SIZE);

    snprintf(pointer, JSON_POINTER_SIZE, "/predictions/%zu", i);
    if (member)
        (void)json_pointer_add(pointer, JSON_POINTER_SIZE, str_of(member));
    req_fail(r, ERR_INVALID, pointer, "%s", why);
    return false;
}

static bool known_members(struct req *r, size_t i, struct json_object *v)
{
    static const char *const members[] = {
        "assignment", "version", "model", "score", "result", "error"};

    if (!json_object_is_type(v, json_type_object))
        return bad(r, i, NULL, "must be an object");
    json_object_object_foreach(v, key, value)
    {
        size_t k = 0;
        (void)value;
        while (k < ARRAY_LEN(members) && strcmp(key, members[k]) != 0)
            k++;
        if (k == ARRAY_LEN(members))
            return bad(r, i, key, "unknown member");
    }
    return true;
}

static struct json_object *get(struct json_object *v, const char *name, enum json_type type)
{
    struct json_object *m = NULL;

    json_object_object_get_ex(v, name, &m);
    return json_object_is_type(m, type) ? m : NULL;
}

static struct str string_of(struct json_object *s)
{
    return (struct str){json_object_get_string(s), (size_t)json_object_get_string_len(s)};
}

static bool read_failure(struct req *r, size_t i, struct json_object *v, struct transition *t)
{
    struct json_object *error = get(v, "error", json_type_string);
    struct buf detail;

    if (!error || string_of(error).n > FAILURE_MAX)
        return bad(r, i, "error", "must be a short string, unless there is a result");
    buf_init(&detail, BUF_MAX_LINE);
    buf_puts(&detail, "{\"error\":");
    buf_json(&detail, string_of(error));
    buf_puts(&detail, ",\"model\":");
    buf_json(&detail, t->model);
    buf_putc(&detail, '}');
    t->detail = arena_str(r->arena, buf_view(&detail));
    buf_release(&detail);
    t->verb = VERB_PRELABEL_FAILED;
    return true;
}

static bool read_score(struct req *r, size_t i, struct json_object *v, struct transition *t)
{
    struct json_object *score = NULL;

    if (!json_object_object_get_ex(v, "score", &score))
        return true;
    t->score = json_object_get_double(score);
    if (!(json_object_is_type(score, json_type_double) ||
            json_object_is_type(score, json_type_int)) ||
        !(t->score >= 0 && t->score <= 1))
        return bad(r, i, "score", "must be a number from 0 to 1");
    return true;
}

static bool read_entry(struct req *r, size_t i, struct json_object *v, struct entry *e)
{
    struct transition *t = &e->t;
    struct json_object *assignment, *version, *model;

    if (!known_members(r, i, v))
        return false;
    assignment = get(v, "assignment", json_type_int);
    version = get(v, "version", json_type_int);
    model = get(v, "model", json_type_string);
    if (!assignment || json_object_get_int64(assignment) < 1)
        return bad(r, i, "assignment", "must be a whole number from 1 on");
    if (!version || json_object_get_int64(version) < 0)
        return bad(r, i, "version", "must be a whole number from 0 on");
    if (!model || string_of(model).n < 1 || string_of(model).n > MODEL_MAX)
        return bad(r, i, "model", "must be a string such as fashion@1");
    t->assignment = json_object_get_int64(assignment);
    t->version = json_object_get_int64(version);
    t->model = string_of(model);
    t->verb = VERB_PRELABELLED;
    e->result = get(v, "result", json_type_array);
    if (!e->result)
        return read_failure(r, i, v, t);
    if (json_object_object_get_ex(v, "error", NULL))
        return bad(r, i, "error", "must be a short string, unless there is a result");
    return read_score(r, i, v, t);
}

static void check_label(struct req *r, struct entry *e)
{
    snprintf(e->problem.pointer, sizeof(e->problem.pointer), "/result");
    e->refused = label_body(
        r, e->result, e->data, LABEL_DOC_PARTIAL | LABEL_DOC_GIVE_IDS, &e->t.label, &e->problem);
    if (e->refused && e->refused != ERR_LABEL_INVALID)
        snprintf(e->problem.why, sizeof(e->problem.why), "%s", err_title(e->refused));
}

static void start(struct bulk *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->entries[i].result)
            check_label(b->r, &b->entries[i]);
    b->pending = b->n + 1; /* its own, so that nothing is answered before all have started */
    for (size_t i = 0; i < b->n; i++) {
        if (b->entries[i].refused)
            one_done(b);
        else
            transition_start(&b->entries[i].t);
    }
    one_done(b);
}

/* ---- the texts that the labels are about */

static void on_data(struct req *r, const PGresult *res)
{
    struct bulk *b = r->user;

    for (int row = 0; row < PQntuples(res); row++) {
        struct entry *e = &b->entries[db_get_int(res, row, 0) - 1];
        e->data = label_data(r->arena, db_get_str(res, row, 1));
    }
    start(b);
}

static void release_ids(void *ids)
{
    db_array_release(ids);
}

static void fetch_data(struct bulk *b)
{
    struct req *r = b->r;
    struct query *q = query_new(r, STMT_assignments_data, on_data);

    db_array_init(&b->ids, DB_INT8);
    arena_defer(r->arena, release_ids, &b->ids);
    for (size_t i = 0; i < b->n; i++)
        db_array_int(&b->ids, b->entries[i].t.assignment);
    r->user = b;
    query_int(q, r->project->id);
    db_array_bind(&b->ids, &q->call);
    query_read(q);
}

void predictions_handler(struct req *r)
{
    static const char *const members[] = {"predictions"};
    struct bulk *b = arena_alloc(r->arena, sizeof(*b));
    struct json_object *list;

    if (!body_only(r, members, 1))
        return;
    list = body_get(r, "predictions");
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) == 0 ||
        json_object_array_length(list) > PREDICTIONS_MAX) {
        req_fail(r, ERR_INVALID, "/predictions", "must be an array of 1 to %d", PREDICTIONS_MAX);
        return;
    }
    b->r = r;
    b->n = json_object_array_length(list);
    b->entries = arena_array(r->arena, b->n, sizeof(*b->entries));
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        e->bulk = b;
        e->t = (struct transition){.ctx = r->ctx,
            .project = r->project,
            .tenant = r->who.tenant,
            .actor = r->who.user,
            .lead_time = -1,
            .score = -1,
            .done = on_transition,
            .user = e};
        if (!read_entry(r, i, json_object_array_get_idx(list, i), e))
            return;
    }
    if (label_needs_data(r->project->config))
        fetch_data(b);
    else
        start(b);
}
