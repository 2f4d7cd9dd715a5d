/* A fresh directory that goes when the test ends. */
#ifndef TESTS_STREAM_DIR_H
#define TESTS_STREAM_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char stream_dir[64];

static int stream_dir_remove_entry(
    const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void stream_dir_remove(void)
{
    nftw(stream_dir, stream_dir_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* One a test. */
static const char *stream_dir_fresh(void)
{
    snprintf(stream_dir, sizeof(stream_dir), "/tmp/annotate-stream-XXXXXX");
    if (!mkdtemp(stream_dir))
        abort();
    atexit(stream_dir_remove);
    return stream_dir;
}

#endif
