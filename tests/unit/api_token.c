/* base/api_token and base/base64url: one spelling each, nothing foreign accepted. */
#include "base/api_token.h"

#include "base/base64url.h"
#include "base/err.h"
#include "t.h"

TEST(base64url_vectors)
{
    static const char *const rows[][2] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
    char text[32];
    unsigned char back[32];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str plain = str_of(rows[i][0]);
        base64url_encode(plain.p, plain.n, text);
        CHECK_STR(str_of(text), str_of(rows[i][1]));
        CHECK_INT(strlen(text), BASE64URL_LEN(plain.n));
        CHECK_INT(base64url_decode(str_of(text), back), plain.n);
        CHECK(memcmp(back, plain.p, plain.n) == 0);
    }
}

TEST(base64url_refuses)
{
    static const char *const bad[] = {"Z", "Zg==", "Zm8=", "Zm9v=", "Zm9v\n", " Zm9v", "Zm+v",
        "Zm/v", "Zh", "Zm9", "Zm9vZ", "\xc3\xa9"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (base64url_decode(str_of(bad[i]), NULL) != -1)
            t_fail(__FILE__, __LINE__, "«%s» was accepted", bad[i]);
}

TEST(base64url_random)
{
    uint64_t state = t_seed();
    unsigned char bytes[64], back[64];
    char text[BASE64URL_LEN(sizeof(bytes)) + 1];

    for (size_t round = 0; round < 2000; round++) {
        size_t n = t_random(&state) % (sizeof(bytes) + 1);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (unsigned char)(t_random(&state) >> 56);
        base64url_encode(bytes, n, text);
        REQUIRE(base64url_decode(str_of(text), back) == (ptrdiff_t)n);
        REQUIRE(memcmp(bytes, back, n) == 0);
    }
}

TEST(api_token_round_trip)
{
    char text[API_TOKEN_SIZE], other[API_TOKEN_SIZE];
    int64_t tenant, id;
    struct sha256 hash;

    /* Often enough that secrets with '_' and '-' in every place come by. */
    for (int i = 0; i < 500; i++) {
        struct sha256 made = api_token_make(7, INT64_MAX, text);
        REQUIRE(api_token_parse(str_of(text), &tenant, &id, &hash));
        REQUIRE(tenant == 7 && id == INT64_MAX && sha256_eq(made, hash));
        REQUIRE(sha256_eq(hash, sha256_of(str_of(text))));
    }
    CHECK(!sha256_eq(api_token_make(7, 1, other), api_token_make(7, 1, text)));
    CHECK(strcmp(text, other) != 0);
}

TEST(api_token_refuses)
{
    static const char *const bad[] = {
        "",
        "ann_",
        "ann_1",
        "ann_1_2",
        "ann_1_2_",
        "ann_1_2_short",
        "ANN_1_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ann_0_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ann_-1_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ann_01_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ann_1_+2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ann_1__AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ann_99999999999999999999_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ann_1_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* 42 */
        "ann_1_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 44 */
        "ann_1_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",  /* spare bits */
        "ann_1_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "ann_1_2_AAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAA",
    };
    int64_t tenant, id;
    struct sha256 hash;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (api_token_parse(str_of(bad[i]), &tenant, &id, &hash))
            t_fail(__FILE__, __LINE__, "«%s» was accepted", bad[i]);
    CHECK(api_token_parse(
        STR("ann_1_2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &tenant, &id, &hash));
}

TEST(invite_token_is_no_api_token)
{
    char invite[API_TOKEN_SIZE], token[API_TOKEN_SIZE];
    int64_t tenant = 0, id = 0;
    struct sha256 made = invite_token_make(7, 12, invite), hash;

    api_token_make(7, 12, token);
    CHECK(str_starts(str_of(invite), STR(INVITE_TOKEN_PREFIX "7_12_")));
    CHECK(invite_token_parse(str_of(invite), &tenant, &id, &hash));
    CHECK(tenant == 7 && id == 12 && sha256_eq(made, hash));
    CHECK(!api_token_parse(str_of(invite), &tenant, &id, &hash));
    CHECK(!invite_token_parse(str_of(token), &tenant, &id, &hash));
}
