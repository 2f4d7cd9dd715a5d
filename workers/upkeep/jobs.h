/* The regular duties, a row each: what keeps the system tidy but is never needed for correctness.
 */
#ifndef UPKEEP_JOBS_H
#define UPKEEP_JOBS_H

#include "io/db.h"

struct job {
    const char *name;
    enum statement stmt;
    int64_t arg; /* the statement's one parameter: rows at a time; counter_fold: rows to leave;
                    event_partition: months */
    int64_t every_ms;
    int64_t again_at; /* run again at once while a round handles this many rows */
    bool counts;      /* the statement answers how many rows it handled; else they are its answer */
    /* A duty of more than one statement; stmt is unused. */
    enum err (*run)(struct db_sync *db, int64_t arg, int64_t *rows);
};

extern const struct job jobs[];
extern const size_t job_count;

/* Says so in the log when the statistics stand still, as this database is not the one whose events
 * they are sums of. To be called once a connection. */
enum err jobs_check(struct db_sync *db) MUSTCHECK;

/* One round; *rows = how many rows it handled. */
enum err job_run(const struct job *j, struct db_sync *db, int64_t *rows) MUSTCHECK;

#endif
