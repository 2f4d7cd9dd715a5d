/* Owns applying a release's filter: walk the tasks of the states that can match, look at what the
 * filter asks, freeze what matches. Memory is one page (I9). */
#include "workers/export/choose.h"

#include "core/filter_facts.h"
#include "core/json_tree.h"

enum { PAGE = 1000 };

/* Columns of release_candidates. */
enum {
    COL_ID,
    COL_STATE,
    COL_EXTERNAL_ID,
    COL_PRIORITY,
    COL_REWORK,
    COL_SKIP,
    COL_CREATED_US,
    COL_UPDATED_US,
    COL_HOLDERS,
    COL_ANNOTATORS,
    COL_COMMENTS,
    COL_FIELDS,
    COL_LABELS,
    COL_HAS_LABEL,
};

struct choosing {
    struct db_sync *db;
    int64_t tenant, release, project, after;
    struct filter filter;
    struct filter_plan plan;
};

/* A JSON array that the database made, the caller's; NULL: an empty one. */
static struct json_object *array_of(const PGresult *res, int row, int col)
{
    struct json_object *v = NULL;

    if (db_is_null(res, row, col) ||
        json_tree_parse(db_get_str(res, row, col), JSON_DEPTH_REQUEST, &v, NULL))
        return NULL;
    return v;
}

static bool matches(const struct choosing *c, const PGresult *res, int row, struct arena *a)
{
    struct filter_facts t = {.priority = db_get_int(res, row, COL_PRIORITY),
        .rework_count = db_get_int(res, row, COL_REWORK),
        .skip_count = db_get_int(res, row, COL_SKIP),
        .created_us = db_get_int(res, row, COL_CREATED_US),
        .updated_us = db_get_int(res, row, COL_UPDATED_US),
        .has_comments = db_get_bool(res, row, COL_COMMENTS)};
    struct json_object *fields = array_of(res, row, COL_FIELDS);
    struct json_object *labels = array_of(res, row, COL_LABELS);
    int64_t *people;

    if (!db_is_null(res, row, COL_EXTERNAL_ID))
        t.external_id = db_get_str(res, row, COL_EXTERNAL_ID);
    t.nholders = db_get_ints(res, row, COL_HOLDERS, a, &people);
    t.holders = people;
    t.nannotators = db_get_ints(res, row, COL_ANNOTATORS, a, &people);
    t.annotators = people;
    filter_facts_slots(&t, fields);
    filter_facts_labels(&t, a, labels);
    bool yes = db_get_bool(res, row, COL_HAS_LABEL) &&
               task_state_parse(db_get_str(res, row, COL_STATE), &t.state) &&
               filter_match(&c->filter, &t);
    json_object_put(fields);
    json_object_put(labels);
    return yes;
}

static enum err ask(struct choosing *c, struct arena *a, PGresult **page)
{
    struct db_array states, slots;
    struct db_call call;

    db_array_init(&states, DB_TEXT);
    db_array_init(&slots, DB_TEXT);
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        if (c->plan.states & 1u << i)
            db_array_text(&states, str_of(task_state_name((enum task_state)i)));
    for (int i = 0; i < c->filter.nslots; i++)
        db_array_text(&slots, str_of(c->filter.slots[i]));
    db_call_init(&call, STMT_release_candidates, 0, NULL);
    db_int(&call, a, c->tenant);
    db_int(&call, a, c->project);
    db_array_bind(&states, &call);
    db_int(&call, a, c->after);
    db_int(&call, a, PAGE);
    db_bool(&call, c->filter.holders);
    db_bool(&call, c->filter.annotators);
    db_bool(&call, c->filter.comments);
    db_array_bind(&slots, &call);
    db_bool(&call, c->filter.labels);
    enum err e = db_sync_run(c->db, &call, page);
    db_array_release(&states);
    db_array_release(&slots);
    return e;
}

static enum err take(struct choosing *c, struct arena *a, const PGresult *page)
{
    struct db_array tasks;
    struct db_call call;
    PGresult *res = NULL;

    db_array_init(&tasks, DB_INT8);
    for (int row = 0; row < PQntuples(page); row++)
        if (matches(c, page, row, a))
            db_array_int(&tasks, db_get_int(page, row, COL_ID));
    db_call_init(&call, STMT_release_take, 0, NULL);
    db_int(&call, a, c->tenant);
    db_int(&call, a, c->release);
    db_array_bind(&tasks, &call);
    enum err e = db_sync_run(c->db, &call, &res);
    PQclear(res);
    db_array_release(&tasks);
    return e;
}

static enum err walk(struct choosing *c)
{
    int n = PAGE;
    enum err e = ERR_OK;

    while (!e && n == PAGE) {
        struct arena *a = arena_new();
        PGresult *page = NULL;
        e = ask(c, a, &page);
        n = e ? 0 : PQntuples(page);
        if (n) {
            c->after = db_get_int(page, n - 1, COL_ID);
            e = take(c, a, page);
        }
        PQclear(page);
        arena_free(a);
    }
    return e;
}

enum err choose_by_filter(
    struct db_sync *db, int64_t tenant, int64_t release, int64_t project, struct str filter)
{
    struct choosing c = {.db = db, .tenant = tenant, .release = release, .project = project};
    struct arena *a = arena_new();
    struct json_object *json = NULL;
    struct filter_problem problem;
    enum err e = json_tree_parse(filter, JSON_DEPTH_REQUEST, &json, NULL);

    if (!e)
        e = filter_parse(&c.filter, a, json, &problem);
    if (!e) {
        filter_plan(&c.filter, a, true, &c.plan);
        e = walk(&c);
    }
    json_object_put(json);
    arena_free(a);
    return e == ERR_BAD_JSON ? ERR_INVALID : e;
}
