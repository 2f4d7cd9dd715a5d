/* auth/token and auth/key_set: what libjwt 1.10.2 would let through is refused here, each case a
 * row. Tokens are forged with OpenSSL alone, so that no check is tested by the code that it is in.
 */
#include "annotate-server/auth/token.h"
#include "annotate-server/auth/token_cache.h"

#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/hash.h"
#include "t.h"
#include "tests/support/keys.h"

enum { NOW = 1800000000 };

/* Our own key under ours.kid, and two keys of an outside issuer. */
struct world {
    struct key_set keys;
    unsigned char secret[32];
    EVP_PKEY *rsa, *ec;
    char rsa_pem[4096], ec_pem[4096];
    const char *kid;
};

static void world_init(struct world *w)
{
    clock_set(NOW);
    key_set_init(&w->keys);
    random_bytes(w->secret, sizeof(w->secret));
    CHECK(add_secret(&w->keys, w->secret, sizeof(w->secret), 0600) == ERR_OK);
    w->kid = key_set_signer(&w->keys)->kid;
    w->rsa = EVP_RSA_gen(2048);
    w->ec = EVP_EC_gen("P-256");
    pem_of(w->rsa, w->rsa_pem, sizeof(w->rsa_pem));
    pem_of(w->ec, w->ec_pem, sizeof(w->ec_pem));
    CHECK(key_set_add_public(&w->keys, IDP, "rsa-1", TOKEN_RS256, str_of(w->rsa_pem), LIFE) == 0);
    CHECK(key_set_add_public(&w->keys, IDP, "ec-1", TOKEN_ES256, str_of(w->ec_pem), LIFE) == 0);
}

static void world_release(struct world *w)
{
    key_set_release(&w->keys);
    EVP_PKEY_free(w->rsa);
    EVP_PKEY_free(w->ec);
}

/* Replaces $KID by the kid of our key and base64url-encodes. */
static void add_part(struct buf *b, const struct world *w, const char *json)
{
    const char *at = strstr(json, "$KID");
    struct buf text;

    buf_init(&text, BUF_MAX_PACK);
    buf_add(&text, json, at ? (size_t)(at - json) : strlen(json));
    if (at) {
        buf_puts(&text, w->kid);
        buf_puts(&text, at + 4);
    }
    char *encoded = malloc(BASE64URL_LEN(text.n) + 1);
    base64url_encode(buf_view(&text).p, text.n, encoded);
    buf_puts(b, encoded);
    free(encoded);
    buf_release(&text);
}

enum signer { BY_SECRET, BY_RSA, BY_EC, BY_RSA_PEM, BY_EMPTY, BY_NOBODY };

/* The signature as JWS wants it; ECDSA as r || s. */
static size_t sign(const struct world *w, enum signer by, struct str text, unsigned char *out)
{
    const void *secret = by == BY_SECRET ? (const void *)w->secret : (const void *)w->rsa_pem;
    size_t secret_size = by == BY_SECRET  ? sizeof(w->secret)
                         : by == BY_EMPTY ? 0
                                          : strlen(w->rsa_pem);
    unsigned n = 0;
    size_t size = 512;

    if (by == BY_NOBODY)
        return 0;
    if (by == BY_SECRET || by == BY_RSA_PEM || by == BY_EMPTY) {
        HMAC(
            EVP_sha256(), secret, (int)secret_size, (const unsigned char *)text.p, text.n, out, &n);
        return n;
    }
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    CHECK(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, by == BY_RSA ? w->rsa : w->ec) == 1 &&
          EVP_DigestSign(md, out, &size, (const unsigned char *)text.p, text.n) == 1);
    EVP_MD_CTX_free(md);
    if (by == BY_EC) {
        const unsigned char *der = out;
        ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)size);
        unsigned char raw[64];
        CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32);
        CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32);
        ECDSA_SIG_free(sig);
        memcpy(out, raw, size = sizeof(raw));
    }
    return size;
}

static void forge(
    struct buf *b, const struct world *w, enum signer by, const char *header, const char *payload)
{
    unsigned char signature[512];
    char encoded[BASE64URL_LEN(sizeof(signature)) + 1];

