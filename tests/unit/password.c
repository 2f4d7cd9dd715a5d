/* base/password: hashing, checking, and that an unknown user costs what a known one does. */
#include "base/password.h"

#include <stdlib.h>

#include "base/clock.h"
#include "t.h"

TEST(password_round_trip)
{
    char a[PASSWORD_HASH_SIZE], b[PASSWORD_HASH_SIZE];

    REQUIRE(password_hash("correct horse", a, sizeof(a)) == ERR_OK);
    REQUIRE(password_hash("correct horse", b, sizeof(b)) == ERR_OK);
    CHECK(strncmp(a, "$y$", 3) == 0);
    CHECK(strcmp(a, b) != 0); /* a salt of its own each */
    CHECK(password_verify("correct horse", a));
    CHECK(!password_verify("correct horsf", a));
    CHECK(!password_verify("correct hors", a));
    CHECK(!password_verify("", a));
}

TEST(password_length)
{
    char hash[PASSWORD_HASH_SIZE], text[PASSWORD_MAX + 2] = {0};

    CHECK(password_hash("", hash, sizeof(hash)) == ERR_INVALID);
    CHECK(password_hash("1234567", hash, sizeof(hash)) == ERR_INVALID);
    CHECK(password_hash("12345678", hash, sizeof(hash)) == ERR_OK);
    CHECK(password_hash("\u00e4\u20ac\u00e4\u20ac\u00e4\u20ac\u00e4", hash, sizeof(hash)) ==
          ERR_INVALID);
    CHECK(
        password_hash("\u00e4\u20ac\u00e4\u20ac\u00e4\u20ac\u00e4!", hash, sizeof(hash)) == ERR_OK);
    memset(text, 'x', PASSWORD_MAX);
    REQUIRE(password_hash(text, hash, sizeof(hash)) == ERR_OK);
    CHECK(password_verify(text, hash));
    text[PASSWORD_MAX] = 'x'; /* one byte more is refused, not cut off */
    CHECK(password_hash(text, hash, sizeof(hash)) == ERR_INVALID);
    CHECK(!password_verify(text, hash));
}

TEST(password_foreign_hashes)
{
    /* "password" in DES and MD5 crypt, and damaged yescrypt strings. */
    static const char *const bad[] = {"", "*", "*0", "x", "plain text", "$y$", "$y$j9T$", "$y$$$$",
        "ab01FAX.bQRSU", "$1$abcdefgh$G//4keteveJp0qb8z2DxG/", "$y$j9T$!!$zz"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (password_verify("password", bad[i]))
            t_fail(__FILE__, __LINE__, "«%s» let someone in", bad[i]);
    CHECK(!password_verify("password", NULL));
}

static int64_t cost_of(const char *hash)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < 5; i++) {
        int64_t start = clock_mono_us();
        CHECK(!password_verify("a wrong password", hash));
        int64_t took = clock_mono_us() - start;
        best = took < best ? took : best;
    }
    return best;
}

TEST(password_unknown_user_costs_the_same)
{
    char hash[PASSWORD_HASH_SIZE];

    REQUIRE(password_hash("correct horse", hash, sizeof(hash)) == ERR_OK);
    int64_t known = cost_of(hash), unknown = cost_of(NULL);
    CHECK(known > 1000); /* microseconds: it is work */
    CHECK(unknown > known / 2 && unknown < known * 2);
}
