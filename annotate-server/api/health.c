/* Owns /healthz, /readyz, /metrics and /openapi.json. Never shows a tenant's data. */
#include "annotate-server/api/health.h"

#include "annotate-server/api/query.h"
#include "annotate-server/http/metrics.h"
#include "annotate-server/http/openapi.h"
#include "annotate-server/http/route.h"

void health_handler(struct req *r)
{
    req_reply(r, 200, "application/json", STR("{\"status\":\"ok\"}"));
}

static void on_ready(struct req *r, const PGresult *res)
{
    (void)res;
    req_reply(r, 200, "application/json", STR("{\"status\":\"ready\"}"));
}

static void on_not_ready(struct req *r, enum err e)
{
    (void)e;
    req_fail(r, ERR_UNAVAILABLE, NULL, "the database does not answer");
}

void ready_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_health_check, on_ready);

    q->failed = on_not_ready;
    if (db_pool_ready(r->ctx->db))
        query_run(q);
    else
        on_not_ready(r, ERR_UNAVAILABLE);
}

void metrics_handler(struct req *r)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    metrics_print(&out);
    req_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_view(&out));
    buf_release(&out);
}

void openapi_handler(struct req *r)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    openapi_print(routes, route_count, &out);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}