    buf_init(b, BUF_MAX_PACK);
    add_part(b, w, header);
    buf_putc(b, '.');
    add_part(b, w, payload);
    size_t n = sign(w, by, buf_view(b), signature);
    base64url_encode(signature, n, encoded);
    buf_putc(b, '.');
    buf_puts(b, encoded);
}

static void expect(const struct world *w, struct str token, const char *want, const char *name)
{
    struct token_claims claims;
    const char *why;
    enum err e = token_verify(&w->keys, token, &claims, &why);

    if ((want == NULL) != (e == ERR_OK))
        t_fail(__FILE__, __LINE__, "%s: %s (%s)", name, err_slug(e), why ? why : "accepted");
    else if (want && strcmp(want, why) != 0)
        t_fail(__FILE__, __LINE__, "%s: refused by «%s», want «%s»", name, why, want);
    if (e)
        CHECK(e == ERR_UNAUTHENTICATED && !claims.key && !claims.user && !*claims.sub);
}

#define OWN   "{\"alg\":\"HS256\",\"kid\":\"$KID\",\"typ\":\"JWT\"}"
#define RSA_1 "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"JWT\"}"
#define EC_1  "{\"alg\":\"ES256\",\"kid\":\"ec-1\"}"
/* NOW, NOW + 1000 */
#define TIMES "\"iat\":1800000000,\"exp\":1800001000"
#define US    "\"iss\":\"annotate\",\"aud\":\"annotate\""
#define WHO   "\"sub\":\"5\",\"tid\":3,\"adm\":true"
#define GOOD  "{" US "," WHO "," TIMES "}"
#define THEM  "\"iss\":\"" IDP "\",\"aud\":\"annotate\",\"sub\":\"alice\""
#define THEIR "{" THEM "," TIMES "}"

struct row {
    const char *name;
    enum signer by;
    const char *header, *payload, *want; /* NULL: accepted */
};

static void run_rows(const struct row *rows, size_t n)
{
    struct world w;

    world_init(&w);
    for (size_t i = 0; i < n; i++) {
        struct buf b;
        forge(&b, &w, rows[i].by, rows[i].header, rows[i].payload);
        expect(&w, buf_view(&b), rows[i].want, rows[i].name);
        buf_release(&b);
    }
    world_release(&w);
}

TEST(token_algorithms)
{
    static const struct row rows[] = {
        {"ours", BY_SECRET, OWN, GOOD, NULL},
        {"RS256 of an outside issuer", BY_RSA, RSA_1, THEIR, NULL},
        {"ES256 of an outside issuer", BY_EC, EC_1, THEIR, NULL},
        {"cty is allowed", BY_SECRET, "{\"alg\":\"HS256\",\"kid\":\"$KID\",\"cty\":\"x\"}", GOOD,
            NULL},
        {"HS256 with the RSA PEM as secret", BY_RSA_PEM, "{\"alg\":\"HS256\",\"kid\":\"rsa-1\"}",
            THEIR, "alg is not the key's"},
        {"RS256 header over that HMAC", BY_RSA_PEM, RSA_1, THEIR, "signature length"},
        {"our HMAC for the outside issuer", BY_SECRET, "{\"alg\":\"HS256\",\"kid\":\"ec-1\"}",
            THEIR, "alg is not the key's"},
        {"RS256 under our kid", BY_RSA, "{\"alg\":\"RS256\",\"kid\":\"$KID\"}", GOOD,
            "alg is not the key's"},
        {"none", BY_NOBODY, "{\"alg\":\"none\",\"kid\":\"$KID\"}", GOOD, "not base64url"},
        {"none, signed", BY_SECRET, "{\"alg\":\"none\",\"kid\":\"$KID\"}", GOOD,
            "alg is not the key's"},
        {"nOnE", BY_SECRET, "{\"alg\":\"nOnE\",\"kid\":\"$KID\"}", GOOD, "alg is not the key's"},
        {"hs256", BY_SECRET, "{\"alg\":\"hs256\",\"kid\":\"$KID\"}", GOOD, "alg is not the key's"},
        {"HS512", BY_SECRET, "{\"alg\":\"HS512\",\"kid\":\"$KID\"}", GOOD, "alg is not the key's"},
        {"PS256", BY_RSA, "{\"alg\":\"PS256\",\"kid\":\"rsa-1\"}", THEIR, "alg is not the key's"},
        {"EdDSA", BY_EC, "{\"alg\":\"EdDSA\",\"kid\":\"ec-1\"}", THEIR, "alg is not the key's"},
        {"no alg", BY_SECRET, "{\"kid\":\"$KID\"}", GOOD, "alg is not the key's"},
        {"alg is a number", BY_SECRET, "{\"alg\":1,\"kid\":\"$KID\"}", GOOD, "header is not text"},
        {"HMAC with an empty key", BY_EMPTY, OWN, GOOD, "signature"},
        {"HMAC with another key", BY_RSA_PEM, OWN, GOOD, "signature"},
        {"RSA signature under the EC kid", BY_RSA, EC_1, THEIR, "signature length"},
        {"EC signature under the RSA kid", BY_EC, RSA_1, THEIR, "signature length"},
    };

    run_rows(rows, ARRAY_LEN(rows));
}

