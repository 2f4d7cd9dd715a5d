/* Owns the duties that keep the storage. Never fails the others: a store that does not answer is
 * asked again at the next round. */
#include "workers/upkeep/storage_keep.h"

#include "base/config.h"
#include "base/log.h"
#include "storage/collect.h"
#include "storage/merge.h"
#include "storage/place.h"
#include "storage/scrub.h"
#include "workers/upkeep/store.h"

enum { MERGE_AGE_S = 300 };

static const char collect_place[] = "collect", scrub_place[] = "scrub";

/* False: the database has failed. Either may be unreachable: the connection tells which. */
static bool is_storage(struct db_sync *db, enum err e)
{
    if (e == ERR_UNAVAILABLE)
        return PQstatus(db_sync_conn(db)) == CONNECTION_OK;
    return e == ERR_IO || e == ERR_NOT_IMPLEMENTED || e == ERR_CORRUPT || e == ERR_FULL;
}

static enum err walk(struct collect *c, struct collected *sum)
{
    struct buf place;

    buf_init(&place, 4096);
    enum err e = place_get(c->db, collect_place, &place);
    if (!e) {
        e = collect_walk(c, &place, sum);
        e = e == ERR_NOT_IMPLEMENTED ? ERR_OK : e ? e : place_set(c->db, collect_place, &place);
    }
    buf_release(&place);
    return e;
}

enum err storage_collect_run(struct db_sync *db, int64_t unused, int64_t *rows)
{
    struct blob_store *blobs = upkeep_store();
    struct collected sum = {0};
    struct collect c = {db, blobs, config_int(CONFIG_collect_grace_s), false};
    int64_t n = 0;

    (void)unused;
    *rows = 0;
    if (!blobs)
        return ERR_OK;
    enum err e = walk(&c, &sum);
    if (!e)
        e = collect_dead(&c, &sum, &n);
    *rows = n + sum.media;
    if (sum.packs || sum.media || n)
        log_info("storage_collect", "%lld packs are dead, %lld removed; media removed: %lld",
            (long long)sum.packs, (long long)n, (long long)sum.media);
    return is_storage(db, e) ? ERR_OK : e;
}

enum err storage_merge_run(struct db_sync *db, int64_t packs_min, int64_t *rows)
{
    struct merge_limits limits = {packs_min, MERGE_AGE_S};
    struct blob_store *blobs = upkeep_store();

    *rows = 0;
    if (!blobs)
        return ERR_OK;
    enum err e = merge_packs(db, blobs, &limits, rows);
    if (*rows)
        log_info("storage_merge", "%lld packs are one", (long long)*rows);
    return is_storage(db, e) ? ERR_OK : e;
}

/* Between rounds: media may be larger than what a round reads, and a pack more than it should. */
static struct scrubbing {
    struct scrub s;
    bool begun;
    int64_t debt; /* bytes read beyond what the rounds so far allowed */
} scrubbing;

static enum err scrub_begin(struct db_sync *db)
{
    struct buf place;

    buf_init(&place, 4096);
    enum err e = place_get(db, scrub_place, &place);
    if (!e)
        scrub_init(&scrubbing.s, db, NULL, buf_view(&place));
    scrubbing.begun = !e;
    buf_release(&place);
    return e;
}

/* Until this round's bytes are read, or the walk is over. */
static enum err scrub_round(int64_t *rows)
{
    struct scrub *s = &scrubbing.s;
    enum err e;

    do {
        int64_t read;
        e = scrub_step(s, &read);
        scrubbing.debt += read;
        ++*rows;
    } while (!e && s->place.n && scrubbing.debt < 0);
    if (e)
        return e;
    if (s->place.n == 0) {
        if (s->labels + s->media)
            log_debug("storage_scrub", "%lld labels and %lld media hashed again, %lld findings",
                (long long)s->labels, (long long)s->media, (long long)s->findings);
        s->labels = s->media = s->bytes = s->findings = 0;
    }
    return place_set(s->db, scrub_place, &s->place);
}

enum err storage_scrub_run(struct db_sync *db, int64_t unused, int64_t *rows)
{
    int64_t allowed = config_int(CONFIG_scrub_rate_kb) * 1024;
    struct blob_store *blobs;

    (void)unused;
    *rows = 0;
    if (allowed == 0)
        return ERR_OK;
    scrubbing.debt = scrubbing.debt > 0 ? scrubbing.debt - allowed : -allowed;
    if (scrubbing.debt >= 0 || !(blobs = upkeep_store()))
        return ERR_OK;
    enum err e = scrubbing.begun ? ERR_OK : scrub_begin(db);
    scrubbing.s.db = db;
    scrubbing.s.blobs = blobs;
    if (!e)
        e = scrub_round(rows);
    scrubbing.s.blobs = NULL;
    return is_storage(db, e) ? ERR_OK : e;
}
