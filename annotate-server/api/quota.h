/* What a tenant may use at most (schema/migrations/0011_quota.sql). The database enforces it; here
 * it is told, and an import or an upload is refused before it has cost much. */
#ifndef API_QUOTA_H
#define API_QUOTA_H

#include "annotate-server/api/query.h"

struct quota {
    const char *name;    /* "tasks" */
    int64_t limit, used; /* limit < 0: none */
};

struct quota_room {
    struct quota tasks, bytes;
};

/* From a result of quota_room, whose columns begin at `col`. */
struct quota_room quota_room(const PGresult *res, int row, int col);
static inline bool quota_allows(const struct quota *q, int64_t more)
{
    return q->limit < 0 || (q->used <= q->limit && more <= q->limit - q->used);
}

/* Members of a problem, `"quota":…,"limit":…,"used":…`, in the arena: of a quota; of the error
 * that the database raised. */
const char *quota_members(struct arena *a, const struct quota *q);
const char *quota_raised(struct arena *a, const PGresult *error);
/* Answers a statement that failed with ERR_QUOTA. */
void quota_fail(struct req *r, const PGresult *error);

void tenant_usage_handler(struct req *r);

#endif