TEST(token_headers)
{
#define HEAD(more) "{\"alg\":\"HS256\",\"kid\":\"$KID\"," more "}"
    static const struct row rows[] = {
        {"at+jwt", BY_SECRET, HEAD("\"typ\":\"at+jwt\""), GOOD,
            "typ at+jwt is more than the packaged libjwt can check"},
        {"foreign typ", BY_SECRET, HEAD("\"typ\":\"dpop+jwt\""), GOOD, "typ"},
        {"typ in lower case", BY_SECRET, HEAD("\"typ\":\"jwt\""), GOOD, "typ"},
        {"typ null", BY_SECRET, HEAD("\"typ\":null"), GOOD, "header is not text"},
        {"crit", BY_SECRET, HEAD("\"crit\":[\"exp\"]"), GOOD, "crit"},
        {"empty crit", BY_SECRET, HEAD("\"crit\":[]"), GOOD, "crit"},
        {"jku", BY_SECRET, HEAD("\"jku\":\"https://evil.example/k\""), GOOD, "unknown header"},
        {"x5u", BY_SECRET, HEAD("\"x5u\":\"https://evil.example/k\""), GOOD, "unknown header"},
        {"jwk", BY_SECRET, HEAD("\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}"), GOOD, "unknown header"},
        {"b64", BY_SECRET, HEAD("\"b64\":\"false\""), GOOD, "unknown header"},
        {"duplicate alg", BY_SECRET, HEAD("\"alg\":\"none\""), GOOD,
            "header is not a strict JSON object"},
        {"array", BY_SECRET, "[\"HS256\"]", GOOD, "header is not a strict JSON object"},
        {"two values", BY_SECRET, HEAD("\"typ\":\"JWT\"") "{}", GOOD,
            "header is not a strict JSON object"},
        {"overlong UTF-8", BY_SECRET, HEAD("\"cty\":\"\xc0\xaf\""), GOOD,
            "header is not a strict JSON object"},
        {"not JSON", BY_SECRET, "alg=HS256", GOOD, "header is not a strict JSON object"},
    };

    run_rows(rows, ARRAY_LEN(rows));
}

TEST(token_kid)
{
#define KID(kid) "{\"alg\":\"HS256\",\"kid\":" kid "}"
    static const struct row rows[] = {
        {"none", BY_SECRET, "{\"alg\":\"HS256\"}", GOOD, "no such key"},
        {"unknown", BY_SECRET, KID("\"0123456789abcdef\""), GOOD, "no such key"},
        {"empty", BY_SECRET, KID("\"\""), GOOD, "no such key"},
        {"path", BY_EMPTY, KID("\"../../../../dev/null\""), GOOD, "no such key"},
        {"SQL", BY_SECRET, KID("\"x' UNION SELECT 'key' --\""), GOOD, "no such key"},
        {"ours and more", BY_SECRET, KID("\"$KID \""), GOOD, "no such key"},
        {"NUL after ours", BY_SECRET, KID("\"$KID\\u0000\""), GOOD,
            "header is not a strict JSON object"},
        {"number", BY_SECRET, KID("1"), GOOD, "header is not text"},
        {"the outside issuer's, in our name", BY_RSA, RSA_1, GOOD, "no such key"},
        {"ours, in the outside issuer's name", BY_SECRET, OWN, THEIR, "no such key"},
    };

    run_rows(rows, ARRAY_LEN(rows));
}

