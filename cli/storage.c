/* Owns `annotate storage`: its verbs, a file each, and what they work on. Does nothing itself. */
#include "cli/storage.h"

#include "base/config.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "io/db.h"
#include "storage/blob.h"

bool storage_open(struct blob_store *blobs, struct db_sync **db)
{
    *db = NULL;
    if (blobs && blob_open(blobs, config_str(CONFIG_blobs))) {
        fail("the blob storage cannot be opened; check --blobs.");
        return false;
    }
    if (db_sync_open(db, config_str(CONFIG_db_worker), STATEMENT_UPKEEP)) {
        fail("the database cannot be used; check --db-worker, and whether `annotate migrate` has "
             "been run.");
        return false;
    }
    return true;
}

void storage_close(struct blob_store *blobs, struct db_sync *db)
{
    db_sync_close(db);
    if (blobs)
        blob_close(blobs);
}

static const struct verb verbs[] = {{"copy", storage_copy}, {"gc", storage_gc},
    {"scrub", storage_scrub}, {"status", storage_status}};

int cmd_storage(int argc, char **argv)
{
    return args_verb(argc, argv, verbs, ARRAY_LEN(verbs));
}
