/* Owns telling what a tenant may use and uses. Never decides: the database does, in the transaction
 * of the write, so that two writes at once cannot both take the last place. */
#include "annotate-server/api/quota.h"

static struct quota quota_at(const PGresult *res, int row, int col, const char *name)
{
    return (struct quota){name, db_is_null(res, row, col) ? -1 : db_get_int(res, row, col),
        db_get_int(res, row, col + 1)};
}

struct quota_room quota_room(const PGresult *res, int row, int col)
{
    return (struct quota_room){
        quota_at(res, row, col, "tasks"), quota_at(res, row, col + 2, "bytes")};
}

const char *quota_members(struct arena *a, const struct quota *q)
{
    return arena_printf(a, "\"quota\":\"%s\",\"limit\":%lld,\"used\":%lld", q->name,
        (long long)q->limit, (long long)q->used);
}

const char *quota_raised(struct arena *a, const PGresult *error)
{
    return arena_printf(a, "%s", PQresultErrorField(error, PG_DIAG_MESSAGE_DETAIL));
}

void quota_fail(struct req *r, const PGresult *error)
{
    req_fail_extra(r, ERR_QUOTA, NULL, quota_raised(r->arena, error), "%s",
        PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY));
}

static void on_usage(struct req *r, const PGresult *res)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"quotas\":[");
    for (int row = 0; row < PQntuples(res); row++) {
        buf_puts(&out, "{\"quota\":");
        put_str(&out, res, row, 0);
        buf_puts(&out, ",\"limit\":");
        put_int(&out, res, row, 1);
        buf_puts(&out, ",\"used\":");
        put_int(&out, res, row, 2);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "]}");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void tenant_usage_handler(struct req *r)
{
    query_run(query_new(r, STMT_quota_list, on_usage));
}
