/* A batch of files, or of files in a data set, uploaded as assets by several connections at once.
 */
#ifndef CLI_UPLOAD_H
#define CLI_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/file_set.h"

enum { UPLOAD_BATCH = 500, UPLOAD_THREADS = 64 };

struct upload_item {
    char *path, *name;             /* owned */
    const struct file_set *source; /* NULL: the file at `path` */
    size_t file;                   /* of the source */
    char url[128];                 /* of the asset, once ok */
    bool any;                      /* may be a medium of any kind, not an image alone */
    bool ok;
};

struct upload {
    struct upload_item items[UPLOAD_BATCH];
    size_t n;
    bool any; /* all may be media of any kind, not images alone */
    /* What is neither a file nor in a source: opens it for reading and says how long it is, on
     * several threads at once. -1 after saying why not. */
    int (*fetch)(void *arg, const struct upload_item *item, int64_t *bytes);
    void *fetch_arg;
};

struct upload *upload_new(void);
void upload_free(struct upload *u);
/* Empties it. */
void upload_clear(struct upload *u);

/* Copies both; at most UPLOAD_BATCH items. */
void upload_add(struct upload *u, const char *path, const char *name);

/* A file of a source, which is borrowed. */
void upload_add_file(struct upload *u, const struct file_set *source, size_t file);

/* Uploads all items by `threads` connections and waits. A file that cannot be read or that the
 * server refuses is said and stays !ok; false only when the server cannot be used at all. */
bool upload_run(struct upload *u, int threads);
int64_t upload_failures(const struct upload *u);

#endif
