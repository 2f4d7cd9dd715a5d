/* Copies within a bucket: S3 cannot rename. What is larger than a service copies at once goes as a
 * multipart upload whose parts are ranges of the source. */
#ifndef STORAGE_S3_COPY_H
#define STORAGE_S3_COPY_H

#include "storage/s3_client.h"

/* ERR_OK: `bytes` bytes lie under `to`. `etag` (S3_ETAG_SIZE): what the service calls the copy;
 * empty when it was made of ranges. */
enum err s3_copy(
    struct s3 *s, const char *from, const char *to, int64_t bytes, char *etag) MUSTCHECK;
/* ERR_IO, said in the log, when something else lies there. */
enum err s3_check_size(struct s3 *s, const char *key, int64_t want) MUSTCHECK;

#endif
