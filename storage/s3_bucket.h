/* A bucket of somebody else's, to read from: what lies in it, and the bytes of an object as they
 * were when it was listed. Never writes to it. Thread-safe; all calls block. */
#ifndef STORAGE_S3_BUCKET_H
#define STORAGE_S3_BUCKET_H

#include "base/arena.h"
#include "storage/s3_list.h"

enum { S3_BUCKET_PAGE = 1000, S3_BUCKET_WHY = 300 };

struct s3_bucket;

/* spec: "s3:https://HOST/BUCKET[/PREFIX][?…]" as storage/blob.h has it; PREFIX is any text, and
 * stands for a directory. guarded: the service must be at a public address. On an error a sentence
 * is in why (S3_BUCKET_WHY bytes). */
enum err s3_bucket_open(
    const char *spec, bool guarded, struct s3_bucket **out, char *why) MUSTCHECK;
void s3_bucket_close(struct s3_bucket *b); /* NULL is fine */

const char *s3_bucket_name(const struct s3_bucket *b);
const char *s3_bucket_prefix(const struct s3_bucket *b); /* "" or ends in a slash */

/* The next objects below the prefix behind the key `after` (NULL: the first), at most
 * S3_BUCKET_PAGE; fewer are the last. Their texts live in a. */
enum err s3_bucket_page(struct s3_bucket *b, struct arena *a, const char *after,
    struct s3_object *page, size_t *n, char *why) MUSTCHECK;

/* Writes the whole of an object to fd from `at` on. ERR_CONFLICT: it is no longer what was listed.
 * Memory: a few MiB, whatever its size. */
enum err s3_bucket_fetch(
    struct s3_bucket *b, const struct s3_object *object, int fd, int64_t at, char *why) MUSTCHECK;

#endif
