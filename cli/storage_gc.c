/* Owns `annotate storage gc`: one whole collection, for who does not want to wait for upkeep's.
 * What it did goes to stdout as a line of JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "base/config.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "cli/storage.h"
#include "storage/collect.h"

static enum err all_objects(struct collect *c, struct collected *sum)
{
    struct buf place;
    enum err e;

    buf_init(&place, 4096);
    do
        e = collect_walk(c, &place, sum);
    while (!e && buf_view(&place).n);
    buf_release(&place);
    return e;
}

static enum err all_dead(struct collect *c, struct collected *sum)
{
    int64_t n;
    enum err e;

    do
        e = collect_dead(c, sum, &n);
    while (!e && n);
    return e;
}

static int collect_all(struct collect *c)
{
    struct collected sum = {0};
    enum err e = all_objects(c, &sum);

    if (!e)
        e = all_dead(c, &sum);
    if (e == ERR_NOT_IMPLEMENTED)
        return fail("this kind of storage cannot be listed.");
    if (e)
        return fail("the collection ended early: %s.", err_title(e));
    printf("{\"objects\":%" PRId64 ",\"packs\":%" PRId64 ",\"media\":%" PRId64 ",\"bytes\":%" PRId64
           ",\"removed\":%" PRId64 ",\"waiting\":%" PRId64 "}\n",
        sum.seen, sum.packs, sum.media, sum.bytes, sum.removed, sum.waiting);
    return 0;
}

int storage_gc(int argc, char **argv)
{
    bool dry = false;
    int64_t grace_s = config_int(CONFIG_collect_grace_s);
    const struct opt opts[] = {{"dry-run", .flag = &dry}, {"grace", .number = &grace_s}};
    struct blob_store blobs;
    struct collect c = {.blobs = &blobs};
    int status = 1;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (grace_s > INT32_MAX)
        return misuse("storage", "--grace is at most %d seconds.", INT32_MAX);
    c.grace_s = grace_s;
    c.dry_run = dry;
    if (storage_open(&blobs, &c.db))
        status = collect_all(&c);
    storage_close(&blobs, c.db);
    return status;
}
