/* Owns hashing and checking of passwords (yescrypt, through libcrypt). Never stores one: the copies
 * that libcrypt makes are wiped before their memory is given back. */
#include "base/password.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "$y$"

/* The hash of a random password that nobody knows, at the cost that password_hash() uses. */
static const char unknown_user[] =
    "$y$j9T$SxApncWHjWrjRjsJ/RCkw1$1qhV4RSl105z0E2InkWdt6ZZNWE8iXuYo9UYAFOnXh/";

static bool fits(const char *plain)
{
    return strnlen(plain, PASSWORD_MAX + 1) <= PASSWORD_MAX;
}

bool password_acceptable(const char *plain)
{
    size_t characters = 0;

    if (!fits(plain))
        return false;
    for (const char *p = plain; *p; p++)
        characters += ((unsigned char)*p & 0xc0) != 0x80; /* no byte that goes on with one */
    return characters >= PASSWORD_MIN;
}

/* crypt_rn with its 32 KiB of state on the heap; out gets "" when the setting is not valid. */
static void hash_with(const char *plain, const char *setting, char *out, size_t size)
{
    struct crypt_data *data = calloc(1, sizeof(*data));

    BUG_ON(!data);
    const char *hash = crypt_rn(plain, setting, data, (int)sizeof(*data));
    snprintf(out, size, "%s", hash ? hash : "");
    explicit_bzero(data, sizeof(*data));
    free(data);
}

/* Same time for every pair of the same length. */
static bool same(const char *a, const char *b)
{
    size_t n = strlen(a);
    unsigned char diff = 0;

    if (n != strlen(b))
        return false;
    for (size_t i = 0; i < n; i++)
        diff |= (unsigned char)(a[i] ^ b[i]);
    return diff == 0;
}

enum err password_hash(const char *plain, char *out, size_t size)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];

    BUG_ON(size < PASSWORD_HASH_SIZE);
    if (!password_acceptable(plain))
        return ERR_INVALID;
    BUG_ON(!crypt_gensalt_rn(PREFIX, 0, NULL, 0, setting, (int)sizeof(setting)));
    hash_with(plain, setting, out, size);
    return *out ? ERR_OK : ERR_NO_MEMORY;
}

bool password_verify(const char *plain, const char *hash)
{
    char again[PASSWORD_HASH_SIZE];
    bool known = hash && strncmp(hash, PREFIX, strlen(PREFIX)) == 0;

    /* One that does not fit was never hashed; the work is done all the same. */
    bool usable = fits(plain);
    hash_with(usable ? plain : "", known ? hash : unknown_user, again, sizeof(again));
    return known && usable && *again && same(again, hash);
}
