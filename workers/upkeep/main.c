/* annotate-upkeep: expires leases and reservations, folds counters, keeps search and statistics up
 * to date. Any number may run: rows are taken with SKIP LOCKED. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/process.h"
#include "workers/upkeep/jobs.h"

enum { RETRY_MS = 1000 };

/* Runs what is due; false when the database has to be opened again. A duty that fails keeps none of
 * the others from their turn. */
static bool round_of(struct db_sync *db, int64_t *due_us)
{
    bool good = true;

    for (size_t i = 0; i < job_count && !process_stopping(); i++) {
        int64_t rows = 0;
        if (clock_mono_us() < due_us[i])
            continue;
        if (job_run(&jobs[i], db, &rows)) {
            due_us[i] = clock_mono_us() + RETRY_MS * 1000;
            good = false;
            continue;
        }
        if (rows)
            log_debug("upkeep", "%s: %lld rows", jobs[i].name, (long long)rows);
        due_us[i] = rows >= jobs[i].again_at ? 0 : clock_mono_us() + jobs[i].every_ms * 1000;
    }
    return good;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    int used =
        config_load(PROGRAM_UPKEEP, "annotate-upkeep: expires leases, folds counters", argc, argv);
    if (used < argc) {
        fprintf(stderr, "%s: %s: unexpected argument (see --help)\n", argv[0], argv[used]);
        return 2;
    }
    log_init("annotate-upkeep", config_str(CONFIG_log_level));
    process_catch_stop();
    int64_t *due_us = calloc(job_count, sizeof(*due_us));
    BUG_ON(!due_us);
    if (process_pid_file(config_str(CONFIG_pid_file)))
        return 1;
    while (!process_stopping()) {
        struct db_sync *db;
        if (db_sync_open(&db, config_str(CONFIG_db_worker), STATEMENT_UPKEEP)) {
            process_sleep_ms(RETRY_MS);
            continue;
        }
        log_info("started", "%zu duties", job_count);
        bool good = !jobs_check(db);
        while (good && !process_stopping() && (good = round_of(db, due_us)))
            process_sleep_ms(config_int(CONFIG_poll_ms));
        db_sync_close(db);
        if (!process_stopping())
            process_sleep_ms(RETRY_MS); /* what failed may fail again at once */
    }
    free(due_us);
    process_pid_remove(config_str(CONFIG_pid_file));
    log_info("stopped", "good-bye");
    return 0;
}
