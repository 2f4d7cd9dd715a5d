/* A blob store in a fresh directory that goes when the test ends. */
#ifndef TESTS_STORE_H
#define TESTS_STORE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/blob.h"

static char store_dir[64];

static int store_remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void store_remove(void)
{
    nftw(store_dir, store_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void store_fresh(struct blob_store *s)
{
    char spec[80];

    snprintf(store_dir, sizeof(store_dir), "/tmp/annotate-store-XXXXXX");
    if (!mkdtemp(store_dir))
        abort();
    atexit(store_remove);
    snprintf(spec, sizeof(spec), "fs:%s", store_dir);
    if (blob_open(s, spec))
        abort();
}

#endif
