/* Key files and PEMs for the tests of tokens. */
#ifndef TESTS_KEYS_H
#define TESTS_KEYS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotate-server/auth/key_set.h"
#include "t.h"

#define IDP "https://idp.example"
enum { LIFE = 3600, KEY_PATH = 32 };

/* A new file with these bytes; its name goes to path (KEY_PATH bytes). */
static inline void write_file(char *path, const void *p, size_t n, mode_t mode)
{
    strncpy(path, "/tmp/annotate-key-XXXXXX", KEY_PATH);
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

static inline enum err add_secret(struct key_set *s, const void *p, size_t n, mode_t mode)
{
    char path[KEY_PATH];

    write_file(path, p, n, mode);
    enum err e = key_set_add_file(s, path, LIFE);
    unlink(path);
    return e;
}

/* The public half as PEM. */
static inline void pem_of(EVP_PKEY *key, char *out, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());

    CHECK(PEM_write_bio_PUBKEY(bio, key) == 1);
    int n = BIO_read(bio, out, (int)size - 1);
    out[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
}

#endif