TEST(token_times)
{
#define AT(times) "{" US "," WHO "," times "}"
#define IAT       "\"iat\":1800000000,"
    static const struct row rows[] = {
        {"exp=1000", BY_SECRET, OWN, AT("\"iat\":500,\"exp\":1000"), "expired"},
        {"this second", BY_SECRET, OWN, AT("\"iat\":1799999000,\"exp\":1800000000"), "expired"},
        {"next second", BY_SECRET, OWN, AT("\"iat\":1799999000,\"exp\":1800000001"), NULL},
        {"no exp", BY_SECRET, OWN, AT("\"iat\":1800000000"), "exp is missing or no date"},
        {"exp as text", BY_SECRET, OWN, AT(IAT "\"exp\":\"1800001000\""),
            "exp is missing or no date"},
        {"exp null", BY_SECRET, OWN, AT(IAT "\"exp\":null"), "exp is missing or no date"},
        {"exp as float", BY_SECRET, OWN, AT(IAT "\"exp\":1800001000.75"), NULL},
        {"exp with exponent", BY_SECRET, OWN, AT(IAT "\"exp\":1.8000010e9"), NULL},
        {"exp 1e300", BY_SECRET, OWN, AT(IAT "\"exp\":1e300"), "exp is missing or no date"},
        {"negative exp", BY_SECRET, OWN, AT(IAT "\"exp\":-1"), "exp is missing or no date"},
        {"exp NaN", BY_SECRET, OWN, AT(IAT "\"exp\":NaN"), "payload is not a strict JSON object"},
        {"exp twice", BY_SECRET, OWN, AT(TIMES ",\"exp\":1800003000"),
            "payload is not a strict JSON object"},
        {"no iat", BY_SECRET, OWN, AT("\"exp\":1800001000"), "iat is missing or no date"},
        {"the longest life", BY_SECRET, OWN, AT(IAT "\"exp\":1800003600"), NULL},
        {"a second longer", BY_SECRET, OWN, AT(IAT "\"exp\":1800003601"), "lives too long"},
        {"iat in the leeway", BY_SECRET, OWN, AT("\"iat\":1800000030,\"exp\":1800001000"), NULL},
        {"iat past it", BY_SECRET, OWN, AT("\"iat\":1800000031,\"exp\":1800001000"),
            "issued in the future"},
        {"nbf in the leeway", BY_SECRET, OWN, AT(TIMES ",\"nbf\":1800000030"), NULL},
        {"nbf past it", BY_SECRET, OWN, AT(TIMES ",\"nbf\":1800000031"), "not yet valid"},
        {"nbf as text", BY_SECRET, OWN, AT(TIMES ",\"nbf\":\"0\""), "nbf is no date"},
    };

    run_rows(rows, ARRAY_LEN(rows));
}

