/* auth/key_set: which files and public keys are fit to check tokens with. */
#include "annotate-server/auth/key_set.h"

#include "base/hash.h"
#include "t.h"
#include "tests/support/keys.h"

TEST(key_file_refused)
{
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n";
    struct {
        const char *what;
        const void *p;
        size_t n;
        mode_t mode;
        enum err want;
    } rows[] = {
        {"empty", "", 0, 0600, ERR_INVALID},
        {"one byte", "x", 1, 0600, ERR_INVALID},
        {"31 bytes", NULL, 31, 0600, ERR_INVALID},
        {"32 bytes", NULL, 32, 0600, ERR_OK},
        {"64 bytes, read-only", NULL, 64, 0400, ERR_OK},
        {"the group reads it", NULL, 32, 0640, ERR_IO},
        {"the world reads it", NULL, 32, 0604, ERR_IO},
        {"zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32, 0600,
            ERR_INVALID},
        {"typed", "passwordpasswordpasswordpassword", 32, 0600, ERR_INVALID},
        {"an example", "a-string-secret-at-least-256-bits-long\n", 39, 0600, ERR_INVALID},
        {"a PEM", pem, sizeof(pem) - 1, 0600, ERR_INVALID},
        {"too large", NULL, KEY_MAX_BYTES + 1, 0600, ERR_IO},
    };
    unsigned char random[KEY_MAX_BYTES + 1];
    struct key_set s;

    key_set_init(&s);
    for (size_t i = 0; i < sizeof(random); i++)
        random_bytes(&random[i], 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum err e = add_secret(&s, rows[i].p ? rows[i].p : random, rows[i].n, rows[i].mode);
        if (e != rows[i].want)
            t_fail(__FILE__, __LINE__, "%s: %s", rows[i].what, err_slug(e));
    }
    CHECK_INT(s.count, 2);
    CHECK(add_secret(&s, random, 32, 0600) == ERR_EXISTS);
    CHECK(key_set_add_file(&s, "/nonexistent/key", LIFE) == ERR_IO);
    CHECK(key_set_add_file(&s, "/dev/urandom", LIFE) == ERR_IO);
    key_set_release(&s);
}

TEST(public_key_refused)
{
    struct key_set s;
    struct {
        const char *what;
        EVP_PKEY *key;
        enum token_alg alg;
        enum err want;
    } rows[] = {
        {"RSA 2048", EVP_RSA_gen(2048), TOKEN_RS256, ERR_OK},
        {"RSA 1024", EVP_RSA_gen(1024), TOKEN_RS256, ERR_INVALID},
        {"RSA as ES256", EVP_RSA_gen(2048), TOKEN_ES256, ERR_INVALID},
        {"public key as HS256", EVP_RSA_gen(2048), TOKEN_HS256, ERR_INVALID},
        {"P-256", EVP_EC_gen("P-256"), TOKEN_ES256, ERR_OK},
        {"P-384", EVP_EC_gen("P-384"), TOKEN_ES256, ERR_INVALID},
        {"secp256k1", EVP_EC_gen("secp256k1"), TOKEN_ES256, ERR_INVALID},
        {"P-256 as RS256", EVP_EC_gen("P-256"), TOKEN_RS256, ERR_INVALID},
        {"Ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), TOKEN_ES256, ERR_INVALID},
    };

    key_set_init(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char pem[4096];
        pem_of(rows[i].key, pem, sizeof(pem));
        enum err e = key_set_add_public(&s, IDP, rows[i].what, rows[i].alg, str_of(pem), LIFE);
        if (e != rows[i].want)
            t_fail(__FILE__, __LINE__, "%s: %s", rows[i].what, err_slug(e));
        if (e == ERR_OK) {
            CHECK(key_set_add_public(&s, IDP, rows[i].what, rows[i].alg, str_of(pem), LIFE) ==
                  ERR_EXISTS);
            CHECK(key_set_add_public(&s, TOKEN_SELF, "x", rows[i].alg, str_of(pem), LIFE) ==
                  ERR_INVALID);
        }
        EVP_PKEY_free(rows[i].key);
    }
    CHECK(key_set_add_public(&s, IDP, "junk", TOKEN_RS256, STR("junk"), LIFE) == ERR_INVALID);
    CHECK(key_set_add_public(&s, IDP, "none", TOKEN_RS256, STR(""), LIFE) == ERR_INVALID);
    CHECK_INT(s.count, 2);
    key_set_release(&s);
}
