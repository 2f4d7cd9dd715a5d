/* What lies in a bucket below a prefix, in the order of the keys' bytes. */
#ifndef STORAGE_S3_LIST_H
#define STORAGE_S3_LIST_H

#include "storage/blob.h"
#include "storage/s3_client.h"

/* See blob_list(). One request for each 1000 objects. */
enum err s3_list(struct s3 *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg) MUSTCHECK;

#endif