TEST(token_claims)
{
#define SAY(claims) "{" claims "," TIMES "}"
#define ISS         "\"iss\":\"annotate\","
    static const struct row rows[] = {
        {"other iss", BY_SECRET, OWN, SAY("\"iss\":\"annotate2\",\"aud\":\"annotate\"," WHO),
            "no such key"},
        {"no iss", BY_SECRET, OWN, SAY("\"aud\":\"annotate\"," WHO), "no such key"},
        {"iss in an array", BY_SECRET, OWN, SAY("\"iss\":[\"annotate\"],\"aud\":\"annotate\"," WHO),
            "no such key"},
        {"no aud", BY_SECRET, OWN, SAY(ISS WHO), "aud is missing"},
        {"other aud", BY_SECRET, OWN, SAY(ISS "\"aud\":\"annotate.example\"," WHO),
            "aud is not us"},
        {"aud array with us", BY_SECRET, OWN, SAY(ISS "\"aud\":[\"a\",\"annotate\"]," WHO), NULL},
        {"aud array without us", BY_SECRET, OWN, SAY(ISS "\"aud\":[\"a\",\"b\"]," WHO),
            "aud is not us"},
        {"empty aud array", BY_SECRET, OWN, SAY(ISS "\"aud\":[]," WHO), "aud is not us"},
        {"aud array of other things", BY_SECRET, OWN, SAY(ISS "\"aud\":[1,\"annotate\"]," WHO),
            "aud is not text"},
        {"aud object", BY_SECRET, OWN, SAY(ISS "\"aud\":{\"annotate\":1}," WHO), "aud is not us"},
        {"no sub", BY_SECRET, OWN, SAY(US ",\"tid\":3,\"adm\":true"), "sub"},
        {"empty sub", BY_SECRET, OWN, SAY(US ",\"sub\":\"\",\"tid\":3,\"adm\":true"), "sub"},
        {"sub number", BY_SECRET, OWN, SAY(US ",\"sub\":5,\"tid\":3,\"adm\":true"), "sub"},
        {"two sub", BY_SECRET, OWN, SAY(US "," WHO ",\"sub\":\"6\""),
            "payload is not a strict JSON object"},
        {"sub no id", BY_SECRET, OWN, SAY(US ",\"sub\":\"5x\",\"tid\":3,\"adm\":true"),
            "sub is no user"},
        {"sub 0", BY_SECRET, OWN, SAY(US ",\"sub\":\"0\",\"tid\":3,\"adm\":true"),
            "sub is no user"},
        {"no tid", BY_SECRET, OWN, SAY(US ",\"sub\":\"5\",\"adm\":true"), "tid"},
        {"tid text", BY_SECRET, OWN, SAY(US ",\"sub\":\"5\",\"tid\":\"3\",\"adm\":true"), "tid"},
        {"tid 0", BY_SECRET, OWN, SAY(US ",\"sub\":\"5\",\"tid\":0,\"adm\":true"), "tid"},
        {"epo text", BY_SECRET, OWN, SAY(US "," WHO ",\"epo\":\"1\""), "epo"},
        {"epo below 0", BY_SECRET, OWN, SAY(US "," WHO ",\"epo\":-1"), "epo"},
        {"epo no integer", BY_SECRET, OWN, SAY(US "," WHO ",\"epo\":1.5"), "epo"},
        {"adm number", BY_SECRET, OWN, SAY(US ",\"sub\":\"5\",\"tid\":3,\"adm\":1"), "adm"},
        {"depth bomb", BY_SECRET, OWN, SAY(US "," WHO ",\"x\":[[[[[[[[[[]]]]]]]]]]"),
            "payload is not a strict JSON object"},
    };

    run_rows(rows, ARRAY_LEN(rows));
}

static enum err sign_for(const struct key_set *keys, bool admin, struct buf *out)
{
    struct token_claims who = {.tenant = 3, .user = 5, .epoch = 7, .admin = admin};

    return token_sign(keys, &who, 600, out);
}

