/* A source: the files of a data set, in a directory or an archive (zip, tar, tar.gz, tar.zst), by
 * name and in the order of their names. Names are looked up in a list, never opened as paths: what
 * a data set says of its files leads nowhere else. Links, devices and hidden files are left out. An
 * archive is read once, into a file without a name in TMPDIR (/var/tmp), so that its files can be
 * read in any order. Memory: about 100 bytes a file. Blocking. */
#ifndef FORMATS_SOURCE_H
#define FORMATS_SOURCE_H

#include <sys/types.h>

#include "base/buf.h"

enum {
    SOURCE_FILES = 1000000,
    SOURCE_NAME = 512,  /* bytes of a name */
    SOURCE_RATIO = 200, /* an archive may unpack to so many times its size, once over 1 MiB */
    SOURCE_WHY = 700,
    SOURCE_PLAIN = 32 << 20, /* of a file that is read whole */
};
#define SOURCE_BYTES (1LL << 40) /* of all files of an archive */

struct source;

struct source_file {
    struct str name; /* "images/train/1.jpg", UTF-8, no segment ".." */
    int64_t off, bytes;
};

/* ERR_INVALID, ERR_TOO_LARGE, ERR_IO with a sentence in why (SOURCE_WHY bytes). A plain file that
 * is no archive is a source of that one file. */
enum err source_open(const char *path, struct source **out, char *why) MUSTCHECK;
void source_close(struct source *s); /* NULL is fine */

size_t source_count(const struct source *s);
const struct source_file *source_at(const struct source *s, size_t i);
int64_t source_left_out(const struct source *s);

/* The place of that name; SIZE_MAX when there is none. */
size_t source_find(const struct source *s, struct str name);
/* The only file whose name is `name` or ends in "/name". SIZE_MAX when there is none, or several:
 * *several says which. */
size_t source_find_end(const struct source *s, struct str name, bool *several);

/* Up to n bytes of a file; 0 at its end, -1 when it cannot be read. One thread at a time. */
ssize_t source_read(struct source *s, size_t i, int64_t off, void *p, size_t n);
/* All of it. ERR_TOO_LARGE beyond SOURCE_PLAIN, ERR_IO, or buf_err(out). */
enum err source_load(struct source *s, size_t i, struct buf *out) MUSTCHECK;
/* A descriptor of its own to read file i from, from *off on; the caller closes it. -1: errno says
 * why. From any thread. */
int source_fd(const struct source *s, size_t i, int64_t *off);

#endif
