/* A data set in a customer's bucket, copied into a file without a name and read from there. */
#ifndef CLI_BUCKET_SET_H
#define CLI_BUCKET_SET_H

#include <stdbool.h>

#include "formats/file_set.h"

/* spec, guarded: as s3_bucket_open() has them. Files are called by their keys below the prefix, and
 * checked as those of an archive before any is copied; `threads` are copied at once. False after
 * saying why not: all of them, or none. */
bool bucket_set_open(const char *spec, bool guarded, int threads, struct file_set **out);

#endif
