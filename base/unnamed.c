/* Owns making a file and taking its name away at once. */
#include "base/unnamed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int unnamed_file(void)
{
    const char *dir = secure_getenv("TMPDIR");
    char name[4096];
    int fd;

    snprintf(name, sizeof(name), "%s/annotate-XXXXXX", dir ? dir : "/var/tmp");
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}
