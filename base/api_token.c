/* Owns the text form of API tokens. Never stores one; the secret's copy is wiped. */
#include "base/api_token.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>

#include "base/base64url.h"
#include "base/err.h"

enum { SECRET_CHARS = BASE64URL_LEN(API_TOKEN_SECRET) };

static struct sha256 make(const char *prefix, int64_t tenant, int64_t id, char *out)
{
    unsigned char secret[API_TOKEN_SECRET];
    char text[SECRET_CHARS + 1];

    BUG_ON(tenant < 1 || id < 1);
    random_bytes(secret, sizeof(secret));
    base64url_encode(secret, sizeof(secret), text);
    snprintf(out, API_TOKEN_SIZE, "%s%" PRId64 "_%" PRId64 "_%s", prefix, tenant, id, text);
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(text, sizeof(text));
    return sha256_of(str_of(out));
}

/* A positive number without a leading zero, so that one token has one spelling. */
static bool number(struct str s, int64_t *out)
{
    return s.n > 0 && s.p[0] >= '1' && s.p[0] <= '9' && str_int(s, out);
}

static bool parse(
    struct str prefix, struct str text, int64_t *tenant, int64_t *id, struct sha256 *hash)
{
    struct str rest = text, tenant_text, id_text;

    if (text.n >= API_TOKEN_SIZE || !str_starts(text, prefix))
        return false;
    rest.p += prefix.n;
    rest.n -= prefix.n;
    if (!str_split(&rest, '_', &tenant_text) || !str_split(&rest, '_', &id_text) || !rest.p)
        return false;
    /* The secret may hold '_' itself: it is all that is left. */
    if (!number(tenant_text, tenant) || !number(id_text, id) || rest.n != SECRET_CHARS ||
        base64url_decode(rest, NULL) != API_TOKEN_SECRET)
        return false;
    *hash = sha256_of(text);
    return true;
}

struct sha256 api_token_make(int64_t tenant, int64_t id, char *out)
{
    return make(API_TOKEN_PREFIX, tenant, id, out);
}

bool api_token_parse(struct str text, int64_t *tenant, int64_t *id, struct sha256 *hash)
{
    return parse(STR(API_TOKEN_PREFIX), text, tenant, id, hash);
}

struct sha256 invite_token_make(int64_t tenant, int64_t id, char *out)
{
    return make(INVITE_TOKEN_PREFIX, tenant, id, out);
}

bool invite_token_parse(struct str text, int64_t *tenant, int64_t *id, struct sha256 *hash)
{
    return parse(STR(INVITE_TOKEN_PREFIX), text, tenant, id, hash);
}
