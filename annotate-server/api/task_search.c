/* Owns a search: walk an index, look at what the filter asks, keep what matches, until the page is
 * full or enough tasks were looked at. Never counts, never skips by number, and examines a bounded
 * number of tasks a request (I9): `next` goes on where it stopped. */
#include "annotate-server/api/task_search.h"

#include <stdio.h>

#include "annotate-server/api/query.h"
#include "annotate-server/api/search_cursor.h"
#include "core/filter_facts.h"
#include "core/json_tree.h"

enum {
    STEP_MIN = 50, /* tasks of one step: a walk and its facts */
    STEP_MAX = 500,
    EXAMINE_MAX = 5000, /* tasks of one request */
};

/* Columns of search_facts; up to ANSWERED they are the answer's. */
enum {
    COL_ID,
    COL_STATE,
    COL_VERSION,
    COL_EXTERNAL_ID,
    COL_PRIORITY,
    COL_OVERLAP,
    COL_REWORK,
    COL_SKIP,
    COL_CREATED_AT,
    COL_UPDATED_AT,
    COL_CREATED_US,
    COL_UPDATED_US,
    COL_HOLDERS,
    COL_ANNOTATORS,
    COL_COMMENTS,
    COL_FIELDS,
    COL_LABELS,
};

struct search {
    struct filter filter;
    struct filter_plan plan;
    bool descending;
    int64_t limit;
    struct search_cursor at; /* id 0: before the first */
    /* the step: what the walk gave */
    struct search_cursor *walked;
    int nwalked, wanted;
    int examined;
    bool ended; /* the walk has no more */
    /* what matched: the members of the answer without data and meta */
    struct str *found;
    struct db_array *ids;
    int nfound;
};

static void step(struct req *r);

static void release(void *array)
{
    db_array_release(array);
}

/* An array parameter that lives with the request. */
static struct db_array *array_new(struct req *r, enum db_elem elem)
{
    struct db_array *a = arena_alloc(r->arena, sizeof(*a));

    db_array_init(a, elem);
    arena_defer(r->arena, release, a);
    return a;
}

/* ---- the answer */

