/* Owns the table of duties. Every round is bounded, so that none holds locks for long. */
#include "workers/upkeep/jobs.h"

#include "base/log.h"
#include "workers/upkeep/agreement_keep.h"
#include "workers/upkeep/erasure_keep.h"
#include "workers/upkeep/export_expire.h"
#include "workers/upkeep/label_index.h"
#include "workers/upkeep/storage_keep.h"
#include "workers/upkeep/upload_sweep.h"

enum { ROUND = 1000, DIGEST = 5000, LABELS = 500, TASKS = 200, MONTHS_AHEAD = 2, PACKS = 32 };

enum { EXPORTS = 20, PARTS = 200, STEPS = 50 };

const struct job jobs[] = {
    {"upkeep_plan", STMT_upkeep_plan, 3, 60000, INT64_MAX, false, NULL}, /* before all others */
    {"lease_expire", STMT_lease_expire, ROUND, 1000, ROUND, true, NULL},
    {"reservation_expire", STMT_reservation_expire, ROUND, 5000, ROUND, true, NULL},
    {"import_expire", STMT_import_expire, ROUND, 5000, ROUND, false, NULL},
    {"counter_fold", STMT_counter_fold, 1000, 2000, INT64_MAX, false, NULL},
    {"usage_fold", STMT_usage_fold, 1000, 2000, INT64_MAX, false, NULL},
    {"qa_fold", STMT_qa_fold, 1000, 10000, INT64_MAX, false, NULL},
    {"idempotency_expire", STMT_idempotency_expire, ROUND, 60000, ROUND, false, NULL},
    {"event_partition", STMT_event_partition, MONTHS_AHEAD, 3600000, INT64_MAX, false, NULL},
    {"digest_take", STMT_digest_take, DIGEST, 250, DIGEST, true, NULL},
    {"search_field_build", STMT_search_field_build, ROUND, 1000, 1, true, NULL},
    {"label_index", .run = label_index_run, .arg = LABELS, .every_ms = 250, .again_at = LABELS},
    {"export_expire", .run = export_expire_run, .arg = EXPORTS, .every_ms = 5000,
        .again_at = EXPORTS},
    {"erasure_keep", .run = erasure_keep_run, .arg = STEPS, .every_ms = 500, .again_at = STEPS},
    {"agreement_keep", .run = agreement_keep_run, .arg = TASKS, .every_ms = 500, .again_at = TASKS},
    {"storage_merge", .run = storage_merge_run, .arg = PACKS, .every_ms = 5000, .again_at = 100},
    {"storage_collect", .run = storage_collect_run, .every_ms = 10000, .again_at = INT64_MAX},
    {"storage_scrub", .run = storage_scrub_run, .every_ms = 1000, .again_at = INT64_MAX},
    {"upload_sweep", .run = upload_sweep_run, .arg = PARTS, .every_ms = 10000, .again_at = PARTS},
};

const size_t job_count = ARRAY_LEN(jobs);

enum err jobs_check(struct db_sync *db)
{
    struct db_call c;
    PGresult *res = NULL;

    db_call_init(&c, STMT_digest_identity, 0, NULL);
    enum err e = db_sync_run(db, &c, &res);
    if (!e && PQntuples(res) == 1 && !db_get_bool(res, 0, 0))
        log_error("digest_stop",
            "search and statistics stand still: this is database %.*s, restored from %.*s; run "
            "`annotate migrate --restored`",
            STR_FMT(db_get_str(res, 0, 2)), STR_FMT(db_get_str(res, 0, 1)));
    PQclear(res);
    return e;
}

enum err job_run(const struct job *j, struct db_sync *db, int64_t *rows)
{
    struct db_call c;
    PGresult *res = NULL;

    if (j->run)
        return j->run(db, j->arg, rows);
    struct arena *a = arena_new();
    db_call_init(&c, j->stmt, 0, NULL);
    db_int(&c, a, j->arg);
    enum err e = db_sync_run(db, &c, &res);
    *rows = e ? 0 : j->counts ? db_get_int(res, 0, 0) : PQntuples(res);
    PQclear(res);
    arena_free(a);
    return e;
}
