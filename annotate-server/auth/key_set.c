/* Owns the rows of the key set and what makes a key fit to be one. Never logs key material. */
#include "annotate-server/auth/key_set.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"

enum { HS256_BYTES = 32, ES256_BYTES = 64, MIN_DISTINCT = 12, KID_HEX = 16 };

/* Secrets that books, specifications and web pages print. */
static const char *const examples[] = {
    "your-256-bit-secret", "a-string-secret-at-least-256-bits-long", "your-secret-key",
    "qwertyuiopasdfghjklzxcvbnm123456", "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz012345", "changemechangemechangemechangeme",
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg", /* RFC 7520 3.5 */
};

void key_set_init(struct key_set *s)
{
    s->count = 0;
}

void key_set_release(struct key_set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        OPENSSL_cleanse(s->rows[i].bytes, s->rows[i].size);
        free(s->rows[i].bytes);
    }
    s->count = 0;
}

const char *token_alg_name(enum token_alg alg)
{
    static const char *const names[TOKEN_ALG_COUNT] = {"HS256", "RS256", "ES256"};

    return names[alg];
}

const struct token_key *key_set_find(const struct key_set *s, struct str iss, struct str kid)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_is(iss, s->rows[i].iss) && str_is(kid, s->rows[i].kid))
            return &s->rows[i];
    return NULL;
}

const struct token_key *key_set_signer(const struct key_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rows[i].alg == TOKEN_HS256)
            return &s->rows[i];
    return NULL;
}

static enum err add(struct key_set *s, const char *iss, const char *kid,
    const struct token_key *like, const void *bytes, size_t size)
{
    struct token_key *row = &s->rows[s->count];

    if (s->count == KEY_SET_MAX)
        return ERR_FULL;
    if (!*iss || !*kid || strlen(iss) >= KEY_NAME_MAX || strlen(kid) >= KEY_NAME_MAX)
        return ERR_INVALID;
    if (key_set_find(s, str_of(iss), str_of(kid)))
        return ERR_EXISTS;
    *row = *like;
    snprintf(row->iss, sizeof(row->iss), "%s", iss);
    snprintf(row->kid, sizeof(row->kid), "%s", kid);
    row->bytes = malloc(size + 1);
    if (!row->bytes)
        return ERR_NO_MEMORY;
    memcpy(row->bytes, bytes, size);
    row->bytes[size] = '\0';
    row->size = size;
    s->count++;
    return ERR_OK;
}

/* NULL when the secret will do, else why not. Random bytes have about 30 distinct values in 32; a
 * typed or repeated secret has few. */
static const char *weakness(const unsigned char *p, size_t n)
{
    bool seen[256] = {false};
    int distinct = 0;
    struct str text = str_trim((struct str){(const char *)p, n});

    if (n < KEY_MIN_BYTES)
        return "is shorter than 32 bytes";
    if (str_starts(text, STR("-----BEGIN")))
        return "is a PEM, not a secret";
    for (size_t i = 0; i < ARRAY_LEN(examples); i++)
        if (str_is(text, examples[i]))
            return "is a published example";
    for (size_t i = 0; i < n; i++) {
        distinct += !seen[p[i]];
        seen[p[i]] = true;
    }
    return distinct < MIN_DISTINCT ? "is not random" : NULL;
}

/* Reads at most `size` bytes; -1 with the reason logged. */
static ssize_t read_secret(const char *path, unsigned char *out, size_t size)
{
    struct stat st;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || fstat(fd, &st) < 0)
        log_error("token_key", "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode) || st.st_mode & (S_IRWXG | S_IRWXO))
        log_error("token_key", "%s: must be a file of mode 0600 or 0400", path);
    else if (st.st_size > (off_t)size)
        log_error("token_key", "%s: is larger than %zu bytes", path, size);
    else if ((n = read(fd, out, size)) < 0)
        log_error("token_key", "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return n;
}

enum err key_set_add_file(struct key_set *s, const char *path, int64_t max_life_s)
{
    struct token_key like = {
        .alg = TOKEN_HS256, .signature_bytes = HS256_BYTES, .max_life_s = max_life_s};
    unsigned char secret[KEY_MAX_BYTES];
    char kid[SHA256_HEX + 1];
    enum err e = ERR_INVALID;
    ssize_t n = read_secret(path, secret, sizeof(secret));

    if (n < 0)
        return ERR_IO;
    const char *why = weakness(secret, (size_t)n);
    if (why) {
        log_error("token_key", "%s: the key %s", path, why);
    } else {
        struct str parts[] = {STR("annotate kid"), {(const char *)secret, (size_t)n}};
        sha256_hex(sha256_parts(parts, ARRAY_LEN(parts)), kid);
        kid[KID_HEX] = '\0';
        e = add(s, TOKEN_SELF, kid, &like, secret, (size_t)n);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return e;
}

enum err key_set_load(struct key_set *s, const char *path, int64_t max_life_s)
{
    char old[4096];
    enum err e = key_set_add_file(s, path, max_life_s);

    snprintf(old, sizeof(old), "%s.old", path);
    if (e || access(old, F_OK) != 0)
        return e;
    return key_set_add_file(s, old, max_life_s);
}

static bool fits(EVP_PKEY *key, enum token_alg alg, size_t *signature_bytes)
{
    char group[64] = "";

    if (alg == TOKEN_RS256) {
        *signature_bytes = (size_t)EVP_PKEY_get_size(key);
        return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= KEY_MIN_RSA;
    }
    *signature_bytes = ES256_BYTES;
    return alg == TOKEN_ES256 && EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           str_is(str_of(group), "prime256v1");
}

enum err key_set_add_public(struct key_set *s, const char *iss, const char *kid, enum token_alg alg,
    struct str pem, int64_t max_life_s)
{
    struct token_key like = {.alg = alg, .max_life_s = max_life_s};

    /* Our own issuer's tokens are HS256 alone: no public key may speak for it. */
    if (pem.n == 0 || pem.n > KEY_MAX_BYTES || str_is(str_of(iss), TOKEN_SELF))
        return ERR_INVALID;
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    bool ok = key && fits(key, alg, &like.signature_bytes);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok ? add(s, iss, kid, &like, pem.p, pem.n) : ERR_INVALID;
}
