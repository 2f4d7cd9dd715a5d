/* annotate-export: builds the releases that managers order, writes exports of them into blob
 * storage, takes deleted ones away. Never serves a request. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "base/log.h"
#include "base/process.h"
#include "workers/export/build.h"
#include "workers/export/job.h"
#include "workers/export/remove.h"

enum { RETRY_MS = 1000 };

static const struct {
    const char *name;
    enum err (*next)(struct db_sync *db, bool *did);
} duties[] = {{"build", build_next}, {"export", job_next}, {"remove", remove_next}};

/* A step of each duty. *did: there was something to do. */
static enum err step(struct db_sync *db, bool *did)
{
    enum err e = ERR_OK;

    *did = false;
    for (size_t i = 0; !e && i < ARRAY_LEN(duties) && !process_stopping(); i++) {
        bool one = false;
        e = duties[i].next(db, &one);
        if (e)
            log_warn("export", "%s: %s; trying again", duties[i].name, err_title(e));
        *did |= one;
    }
    return e;
}

/* Until asked to stop: do what waits, then look again every poll_ms. */
static void work(struct db_sync *db)
{
    while (!process_stopping()) {
        bool did = false;
        if (step(db, &did)) {
            process_sleep_ms(RETRY_MS);
            return;
        }
        if (!did)
            process_sleep_ms(config_int(CONFIG_poll_ms));
    }
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    int used = config_load(
        PROGRAM_EXPORT, "annotate-export: builds dataset releases and exports", argc, argv);
    if (used < argc) {
        fprintf(stderr, "%s: %s: unexpected argument (see --help)\n", argv[0], argv[used]);
        return 2;
    }
    log_init("annotate-export", config_str(CONFIG_log_level));
    process_catch_stop();
    if (process_pid_file(config_str(CONFIG_pid_file)))
        return 1;
    while (!process_stopping()) {
        struct db_sync *db;
        if (db_sync_open(&db, config_str(CONFIG_db_worker), STATEMENT_EXPORT)) {
            process_sleep_ms(RETRY_MS);
            continue;
        }
        log_info("started", "building releases");
        work(db);
        db_sync_close(db);
    }
    process_pid_remove(config_str(CONFIG_pid_file));
    log_info("stopped", "good-bye");
    return 0;
}