TEST(token_sign_and_verify)
{
    struct world w;
    struct buf a, b;
    struct token_claims claims;
    const char *why;

    world_init(&w);
    buf_init(&a, TOKEN_MAX_BYTES);
    buf_init(&b, TOKEN_MAX_BYTES);
    REQUIRE(sign_for(&w.keys, true, &a) == ERR_OK);
    REQUIRE(sign_for(&w.keys, true, &b) == ERR_OK);
    CHECK(!str_eq(buf_view(&a), buf_view(&b))); /* jti */
    REQUIRE(token_verify(&w.keys, buf_view(&a), &claims, &why) == ERR_OK);
    CHECK_INT(claims.tenant, 3);
    CHECK_INT(claims.user, 5);
    CHECK_INT(claims.epoch, 7);
    CHECK(claims.admin && claims.key == key_set_signer(&w.keys));
    CHECK_INT(claims.exp, NOW + 600);
    CHECK_STR(str_of(claims.sub), STR("5"));
    clock_set(NOW + 599);
    expect(&w, buf_view(&a), NULL, "its last second");
    clock_set(NOW + 600);
    expect(&w, buf_view(&a), "expired", "after it");
    clock_set(NOW - 30); /* the verifier's clock is behind the signer's */
    expect(&w, buf_view(&a), NULL, "skew in the leeway");
    clock_set(NOW - 31);
    expect(&w, buf_view(&a), "issued in the future", "skew past it");
    buf_clear(&b);
    clock_set(NOW);
    CHECK(sign_for(&w.keys, false, &b) == ERR_OK);
    CHECK(token_verify(&w.keys, buf_view(&b), &claims, &why) == ERR_OK && !claims.admin);
    buf_release(&a);
    buf_release(&b);
    world_release(&w);
}

TEST(token_every_changed_byte_is_refused)
{
    struct world w;
    struct buf b;
    struct token_claims claims;
    const char *why;

    world_init(&w);
    buf_init(&b, TOKEN_MAX_BYTES);
    REQUIRE(sign_for(&w.keys, false, &b) == ERR_OK);
    for (size_t i = 0; i < b.n; i++) {
        char was = b.p[i];
        for (const char *c = "Aa0-_.=+/ \n"; *c; c++) {
            b.p[i] = *c;
            if (*c != was && token_verify(&w.keys, buf_view(&b), &claims, &why) == ERR_OK)
                t_fail(__FILE__, __LINE__, "byte %zu as '%c' was accepted", i, *c);
        }
        b.p[i] = was;
    }
    for (size_t n = 0; n < b.n; n++)
        if (token_verify(&w.keys, (struct str){b.p, n}, &claims, &why) == ERR_OK)
            t_fail(__FILE__, __LINE__, "cut to %zu bytes it was accepted", n);
    expect(&w, buf_view(&b), NULL, "unchanged");
    buf_release(&b);
    world_release(&w);
}

TEST(token_shape)
{
    static const char *const more[] = {"=", "==", ".", ".AAAA", " ", "\n", "A"};
    struct world w;
    struct buf b, longer;

    world_init(&w);
    buf_init(&b, TOKEN_MAX_BYTES);
    buf_init(&longer, TOKEN_MAX_BYTES);
    CHECK(sign_for(&w.keys, false, &b) == ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        struct token_claims claims;
        const char *why;
        buf_clear(&longer);
        buf_str(&longer, buf_view(&b));
        buf_puts(&longer, more[i]);
        if (token_verify(&w.keys, buf_view(&longer), &claims, &why) == ERR_OK)
            t_fail(__FILE__, __LINE__, "accepted with «%s» after it", more[i]);
    }
    expect(&w, STR(""), "size", "empty");
    expect(&w, STR("a"), "not three parts", "one part");
    expect(&w, STR("a.b"), "not three parts", "two parts");
    expect(&w, STR("eyJh.eyJh.eyJh.eyJh.eyJh"), "not three parts", "five parts, as JWE");
    expect(&w, STR(".."), "not base64url", "empty parts");
    buf_release(&b);
    buf_release(&longer);
    world_release(&w);
}

/* 8 MiB overflow libjwt's stack: nothing above TOKEN_MAX_BYTES may reach it. */
TEST(token_size)
{
    static const size_t sizes[] = {7000, 8 << 10, 1 << 20, 8 << 20};
    struct world w;

    world_init(&w);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct buf payload, token;
        buf_init(&payload, BUF_MAX_PACK);
        buf_puts(&payload, "{" US "," WHO "," TIMES ",\"pad\":\"");
        while (payload.n < sizes[i] * 3 / 4)
            buf_putc(&payload, 'x');
        buf_puts(&payload, "\"}");
        forge(&token, &w, BY_SECRET, OWN, buf_view(&payload).p);
        expect(&w, buf_view(&token), token.n <= TOKEN_MAX_BYTES ? NULL : "size", "padded");
        CHECK((token.n <= TOKEN_MAX_BYTES) == (i == 0));
        buf_release(&payload);
        buf_release(&token);
    }
    world_release(&w);
}

