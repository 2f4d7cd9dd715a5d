/* Unpacks a tar of an export into a directory. The archive is not trusted: only plain files, only
 * names that container_begin() takes, nothing written twice, nothing outside. */
#ifndef FORMATS_UNPACK_H
#define FORMATS_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Reads the tar at fd from its present offset and writes its files below `dir`, which is made and
 * must not be there yet; on disk when it returns. What was written before an error stays.
 * ERR_INVALID: no tar, cut short, or an entry that is not taken; ERR_CONFLICT: a name twice, or the
 * directory is there; ERR_IO. `why` gets a sentence for a person. */
enum { UNPACK_WHY = 320 };
enum err unpack_tar(int fd, const char *dir, char why[UNPACK_WHY]) MUSTCHECK;

#endif
