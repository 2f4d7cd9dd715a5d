/* Owns the table of duties. Every round is bounded, so that none holds locks for long. */
#include "workers/upkeep/jobs.h"

enum { ROUND = 1000, MONTHS_AHEAD = 2 };

const struct job jobs[] = {
    {"lease_expire", STMT_lease_expire, ROUND, 1000, ROUND},
    {"reservation_expire", STMT_reservation_expire, ROUND, 5000, ROUND},
    {"counter_fold", STMT_counter_fold, 1000, 2000, INT64_MAX},
    {"idempotency_expire", STMT_idempotency_expire, ROUND, 60000, ROUND},
    {"event_partition", STMT_event_partition, MONTHS_AHEAD, 3600000, INT64_MAX},
};

const size_t job_count = ARRAY_LEN(jobs);

enum err job_run(const struct job *j, struct db_sync *db, int64_t *rows)
{
    struct arena *a = arena_new();
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, j->stmt, 0, NULL);
    db_int(&c, a, j->arg);
    enum err e = db_sync_run(db, &c, &res);
    /* lease_expire counts in its answer; the others return the rows they handled. */
    *rows = e ? 0 : j->stmt == STMT_lease_expire ? db_get_int(res, 0, 0) : PQntuples(res);
    PQclear(res);
    arena_free(a);
    return e;
}
