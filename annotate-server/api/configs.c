/* Owns the versions of a project's label config. Never takes one away or changes one: labels name
 * the version that they were made under. A new one comes only after what there is was held against
 * it, or when the caller says that labels may break. */
#include "annotate-server/api/config_check.h"
#include "annotate-server/api/projects.h"
#include "annotate-server/api/query.h"
#include "annotate-server/project.h"
#include "base/json_scan.h"

/* ---- reading */

static void put_members(struct buf *out, const struct req *r, const PGresult *res, int row)
{
    buf_puts(out, "\"version\":");
    put_int(out, res, row, 0);
    buf_puts(out, ",\"created_by\":");
    put_int(out, res, row, 1);
    buf_puts(out, ",\"created_at\":");
    put_raw(out, res, row, 2);
    buf_printf(out, ",\"current\":%s",
        db_get_int(res, row, 0) == r->project->config_version ? "true" : "false");
}

static void on_list(struct req *r, const PGresult *res)
{
    const int64_t *limit = r->user;
    int n = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"label_configs\":[");
    for (int row = 0; row < n; row++) {
        buf_puts(&out, row ? ",{" : "{");
        put_members(&out, r, res, row);
        buf_putc(&out, '}');
    }
    buf_puts(&out, "],");
    page_end(&out, n, *limit, n ? db_get_int(res, n - 1, 0) : 0);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void config_list_handler(struct req *r)
{
    int64_t *limit = arena_alloc(r->arena, sizeof(*limit)), after;

    if (!page_params(r, &after, limit))
        return;
    r->user = limit;
    struct query *q = query_new(r, STMT_config_list, on_list);
    query_int(q, r->id_arg[0]);
    query_int(q, after < INT32_MAX ? after : INT32_MAX);
    query_int(q, *limit);
    query_run(q);
}

static void no_config(struct req *r)
{
    req_fail(r, ERR_NOT_FOUND, NULL, "the project has no such label config");
}

static void on_config(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        no_config(r);
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    buf_putc(&out, '{');
    put_members(&out, r, res, 0);
    buf_puts(&out, ",\"label_config\":");
    put_str(&out, res, 0, 3);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void config_get_handler(struct req *r)
{
    int64_t version;

    if (!str_int(r->arg[1], &version) || version < 1 || version > INT32_MAX) {
        no_config(r);
        return;
    }
    struct query *q = query_new(r, STMT_config_get, on_config);
    query_int(q, r->id_arg[0]);
    query_int(q, version);
    query_run(q);
}

/* ---- a new one */

struct change {
    struct config_check check;
    struct str xml;
};

static void release(void *config)
{
    label_config_free(config);
}

/* The body's label_config and `after`, as a check to run. NULL: answered. */
static struct change *read_change(struct req *r, void (*done)(struct req *, struct config_check *))
{
    struct change *c = arena_alloc(r->arena, sizeof(*c));
    char why[LABEL_CONFIG_WHY] = "";
    struct label_config *config;

    if (!body_str(r, "label_config", true, LABEL_CONFIG_MAX, &c->xml) ||
        !body_int(r, "after", false, 0, JSON_INT_MAX, &c->check.after))
        return NULL;
    if (label_config_parse(c->xml, &config, why)) {
        req_fail(r, ERR_INVALID, "/label_config", "%s", why);
        return NULL;
    }
    arena_defer(r->arena, release, config);
    c->check.r = r;
    c->check.config = config;
    c->check.done = done;
    return c;
}

static void report(struct req *r, struct config_check *check)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    config_check_print(check, &out);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void config_check_handler(struct req *r)
{
    static const char *const members[] = {"label_config", "after"};
    struct change *c;

    if (body_only(r, members, ARRAY_LEN(members)) && (c = read_change(r, report)))
        config_check_run(&c->check);
}

static void on_added(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        req_fail(r, ERR_VERSION, NULL, "the project has been changed by somebody else");
        return;
    }
    project_forget(r->ctx->server, r->who.tenant, r->id_arg[0]);
    project_reply_stored(r, res, 201);
}

static void add(struct req *r, const struct change *c)
{
    struct query *q = query_new(r, STMT_config_add, on_added);

    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_text(q, c->xml);
    query_int(q, r->who.user);
    query_run(q);
}

static void refuse(struct req *r, const struct config_check *check)
{
    struct buf extra;

    buf_init(&extra, BUF_MAX_JSON);
    buf_puts(&extra, "\"report\":");
    config_check_print(check, &extra);
    req_fail_extra(r, ERR_CONFLICT, "/accept_broken", buf_view(&extra).p, "%s",
        check->broken ? "labels or drafts would break; see the report"
                      : "not all could be looked at in one request: send `after` with `next`");
    buf_release(&extra);
}

static void checked(struct req *r, struct config_check *check)
{
    if (check->end && !check->broken)
        add(r, container_of(check, struct change, check));
    else
        refuse(r, check);
}

void config_add_handler(struct req *r)
{
    static const char *const members[] = {"label_config", "after", "accept_broken"};
    bool accept_broken = false;
    struct change *c;

    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_bool(r, "accept_broken", &accept_broken) || !(c = read_change(r, checked)))
        return;
    if (r->version != r->project->version) /* cheap, before the walk; the statement decides */
        req_fail(r, ERR_VERSION, NULL, "the project has been changed by somebody else");
    else if (accept_broken)
        add(r, c);
    else
        config_check_run(&c->check);
}