static void on_data(struct req *r, const PGresult *res)
{
    struct search *s = r->user;
    struct buf out;

    if (PQntuples(res) != s->nfound) {
        req_fail(r, ERR_BUSY, NULL, "a task that was found has gone; search again");
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"tasks\":[");
    for (int i = 0; i < s->nfound; i++) {
        buf_putc(&out, '{');
        buf_str(&out, s->found[i]);
        buf_puts(&out, ",\"data\":");
        put_raw(&out, res, i, 0);
        buf_puts(&out, ",\"meta\":");
        put_raw(&out, res, i, 1);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_printf(&out, "],\"examined\":%d,\"next\":", s->examined);
    if (s->ended)
        buf_puts(&out, "null");
    else
        search_cursor_put(&out, &s->at);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static void finish(struct req *r)
{
    struct search *s = r->user;
    struct query *q = query_new(r, STMT_search_data, on_data);

    db_array_bind(s->ids, &q->call);
    query_run(q);
}

/* ---- facts and matches */

/* A JSON array that the database made, the caller's; NULL: an empty one. */
static struct json_object *array_of(const PGresult *res, int row, int col)
{
    struct json_object *v = NULL;

    if (db_is_null(res, row, col) ||
        json_tree_parse(db_get_str(res, row, col), JSON_DEPTH_REQUEST, &v, NULL))
        return NULL;
    return v;
}

static bool matches(struct req *r, const struct search *s, const PGresult *res, int row)
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
    t.nholders = db_get_ints(res, row, COL_HOLDERS, r->arena, &people);
    t.holders = people;
    t.nannotators = db_get_ints(res, row, COL_ANNOTATORS, r->arena, &people);
    t.annotators = people;
    filter_facts_slots(&t, fields);
    filter_facts_labels(&t, r->arena, labels);
    bool known = task_state_parse(db_get_str(res, row, COL_STATE), &t.state);
    bool yes = known && filter_match(&s->filter, &t);
    json_object_put(fields);
    json_object_put(labels);
    return yes;
}

static void keep(struct req *r, struct search *s, const PGresult *res, int row)
{
    static const struct {
        const char *name;
        void (*put)(struct buf *out, const PGresult *res, int row, int col);
    } members[] = {{"id", put_int}, {"state", put_str}, {"version", put_int},
        {"external_id", put_str}, {"priority", put_int}, {"overlap", put_int},
        {"rework_count", put_int}, {"skip_count", put_int}, {"created_at", put_raw},
        {"updated_at", put_raw}};
    struct buf out;

    buf_init(&out, BUF_MAX_LINE);
    for (int c = 0; c < (int)ARRAY_LEN(members); c++) {
        buf_printf(&out, "%s\"%s\":", c ? "," : "", members[c].name);
        members[c].put(&out, res, row, c);
    }
    s->found[s->nfound++] = arena_str(r->arena, buf_view(&out));
    db_array_int(s->ids, db_get_int(res, row, COL_ID));
    buf_release(&out);
}

/* The facts come in the order of the walk; a task that has gone meanwhile is not among them. */
static void on_facts(struct req *r, const PGresult *res)
{
    struct search *s = r->user;
    int row = 0, i = 0;

    for (; i < s->nwalked && s->nfound < s->limit; i++) {
        if (row == PQntuples(res) || db_get_int(res, row, COL_ID) != s->walked[i].id)
            continue;
        if (matches(r, s, res, row))
            keep(r, s, res, row);
        row++;
    }
    s->examined += i;
    if (i)
        s->at = s->walked[i - 1];
    s->ended = i == s->nwalked && s->nwalked < s->wanted;
    if (s->ended || s->nfound == s->limit || s->examined >= EXAMINE_MAX) {
        finish(r);
        return;
    }
    s->wanted = STEP_MAX; /* matches are rare: longer steps */
    step(r);
}

static void ask_facts(struct req *r)
{
    struct search *s = r->user;
    struct query *q = query_new(r, STMT_search_facts, on_facts);
    struct db_array *ids = array_new(r, DB_INT8), *slots = array_new(r, DB_TEXT);

    for (int i = 0; i < s->nwalked; i++)
        db_array_int(ids, s->walked[i].id);
    for (int i = 0; i < s->filter.nslots; i++)
        db_array_text(slots, str_of(s->filter.slots[i]));
    query_int(q, r->id_arg[0]);
    db_array_bind(ids, &q->call);
    query_bool(q, s->filter.holders);
    query_bool(q, s->filter.annotators);
    query_bool(q, s->filter.comments);
    db_array_bind(slots, &q->call);
    query_bool(q, s->filter.labels);
    query_run(q);
}

/* ---- the walk */

static void on_walk(struct req *r, const PGresult *res)
{
    struct search *s = r->user;

    s->nwalked = PQntuples(res);
    for (int i = 0; i < s->nwalked; i++) {
        s->walked[i] = (struct search_cursor){.id = db_get_int(res, i, 0)};
        if (!s->plan.by_id)
            s->walked[i].value = arena_str(r->arena, db_get_str(res, i, 1));
    }
    if (s->nwalked) {
        ask_facts(r);
    } else {
        s->ended = true;
        finish(r);
    }
}

static void bind_states(struct req *r, struct query *q, unsigned states)
{
    struct db_array *names = array_new(r, DB_TEXT);

    for (int i = 0; i < TASK_STATE_COUNT; i++)
        if (states & 1u << i)
            db_array_text(names, str_of(task_state_name((enum task_state)i)));
    db_array_bind(names, &q->call);
}

static void bind_users(struct req *r, struct query *q, const struct filter_plan *p)
{
    struct db_array *users = array_new(r, DB_INT8);

    for (size_t i = 0; i < p->nusers; i++)
        db_array_int(users, p->users[i]);
    db_array_bind(users, &q->call);
}

static void bind_number(struct req *r, struct query *q, double v)
{
    query_text(
        q, str_of(arena_printf(r->arena, "%.17g", v))); /* "inf" and "-inf" are numbers, too */
}

/* The value that the walk resumes at: the cursor's, or the bound that it begins with. */
static struct str resume_value(const struct search *s, struct str begin)
{
    return s->at.value.p ? s->at.value : begin;
}

static int64_t resume_id(const struct search *s)
{
    return s->at.id ? s->at.id : s->descending ? INT64_MAX : 0;
}

static void bind_field(struct req *r, struct query *q, const struct search *s)
{
    const struct filter_plan *p = &s->plan;
    bool number = p->walk == FILTER_BY_NUMBER;

    query_text(q, p->field);
    if (number) {
        bind_number(r, q, p->least);
        bind_number(r, q, p->most);
        query_text(q, resume_value(s, str_of(arena_printf(r->arena, "%.17g", p->least))));
    } else {
        query_text(q, p->low);
        query_text(q, p->high);
        query_text(q, resume_value(s, p->low));
    }
    query_int(q, resume_id(s));
    query_int(q, s->wanted);
    query_bool(q, s->descending);
}

static void step(struct req *r)
{
    static const enum statement walks[] = {[FILTER_BY_STATE] = STMT_search_by_state,
        [FILTER_BY_EXTERNAL] = STMT_search_by_external,
        [FILTER_BY_HOLDER] = STMT_search_by_holder,
        [FILTER_BY_ANNOTATOR] = STMT_search_by_annotator,
        [FILTER_BY_TEXT] = STMT_search_by_text,
        [FILTER_BY_NUMBER] = STMT_search_by_number};
    struct search *s = r->user;
    const struct filter_plan *p = &s->plan;
    struct query *q = query_new(r, walks[p->walk], on_walk);

    query_int(q, r->id_arg[0]);
    switch (p->walk) {
    case FILTER_BY_STATE:
        bind_states(r, q, p->states);
        break;
    case FILTER_BY_HOLDER:
        bind_users(r, q, p);
        break;
    case FILTER_BY_ANNOTATOR:
        query_int(q, p->users[0]);
        break;
    case FILTER_BY_EXTERNAL:
        query_text(q, p->low);
        query_text(q, p->high);
        query_text(q, resume_value(s, STR("")));
        query_int(q, s->wanted);
        query_run(q);
        return;
    default:
        bind_field(r, q, s);
        query_run(q);
        return;
    }
    query_int(q, resume_id(s));
    query_int(q, s->wanted);
    query_bool(q, s->descending);
    query_run(q);
}

/* ---- the request */

/* Every data path must be declared, and its values read. */
static void on_fields(struct req *r, const PGresult *res)
{
    struct search *s = r->user;

    for (int i = 0; i < s->filter.nslots; i++) {
        const char *path = s->filter.slots[i];
        int row = 0;
        if (!filter_is_path(str_of(path)))
            continue; /* score and agreement are always there */
        while (row < PQntuples(res) && !str_is(db_get_str(res, row, 0), path))
            row++;
        if (row == PQntuples(res) || str_is(db_get_str(res, row, 1), "dropping")) {
            req_fail(r, ERR_INVALID, "/filter",
                "%s is not indexed: a manager declares it with PUT /v1/projects/%lld/fields/%s",
                path, (long long)r->id_arg[0], path);
            return;
        }
        if (!str_is(db_get_str(res, row, 1), "ready")) {
            req_fail(r, ERR_CONFLICT, "/filter", "the index of %s is still being built", path);
            return;
        }
    }
    step(r);
}

static bool uses_data(const struct filter *f)
{
    for (int i = 0; i < f->nslots; i++)
        if (filter_is_path(str_of(f->slots[i])))
            return true;
    return false;
}

static bool read_order(struct req *r, struct search *s)
{
    struct str sort = {NULL, 0};

    if (!body_str(r, "sort", false, 10, &sort))
        return false;
    if (sort.p && !str_is(sort, "id") && !str_is(sort, "-id")) {
        req_fail(r, ERR_INVALID, "/sort", "must be id or -id, or be left out");
        return false;
    }
    s->descending = sort.p && sort.p[0] == '-';
    filter_plan(&s->filter, r->arena, sort.p != NULL, &s->plan);
    return true;
}

static bool read_cursor(struct req *r, struct search *s)
{
    struct str after = {NULL, 0};

    if (!body_str(r, "after", false, 2000, &after))
        return false;
    if (after.p && !search_cursor_parse(after, !s->plan.by_id, r->arena, &s->at)) {
        req_fail(r, ERR_INVALID, "/after", "is not the `next` of the same search");
        return false;
    }
    return true;
}

/* A number's cursor goes into a cast: it must be one. */
static bool cursor_fits(struct req *r, const struct search *s)
{
    struct json_object *v = NULL;
    bool fits =
        s->plan.walk != FILTER_BY_NUMBER || !s->at.value.p ||
        (!json_tree_parse(s->at.value, 1, &v, NULL) &&
            (json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double)));

    json_object_put(v);
    if (!fits)
        req_fail(r, ERR_INVALID, "/after", "is not the `next` of the same search");
    return fits;
}

void task_search_handler(struct req *r)
{
    static const char *const members[] = {"filter", "sort", "after", "limit"};
    struct search *s = arena_alloc(r->arena, sizeof(*s));
    struct filter_problem problem;

    s->limit = 100;
    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_int(r, "limit", false, 1, 500, &s->limit))
        return;
    if (filter_parse(&s->filter, r->arena, body_get(r, "filter"), &problem)) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/filter%s", problem.pointer), "%s",
            problem.why);
        return;
    }
    if (!read_order(r, s) || !read_cursor(r, s) || !cursor_fits(r, s))
        return;
    s->wanted = (int)(s->limit < STEP_MIN ? STEP_MIN : s->limit);
    s->walked = arena_array(r->arena, STEP_MAX, sizeof(*s->walked));
    s->found = arena_array(r->arena, (size_t)s->limit, sizeof(*s->found));
    s->ids = array_new(r, DB_INT8);
    r->user = s;
    if (!uses_data(&s->filter)) {
        step(r);
        return;
    }
    struct query *q = query_new(r, STMT_search_field_list, on_fields);
    query_int(q, r->id_arg[0]);
    query_run(q);
}
