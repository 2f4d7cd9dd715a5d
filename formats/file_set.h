/* A file set: the files of a data set, in a directory, an archive (zip, tar, tar.gz, tar.zst) or
 * one file that somebody else has filled, by name and in the order of their names. Names are looked
 * up in a list, never opened as paths: what a data set says of its files leads nowhere else. Links,
 * devices and hidden files are left out. An archive is read once, into a file without a name in
 * TMPDIR (/var/tmp), so that its files can be read in any order. Memory: about 100 bytes a file.
 * Blocking. */
#ifndef FORMATS_FILE_SET_H
#define FORMATS_FILE_SET_H

#include <sys/types.h>

#include "base/buf.h"

enum {
    FILE_SET_FILES = 1000000,
    FILE_SET_NAME = 512,  /* bytes of a name */
    FILE_SET_RATIO = 200, /* an archive may unpack to so many times its size, once over 1 MiB */
    FILE_SET_WHY = 700,
    FILE_SET_PLAIN = 32 << 20, /* of a file that is read whole */
};
#define FILE_SET_BYTES (1LL << 40) /* of all files of an archive */

struct file_set;

struct file_set_entry {
    struct str name; /* "images/train/1.jpg", UTF-8, no segment ".." */
    int64_t off, bytes;
};

/* ERR_INVALID, ERR_TOO_LARGE, ERR_IO with a sentence in why (FILE_SET_WHY bytes). A plain file that
 * is no archive is a set of that one file. */
enum err file_set_open(const char *path, struct file_set **out, char *why) MUSTCHECK;
/* A set of files that lie in fd, by name, place and size; their bytes may come later. Takes fd
 * over, also when it fails. Names are checked and copied. */
enum err file_set_open_files(int fd, const struct file_set_entry *files, size_t n,
    struct file_set **out, char *why) MUSTCHECK;
void file_set_close(struct file_set *s); /* NULL is fine */

size_t file_set_count(const struct file_set *s);
const struct file_set_entry *file_set_at(const struct file_set *s, size_t i);
int64_t file_set_left_out(const struct file_set *s);

/* The place of that name; SIZE_MAX when there is none. */
size_t file_set_find(const struct file_set *s, struct str name);
/* The only file whose name is `name` or ends in "/name". SIZE_MAX when there is none, or several:
 * *several says which. */
size_t file_set_find_end(const struct file_set *s, struct str name, bool *several);

/* Up to n bytes of a file; 0 at its end, -1 when it cannot be read. One thread at a time. */
ssize_t file_set_read(struct file_set *s, size_t i, int64_t off, void *p, size_t n);
/* All of it. ERR_TOO_LARGE beyond FILE_SET_PLAIN, ERR_IO, or buf_err(out). */
enum err file_set_load(struct file_set *s, size_t i, struct buf *out) MUSTCHECK;
/* A descriptor of its own to read file i from, from *off on; the caller closes it. -1: errno says
 * why. From any thread. */
int file_set_fd(const struct file_set *s, size_t i, int64_t *off);

#endif
