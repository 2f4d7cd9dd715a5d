/* What the files of the fs backend share. Nobody else includes it. */
#ifndef STORAGE_BLOB_FS_H
#define STORAGE_BLOB_FS_H

#include <stdatomic.h>

#include "storage/blob.h"

enum { KNOWN_DIRS = 4096 };

struct fs {
    int root, tmp;
    atomic_bool no_openat2;
    /* Directories whose entry in their parent this process has made durable: hashes of their paths,
     * each in the slot of its low bits. Losing one costs an fsync, nothing else. */
    _Atomic uint64_t known[KNOWN_DIRS];
};

/* Opens a file or directory that exists, below the root whatever anybody put there. -1 and errno.
 */
int blob_fs_open(struct fs *fs, const char *path, int flags);

/* blob_backend.list */
enum err blob_fs_list(struct blob_store *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg);

#endif