/* r = s = 0 proves nothing (CVE-2022-21449), nor do r or s alone. */
TEST(token_psychic_signature)
{
    struct world w;
    struct buf b;

    world_init(&w);
    for (int which = 0; which < 3; which++) {
        unsigned char zero[64] = {0};
        char encoded[BASE64URL_LEN(64) + 1];
        if (which)
            zero[which == 1 ? 31 : 63] = 1;
        forge(&b, &w, BY_NOBODY, EC_1, THEIR);
        base64url_encode(zero, sizeof(zero), encoded);
        buf_puts(&b, encoded);
        expect(&w, buf_view(&b), "signature", "psychic");
        buf_release(&b);
    }
    world_release(&w);
}

TEST(token_key_rotation)
{
    unsigned char newer[32];
    char path[KEY_PATH], old[KEY_PATH + 8];
    struct world w;
    struct key_set next;
    struct buf b;
    struct token_claims claims;
    const char *why;

    world_init(&w);
    buf_init(&b, TOKEN_MAX_BYTES);
    CHECK(sign_for(&w.keys, false, &b) == ERR_OK);
    random_bytes(newer, sizeof(newer));
    write_file(path, newer, sizeof(newer), 0600);
    key_set_init(&next);
    CHECK(key_set_load(&next, path, LIFE) == ERR_OK && next.count == 1);
    CHECK(token_verify(&next, buf_view(&b), &claims, &why) == ERR_UNAUTHENTICATED);
    key_set_release(&next);

    snprintf(old, sizeof(old), "%s.old", path);
    FILE *f = fopen(old, "w");
    REQUIRE(f && fwrite(w.secret, 1, sizeof(w.secret), f) == sizeof(w.secret) && fclose(f) == 0);
    CHECK(chmod(old, 0600) == 0);
    CHECK(key_set_load(&next, path, LIFE) == ERR_OK && next.count == 2);
    CHECK(token_verify(&next, buf_view(&b), &claims, &why) == ERR_OK);
    CHECK(strcmp(key_set_signer(&next)->kid, w.kid) != 0); /* the new one signs */
    buf_clear(&b);
    CHECK(sign_for(&next, false, &b) == ERR_OK);
    CHECK(token_verify(&w.keys, buf_view(&b), &claims, &why) == ERR_UNAUTHENTICATED);
    unlink(path);
    unlink(old);
    key_set_release(&next);
    buf_release(&b);
    world_release(&w);
}

TEST(token_cache_keeps_no_longer_than_exp)
{
    struct world w;
    struct buf b, bad;
    struct token_cache cache;
    struct token_claims claims;
    const char *why;

    world_init(&w);
    token_cache_init(&cache, &w.keys);
    buf_init(&b, TOKEN_MAX_BYTES);
    CHECK(sign_for(&w.keys, true, &b) == ERR_OK);
    for (int i = 0; i < 3; i++) {
        CHECK(token_cache_verify(&cache, buf_view(&b), &claims, &why) == ERR_OK);
        CHECK(claims.tenant == 3 && claims.user == 5 && claims.admin && claims.exp == NOW + 600);
    }
    clock_set(NOW + 600);
    CHECK(token_cache_verify(&cache, buf_view(&b), &claims, &why) == ERR_UNAUTHENTICATED);
    CHECK(why && strcmp(why, "expired") == 0 && claims.user == 0);
    clock_set(NOW);
    forge(&bad, &w, BY_RSA_PEM, OWN, GOOD);
    for (int i = 0; i < 2; i++)
        CHECK(token_cache_verify(&cache, buf_view(&bad), &claims, &why) == ERR_UNAUTHENTICATED);
    CHECK(token_cache_verify(&cache, STR(""), &claims, &why) == ERR_UNAUTHENTICATED);
    buf_release(&b);
    buf_release(&bad);
    token_cache_release(&cache);
    world_release(&w);
}
