/* What lies in a bucket, in the order of the keys' bytes. */
#ifndef STORAGE_S3_LIST_H
#define STORAGE_S3_LIST_H

#include "storage/blob.h"
#include "storage/s3_client.h"

/* An object as a listing has it; all is borrowed for the call. */
struct s3_object {
    const char *key; /* with the prefix; any bytes */
    int64_t bytes;
    int64_t modified; /* seconds since 1970, by the service's clock */
    const char *etag; /* without its quotes; "" when there was none */
};

/* See blob_list(). One request for each 1000 objects. */
enum err s3_list(struct s3 *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg) MUSTCHECK;

/* The same of any keys: those that begin with `begin`, behind `after` (whole keys both). each()
 * says whether the object counts towards `most`. ERR_IO also for a listing that makes no sense. */
enum err s3_list_any(struct s3 *s, const char *begin, const char *after, int most,
    bool (*each)(void *arg, const struct s3_object *object), void *arg) MUSTCHECK;

#endif
