/* Passwords and tokens on their way in and out of files: never on a command line, never printed. */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The first line of `path` ("-" is standard input) into out, or, with path NULL, typed twice by the
 * person at the terminal. False after saying why not. The caller wipes out. */
bool secret_read(const char *path, char *out, size_t size) MUSTCHECK;

/* Makes `path`, which must not exist, readable by its owner only. -1 after saying why not. */
int secret_create(const char *path) MUSTCHECK;
/* Writes the secret and a newline, makes it durable and closes fd. False after saying why not. */
bool secret_write(int fd, const char *path, const char *secret) MUSTCHECK;

#endif
