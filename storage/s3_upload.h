/* A streamed upload to S3 of bytes whose key is known only at the end. What fits one part is held
 * back and sent as one object. More goes as a multipart upload to an object of its own
 * (joining/RANDOM), which at the end is copied to its key inside the service and removed: S3 cannot
 * rename. Memory is one part, whatever comes. What a crash leaves under joining/, and multipart
 * uploads that were never completed, are for a lifecycle rule of the bucket. */
#ifndef STORAGE_S3_UPLOAD_H
#define STORAGE_S3_UPLOAD_H

#include "storage/s3_client.h"

enum {
    S3_PART = 8 << 20, /* S3 takes 10,000 of them: beyond 80 GiB is ERR_FULL */
};

struct s3_upload;

/* Costs no request. */
struct s3_upload *s3_upload_new(struct s3 *s);
enum err s3_upload_write(struct s3_upload *u, const void *p, size_t n) MUSTCHECK;
/* ERR_OK: all of it lies under `key`, and the service's checksums say so. Consumes u. */
enum err s3_upload_commit(struct s3_upload *u, const char *key) MUSTCHECK;
void s3_upload_abort(struct s3_upload *u);

/* One object in one request. */
enum err s3_put(struct s3 *s, const char *key, const struct str *parts, size_t nparts) MUSTCHECK;

#endif
