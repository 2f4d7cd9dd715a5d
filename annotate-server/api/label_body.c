/* Owns turning a `result` member into a canonical document. Never stores anything. */
#include "annotate-server/api/label_body.h"

#include "annotate-server/api/query.h"
#include "base/json_scan.h"

static void release(void *arg)
{
    struct labelled *l = arg;

    buf_release(&l->doc);
}

enum err label_body(struct req *r, struct json_object *result, struct json_object *data,
    unsigned flags, struct labelled **out, struct label_problem *problem)
{
    struct labelled *l = arena_alloc(r->arena, sizeof(*l));
    struct label_doc_info info;

    buf_init(&l->doc, BUF_MAX_LABEL);
    arena_defer(r->arena, release, l);
    enum err e = label_doc_canon(r->project->config, result, data, flags, &l->doc, &info, problem);
    if (e)
        return e;
    l->sha256 = sha256_of(buf_view(&l->doc));
    l->regions = info.regions;
    *out = l;
    return ERR_OK;
}

struct reading {
    void (*then)(struct req *r, struct labelled *label);
    void *user; /* the handler's, while we need r->user */
};

static void check(
    struct req *r, struct json_object *data, void (*then)(struct req *, struct labelled *))
{
    struct label_problem problem = {.pointer = "/result"};
    struct labelled *label;
    enum err e = label_body(r, body_get(r, "result"), data, 0, &label, &problem);

    if (e == ERR_LABEL_INVALID)
        req_fail(r, e, problem.pointer, "%s", problem.why);
    else if (e)
        req_fail(r, e, "/result", "%s", err_title(e));
    else
        then(r, label);
}

static void put(void *json)
{
    json_object_put(json);
}

/* As deep as an import may be, which is more than json-c's own limit. */
struct json_object *label_data(struct arena *a, struct str text)
{
    struct json_tokener *t = json_tokener_new_ex(JSON_DEPTH_IMPORT + 1);
    struct json_object *v;

    BUG_ON(!t);
    v = json_tokener_parse_ex(t, text.p, (int)text.n);
    json_tokener_free(t);
    arena_defer(a, put, v);
    return v;
}

static void on_data(struct req *r, const PGresult *res)
{
    struct reading *reading = r->user;
    struct json_object *data = NULL;

    r->user = reading->user;
    if (PQntuples(res) == 1)
        data = label_data(r->arena, db_get_str(res, 0, 0));
    check(r, data, reading->then);
}

bool label_needs_data(const struct label_config *c)
{
    for (const struct label_object *o = c->objects; o; o = o->next)
        if (str_is(o->type, "Text") || str_is(o->type, "Paragraphs") || o->list)
            return true;
    return false;
}

void label_body_read(struct req *r, void (*then)(struct req *r, struct labelled *label))
{
    struct reading *reading;

    if (!json_object_is_type(body_get(r, "result"), json_type_array)) {
        req_fail(r, ERR_INVALID, "/result", "must be an array of result items");
        return;
    }
    if (!label_needs_data(r->project->config)) {
        check(r, NULL, then);
        return;
    }
    reading = arena_alloc(r->arena, sizeof(*reading));
    reading->then = then;
    reading->user = r->user;
    r->user = reading;
    struct query *q = query_new(r, STMT_assignment_data, on_data);
    query_int(q, r->id_arg[0]);
    query_read(q);
}
