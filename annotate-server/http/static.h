/* The files of the web front end, all read at start into memory. A path is only ever compared with
 * the names found then, so no request can name another file. Read-only afterwards: any thread. */
#ifndef HTTP_STATIC_H
#define HTTP_STATIC_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct static_files;

struct static_file {
    struct str path;       /* "/assets/app.js" */
    const char *type;      /* media type, by the name's ending */
    struct str body, gzip; /* gzip: {NULL,0} when that gains nothing */
    char etag[36];         /* with its quotes */
    bool immutable;        /* a hash in its name: may be cached for ever */
};

/* Reads a directory tree: regular files only, no names that begin with a dot, no links. ERR_IO:
 * unreadable (logged); ERR_FULL: over 4096 files or 256 MiB. */
enum err static_load(const char *dir, struct static_files **out) MUSTCHECK;
void static_free(struct static_files *f);

/* The file of a decoded path; "/" is /index.html. With `page` (the client wants HTML), a path
 * outside /v1 without a dot in it is the application's own address: /index.html. NULL: none. */
const struct static_file *static_find(const struct static_files *f, struct str path, bool page);

#endif
