/* Owns making and checking links to media. Compares in constant time; never touches the database.
 */
#include "annotate-server/auth/media_link.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "annotate-server/context.h"
#include "base/clock.h"

static struct sha256 mac(const void *key, size_t size, struct str text)
{
    struct sha256 out;
    unsigned n = sizeof(out.b);

    BUG_ON(!HMAC(EVP_sha256(), key, (int)size, (const unsigned char *)text.p, text.n, out.b, &n));
    return out;
}

/* Every member is of one length or ends with its newline, so no two links are one text. */
static struct sha256 sign(const struct token_key *key, const struct media_link *link)
{
    char hex[SHA256_HEX + 1], text[SHA256_HEX + 96];
    struct sha256 own = mac(key->bytes, key->size, STR("annotate media link, 1"));

    sha256_hex(link->hash, hex);
    int n = snprintf(text, sizeof(text), "%lld\n%s\n%lld\n%s\n", (long long)link->tenant, hex,
        (long long)link->expires, link->attachment ? "attachment" : "by type");
    struct sha256 sig = mac(own.b, sizeof(own.b), (struct str){text, (size_t)n});
    OPENSSL_cleanse(own.b, sizeof(own.b));
    return sig;
}

int64_t media_link_end(int64_t seconds)
{
    int64_t end = clock_unix() + seconds + MEDIA_LINK_SPARE_S + MEDIA_LINK_ROUND_S - 1;

    return end - end % MEDIA_LINK_ROUND_S;
}

enum err media_link_print(
    const struct key_set *keys, const struct media_link *link, struct buf *out)
{
    const struct token_key *key = key_set_signer(keys);
    char hex[SHA256_HEX + 1], sig[SHA256_HEX + 1];

    if (!key)
        return ERR_INTERNAL;
    sha256_hex(link->hash, hex);
    sha256_hex(sign(key, link), sig);
    buf_printf(out, "/v1/assets/%s?tenant=%lld&exp=%lld%s&sig=%s", hex, (long long)link->tenant,
        (long long)link->expires, link->attachment ? "&disposition=attachment" : "", sig);
    return ERR_OK;
}

bool media_link_good(const struct key_set *keys, const struct media_link *link, struct str sig)
{
    struct sha256 given;
    bool good = false;

    if (sig.n != SHA256_HEX || !sha256_parse(sig, &given))
        return false;
    for (size_t i = 0; i < keys->count; i++)
        if (keys->rows[i].alg == TOKEN_HS256) {
            struct sha256 ours = sign(&keys->rows[i], link);
            good |= CRYPTO_memcmp(ours.b, given.b, SHA256_LEN) == 0;
        }
    return good && clock_unix() < link->expires;
}

bool media_link_asked(struct req *r)
{
    return req_query(r, "sig").p != NULL;
}

bool media_link_read(struct req *r, struct media_link *out)
{
    struct str disposition = req_query(r, "disposition");

    *out = (struct media_link){.attachment = str_is(disposition, "attachment")};
    return sha256_parse(r->arg[0], &out->hash) && str_int(req_query(r, "tenant"), &out->tenant) &&
           str_int(req_query(r, "exp"), &out->expires) && (!disposition.p || out->attachment) &&
           media_link_good(&r->ctx->server->keys, out, req_query(r, "sig"));
}
