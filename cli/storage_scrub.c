/* Owns `annotate storage scrub` and `status`: everything is read and hashed again, and what was
 * found. Results go to stdout as lines of JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/process.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "cli/storage.h"
#include "storage/scrub.h"

/* Waits until so many bytes may have been read. */
static void keep_rate(int64_t begun_us, int64_t bytes, int64_t rate)
{
    int64_t due_us = rate ? begun_us + (int64_t)((double)bytes / (double)rate * 1e6) : 0;
    int64_t wait_ms = (due_us - clock_mono_us()) / 1000;

    if (wait_ms > 0)
        process_sleep_ms(wait_ms);
}

static void report(const struct scrub *s)
{
    printf("{\"labels\":%" PRId64 ",\"media\":%" PRId64 ",\"bytes\":%" PRId64
           ",\"findings\":%" PRId64 "}\n",
        s->labels, s->media, s->bytes, s->findings);
    fflush(stdout);
}

/* One walk from the first object to the last; false when it was cut short. */
static bool walk(struct scrub *s, int64_t rate)
{
    int64_t begun_us = clock_mono_us();

    do {
        int64_t read;
        enum err e = scrub_step(s, &read);
        if (e) {
            fail("the scrub ended early: %s.", err_title(e));
            return false;
        }
        keep_rate(begun_us, s->bytes, rate);
    } while (s->place.n && !process_stopping());
    report(s);
    return s->place.n == 0;
}

int storage_scrub(int argc, char **argv)
{
    bool once = false, good;
    int64_t rate = 0;
    const struct opt opts[] = {{"rate", .number = &rate}, {"once", .flag = &once}};
    struct blob_store blobs;
    struct db_sync *db;
    int status = 1;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    process_catch_stop();
    if (storage_open(&blobs, &db)) {
        do {
            struct scrub s;
            scrub_init(&s, db, &blobs, STR(""));
            good = walk(&s, rate);
            status = !good || s.findings > 0;
            scrub_release(&s);
        } while (good && !once);
    }
    storage_close(&blobs, db);
    return status;
}

static void print_finding(const PGresult *r, int row)
{
    printf("{\"tenant\":%" PRId64
           ",\"kind\":\"%.*s\",\"id\":\"%.*s\",\"what\":\"%.*s\",\"at\":%.*s}\n",
        db_get_int(r, row, 0), STR_FMT(db_get_str(r, row, 1)), STR_FMT(db_get_str(r, row, 2)),
        STR_FMT(db_get_str(r, row, 3)), STR_FMT(db_get_str(r, row, 4)));
}

/* Page by page, each behind the last of the one before. */
static enum err print_findings(struct db_sync *db, struct arena *a, int64_t *all)
{
    int64_t tenant = 0;
    struct str kind = STR(""), id = STR("");
    enum err e;
    int n;

    do {
        struct db_call c;
        PGresult *r = NULL;
        db_call_init(&c, STMT_scrub_findings, 0, NULL);
        db_int(&c, a, tenant);
        db_text(&c, a, kind);
        db_text(&c, a, id);
        e = db_sync_run(db, &c, &r);
        n = e ? 0 : PQntuples(r);
        for (int row = 0; row < n; row++)
            print_finding(r, row);
        if (n) {
            tenant = db_get_int(r, n - 1, 0);
            kind = arena_str(a, db_get_str(r, n - 1, 1));
            id = arena_str(a, db_get_str(r, n - 1, 2));
        }
        *all += n;
        PQclear(r);
    } while (n);
    return e;
}

static enum err print_packs(struct db_sync *db, int64_t findings)
{
    struct db_call c;
    PGresult *r = NULL;

    db_call_init(&c, STMT_storage_status, 0, NULL);
    enum err e = db_sync_run(db, &c, &r);
    if (!e)
        printf("{\"packs\":%" PRId64 ",\"small\":%" PRId64 ",\"dead\":%" PRId64
               ",\"findings\":%" PRId64 "}\n",
            db_get_int(r, 0, 0), db_get_int(r, 0, 1), db_get_int(r, 0, 2), findings);
    PQclear(r);
    return e;
}

int storage_status(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct db_sync *db = NULL;
    int64_t findings = 0;
    int status = 1;

    if (args_read(argc, argv, NULL, 0, 0, 0) < 0) {
        status = 2;
    } else if (storage_open(NULL, &db)) {
        enum err e = print_findings(db, a, &findings);
        if (!e)
            e = print_packs(db, findings);
        status = e ? fail("the database refused: %s.", err_title(e)) : findings > 0;
    }
    storage_close(NULL, db);
    arena_free(a);
    return status;
}
