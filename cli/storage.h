/* The verbs of `annotate storage` that stand in files of their own; see storage.c. */
#ifndef CLI_STORAGE_H
#define CLI_STORAGE_H

#include <stdbool.h>

int storage_copy(int argc, char **argv);
int storage_gc(int argc, char **argv);
int storage_scrub(int argc, char **argv);
int storage_status(int argc, char **argv);

struct blob_store;
struct db_sync;

/* Opens what they work on: --blobs (NULL: not needed) and --db-worker. False after saying why not;
 * close in both cases. */
bool storage_open(struct blob_store *blobs, struct db_sync **db);
void storage_close(struct blob_store *blobs, struct db_sync *db);

#endif
