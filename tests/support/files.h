/* A directory for a test, and files in it. */
#ifndef TESTS_FILES_H
#define TESTS_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "t.h"

static inline void put_file(const char *dir, const char *name, const void *bytes, size_t n)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    for (char *p = path + strlen(dir) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    f = fopen(path, "w");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
        t_fail(__FILE__, __LINE__, "%s cannot be written", path);
}

static inline char *new_dir(char path[64])
{
    snprintf(path, 64, "/tmp/annotate-test-XXXXXX");
    if (!mkdtemp(path))
        t_fail(__FILE__, __LINE__, "no directory");
    return path;
}

static inline void remove_dir(const char *dir)
{
    char command[600];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    CHECK_INT(system(command), 0);
}

#endif
