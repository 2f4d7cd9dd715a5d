/* How a source is filled; for formats/file_set*.c alone. */
#ifndef FORMATS_FILE_SET_LIST_H
#define FORMATS_FILE_SET_LIST_H

#include "base/arena.h"
#include "formats/file_set.h"

struct file_set {
    struct arena *arena;
    struct file_set_entry *files; /* by name, once filled */
    size_t *ends;                 /* the same files by their names read backwards */
    size_t n, cap;
    int64_t left_out;
    char *root; /* of a directory; NULL: everything lies in fd */
    int fd;     /* -1: none */
    int open;   /* the file of a directory that was read last */
    size_t opened;
    char *why;
};

/* Returns `e` after putting the sentence into s->why. */
enum err file_set_fail(struct file_set *s, enum err e, const char *fmt, ...) PRINTF(3, 4) MUSTCHECK;
/* Adds a file; hidden ones are left out. ERR_INVALID for a name that is not one, ERR_TOO_LARGE. */
enum err file_set_add(struct file_set *s, struct str name, int64_t off, int64_t bytes) MUSTCHECK;
/* Unpacks the archive `fd` into s. *is false and nothing is done when it is none. */
enum err file_set_unpack(struct file_set *s, int fd, const char *path, bool *is) MUSTCHECK;

#endif
