/* A blob store in a fresh directory that goes when the test ends; or, with TEST_BLOBS=s3, under a
 * fresh prefix of the bucket that TEST_S3 names (tests/support/s3.py). */
#ifndef TESTS_STORE_H
#define TESTS_STORE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "storage/blob.h"

static char store_dir[64];

static inline bool store_is_fs(void)
{
    return !str_is(str_of(getenv("TEST_BLOBS")), "s3");
}

/* TEST_S3 with a path and options put in: false where there is none. */
static inline bool store_s3_spec(const char *prefix, const char *options, char *out, size_t size)
{
    static char access_file[256], secret_file[256];
    const char *s3 = getenv("TEST_S3"), *keys = getenv("TEST_S3_KEYS");
    const char *query = s3 ? strchr(s3, '?') : NULL;

    if (!query || !keys)
        return false;
    snprintf(access_file, sizeof(access_file), "%s/access", keys);
    snprintf(secret_file, sizeof(secret_file), "%s/secret", keys);
    config_set(CONFIG_s3_access_key_file, access_file);
    config_set(CONFIG_s3_secret_key_file, secret_file);
    snprintf(out, size, "%.*s/%s%s%s", (int)(query - s3), s3, prefix, query, options);
    return true;
}

static int store_remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void store_remove(void)
{
    nftw(store_dir, store_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void store_fresh(struct blob_store *s)
{
    char spec[512], prefix[40];
    uint64_t dice;

    random_bytes(&dice, sizeof(dice));
    snprintf(prefix, sizeof(prefix), "unit/%016llx", (unsigned long long)dice);
    if (!store_is_fs()) {
        if (!store_s3_spec(prefix, "", spec, sizeof(spec)) || blob_open(s, spec))
            abort();
        return;
    }

    snprintf(store_dir, sizeof(store_dir), "/tmp/annotate-store-XXXXXX");
    if (!mkdtemp(store_dir))
        abort();
    atexit(store_remove);
    snprintf(spec, sizeof(spec), "fs:%s", store_dir);
    if (blob_open(s, spec))
        abort();
}

#endif
