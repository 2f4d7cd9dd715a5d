/* A multipart upload: an object that comes in parts and is there, whole, when it is completed.
 * Knows nothing of where the parts come from. */
#ifndef STORAGE_S3_PARTS_H
#define STORAGE_S3_PARTS_H

#include "storage/s3_client.h"

enum { S3_PARTS_MAX = 10000 }; /* S3's own limit */

struct s3_parts {
    struct s3 *s;
    const char *key;  /* borrowed */
    char id[1024];    /* the service's name of the upload; "": not begun */
    struct buf etags; /* of the parts, as the service said them; S3_ETAG_SIZE bytes each */
};

void s3_parts_init(struct s3_parts *p, struct s3 *s, const char *key);
void s3_parts_release(struct s3_parts *p);

enum err s3_parts_begin(struct s3_parts *p) MUSTCHECK;
int s3_parts_sent(const struct s3_parts *p);
/* The next part: c has its body, or says of what object it is a copy (then the ETag is in the body
 * of the answer). ERR_FULL beyond S3_PARTS_MAX. */
enum err s3_parts_add(struct s3_parts *p, struct s3_call *c) MUSTCHECK;
/* ERR_OK: the object is there; `etag` (S3_ETAG_SIZE) is what the service calls it. The answer may
 * get lost although all was done: then `etag` is empty, and whoever asks must look at what lies
 * there. */
enum err s3_parts_complete(struct s3_parts *p, char *etag) MUSTCHECK;
/* What was begun and never completed is forgotten by the service. */
void s3_parts_drop(struct s3_parts *p);

#endif
