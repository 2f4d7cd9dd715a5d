/* Owns turning a `result` member into a canonical document. Never stores anything. */
#include "annotate-server/api/label_body.h"

#include "annotate-server/api/query.h"

static void release(void *arg)
{
    struct labelled *l = arg;

    buf_release(&l->doc);
}

enum err label_body(struct req *r, struct json_object *result, unsigned flags,
    struct labelled **out, struct label_problem *problem)
{
    struct labelled *l = arena_alloc(r->arena, sizeof(*l));
    struct label_doc_info info;

    buf_init(&l->doc, BUF_MAX_LABEL);
    arena_defer(r->arena, release, l);
    enum err e = label_doc_canon(r->project->config, result, NULL, flags, &l->doc, &info, problem);
    if (e)
        return e;
    l->sha256 = sha256_of(buf_view(&l->doc));
    l->regions = info.regions;
    *out = l;
    return ERR_OK;
}

bool label_body_required(struct req *r, struct labelled **out)
{
    struct json_object *result = body_get(r, "result");
    struct label_problem problem = {.pointer = "/result"};

    if (!json_object_is_type(result, json_type_array)) {
        req_fail(r, ERR_INVALID, "/result", "must be an array of result items");
        return false;
    }
    enum err e = label_body(r, result, 0, out, &problem);
    if (e == ERR_LABEL_INVALID)
        req_fail(r, e, problem.pointer, "%s", problem.why);
    else if (e)
        req_fail(r, e, "/result", "%s", err_title(e));
    return e == ERR_OK;
}
