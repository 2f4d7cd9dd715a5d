/* Owns projects as a resource. Never stores a workflow or a label config that does not parse. */
#include "annotate-server/api/projects.h"

#include "annotate-server/api/query.h"
#include "annotate-server/api/templates.h"
#include "annotate-server/auth/gate.h"
#include "annotate-server/project.h"
#include "base/hash.h"

static void reply_project(struct req *r, const struct project *p, int status)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_printf(&out, "{\"id\":%lld,\"name\":", (long long)p->id);
    buf_json(&out, str_of(p->name));
    buf_puts(&out, ",\"label_config\":");
    buf_json(&out, str_of(p->xml));
    buf_printf(&out, ",\"label_config_version\":%d,\"workflow\":", p->config_version);
    workflow_print(&p->workflow, &out);
    buf_printf(&out,
        ",\"paused\":%s,\"archived\":%s,\"version\":%lld,\"role\":\"%s\",\"created_at\":%s}",
        p->paused ? "true" : "false", p->archived ? "true" : "false", (long long)p->version,
        role_name(r->who.role), p->created_at);
    req_set_etag(r, p->version);
    req_reply_json(r, status, &out);
    buf_release(&out);
}

void project_get_handler(struct req *r)
{
    reply_project(r, r->project, 200);
}

/* ---- list */

struct page {
    int64_t limit;
};

static void on_projects(struct req *r, const PGresult *res)
{
    const struct page *p = r->user;
    int n = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"projects\":[");
    for (int i = 0; i < n; i++) {
        buf_puts(&out, "{\"id\":");
        put_int(&out, res, i, 0);
        buf_puts(&out, ",\"name\":");
        put_str(&out, res, i, 1);
        buf_puts(&out, ",\"role\":");
        put_str(&out, res, i, 2);
        buf_puts(&out, ",\"paused\":");
        put_bool(&out, res, i, 3);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    page_end(&out, n, p->limit, n ? db_get_int(res, n - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void project_list_handler(struct req *r)
{
    struct page *p = arena_alloc(r->arena, sizeof(*p));
    bool archived = false;
    int64_t after;

    if (!page_params(r, &after, &p->limit) || !flag_param(r, "archived", &archived))
        return;
    r->user = p;
    struct query *q = query_new(r, STMT_project_list, on_projects);
    query_int(q, after);
    query_int(q, r->who.user);
    query_bool(q, r->who.admin);
    query_int(q, p->limit);
    query_bool(q, archived);
    query_run(q);
}

/* ---- create and change */

/* The canonical text of the member `workflow`; {NULL,0} when absent. false: answered. */
static bool read_workflow(struct req *r, struct str *out)
{
    struct json_object *v = body_get(r, "workflow");
    char pointer[64] = "", why[128] = "";
    struct workflow w;
    struct buf text;

    if (!v)
        return true;
    if (workflow_parse(
            &w, str_of(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN)), pointer, why)) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/workflow%s", pointer), "%s", why);
        return false;
    }
    buf_init(&text, BUF_MAX_JSON);
    workflow_print(&w, &text);
    *out = arena_str(r->arena, buf_view(&text));
    buf_release(&text);
    return true;
}

void project_reply_stored(struct req *r, const PGresult *res, int status)
{
    struct project *p = project_remember(r->ctx, r->who.tenant, res);

    if (!p) {
        req_fail(r, ERR_INTERNAL, NULL, "the project cannot be read back");
        return;
    }
    r->who.role = r->who.role ? r->who.role : ROLE_MANAGER;
    reply_project(r, p, status);
}

static void on_created(struct req *r, const PGresult *res)
{
    project_reply_stored(r, res, 201);
}

void project_create_handler(struct req *r)
{
    static const char *const members[] = {"name", "label_config", "workflow", "template"};
    struct str name = {NULL, 0}, template = {NULL, 0}, xml = {NULL, 0}, workflow = STR("{}");
    char why[LABEL_CONFIG_WHY] = "";
    struct label_config *config;
    int64_t salt;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "name", true, 200, &name) ||
        !body_str(r, "template", false, 64, &template) ||
        (template.p && !template_apply(r, template, &xml, &workflow)) ||
        !body_str(r, "label_config", !template.p, LABEL_CONFIG_MAX, &xml) ||
        !read_workflow(r, &workflow))
        return;
    if (label_config_parse(xml, &config, why)) {
        req_fail(r, ERR_INVALID, "/label_config", "%s", why);
        return;
    }
    label_config_free(config);
    random_bytes(&salt, sizeof(salt));
    struct query *q = query_new(r, STMT_project_create, on_created);
    query_text(q, name);
    query_text(q, workflow);
    query_int(q, salt);
    query_int(q, r->who.user);
    query_text(q, xml);
    query_run(q);
}

static void on_updated(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        req_fail(r, ERR_VERSION, NULL, "the project has been changed by somebody else");
        return;
    }
    project_forget(r->ctx->server, r->who.tenant, r->id_arg[0]);
    project_reply_stored(r, res, 200);
}

void project_update_handler(struct req *r)
{
    static const char *const members[] = {"name", "workflow", "paused"};
    struct str name = {NULL, 0}, workflow = {NULL, 0};
    bool paused = false;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "name", false, 200, &name) ||
        !read_workflow(r, &workflow) || !body_bool(r, "paused", &paused))
        return;
    if (name.p && name.n == 0) {
        req_fail(r, ERR_INVALID, "/name", "must not be empty");
        return;
    }
    struct query *q = query_new(r, STMT_project_update, on_updated);
    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_text(q, name);
    query_text(q, workflow);
    if (body_get(r, "paused"))
        query_bool(q, paused);
    else
        query_null(q);
    query_run(q);
}

/* ---- progress */

static const struct {
    const char *prefix, *title; /* of counter names; of the answer's member */
} groups[] = {{"task.", "tasks"}, {"label.", "labels"}, {"action.", "actions"}};

static void put_group(struct buf *out, const PGresult *res, size_t group, int64_t *total)
{
    struct str prefix = str_of(groups[group].prefix);
    static const char *const states[] = {
        "prelabel", "annotate", "review", "qa", "done", "skipped", "archived"};
    bool seen[ARRAY_LEN(states)] = {false};

    buf_printf(out, "\"%s\":{", groups[group].title);
    for (int i = 0; i < PQntuples(res); i++) {
        struct str name = db_get_str(res, i, 0);
        if (!str_starts(name, prefix))
            continue;
        name = (struct str){name.p + prefix.n, name.n - prefix.n};
        if (str_is(name, "none"))
            continue;
        buf_json(out, name);
        buf_putc(out, ':');
        put_int(out, res, i, 1);
        buf_putc(out, ',');
        for (size_t s = 0; group == 0 && s < ARRAY_LEN(states); s++)
            seen[s] = seen[s] || str_is(name, states[s]);
        if (group == 0)
            *total += db_get_int(res, i, 1);
    }
    for (size_t s = 0; group == 0 && s < ARRAY_LEN(states); s++)
        if (!seen[s])
            buf_printf(out, "\"%s\":0,", states[s]);
    buf_chop(out, ',');
    buf_puts(out, "},");
}

static void on_progress(struct req *r, const PGresult *res)
{
    int64_t total = 0;
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_putc(&out, '{');
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        put_group(&out, res, g, &total);
    buf_printf(&out, "\"total\":%lld}", (long long)total);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void progress_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_progress_get, on_progress);

    query_int(q, r->id_arg[0]);
    query_run(q);
}
