/* Owns signing and verifying of bearer tokens. Never lets the token choose how it is checked. */
#include "annotate-server/auth/token.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <jwt.h>
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/base64url.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json_scan.h"

enum { JTI_BYTES = 16, MAX_DEPTH = 8, MAX_AUDIENCES = 64 };

/* A token on its way through the checks; each check is one function that returns NULL or why not.
 */
struct check {
    const struct key_set *keys;
    struct arena *arena;
    struct str text, header64, payload64, signature64;
    struct json_object *header, *payload;
    struct token_claims *out;
};

/* ---- before libjwt sees it ---- */

static const char *check_shape(struct check *c)
{
    struct str rest = c->text;

    if (c->text.n == 0 || c->text.n > TOKEN_MAX_BYTES)
        return "size";
    if (!str_split(&rest, '.', &c->header64) || !str_split(&rest, '.', &c->payload64) ||
        !str_split(&rest, '.', &c->signature64) || rest.p)
        return "not three parts";
    if (base64url_decode(c->header64, NULL) <= 0 || base64url_decode(c->payload64, NULL) <= 0 ||
        base64url_decode(c->signature64, NULL) <= 0)
        return "not base64url";
    return NULL;
}

static void put_json(void *json)
{
    json_object_put(json);
}

/* The JSON object in a part, or NULL: strict, so that json-c and libjwt read the same thing. */
static struct json_object *decode_object(struct check *c, struct str part64)
{
    unsigned char *text = arena_alloc(c->arena, part64.n + 1);
    ptrdiff_t n = base64url_decode(part64, text);
    struct json_object *json;

    if (n <= 0 || json_scan((struct str){(char *)text, (size_t)n}, MAX_DEPTH, NULL))
        return NULL;
    json = json_tokener_parse((char *)text);
    if (!json)
        return NULL;
    arena_defer(c->arena, put_json, json);
    return json_object_is_type(json, json_type_object) ? json : NULL;
}

static const char *check_json(struct check *c)
{
    c->header = decode_object(c, c->header64);
    if (!c->header)
        return "header is not a strict JSON object";
    c->payload = decode_object(c, c->payload64);
    return c->payload ? NULL : "payload is not a strict JSON object";
}

/* A member's text; {NULL,0} when it is absent or no string. */
static struct str text_of(struct json_object *object, const char *name)
{
    struct json_object *v;

    if (!json_object_object_get_ex(object, name, &v) || !json_object_is_type(v, json_type_string))
        return (struct str){NULL, 0};
    return (struct str){json_object_get_string(v), (size_t)json_object_get_string_len(v)};
}

/* Only these; jku, x5u, jwk and the like name keys of the sender's choice, crit demands what we do
 * not know. */
static const char *check_header(struct check *c)
{
    static const char *const known[] = {"alg", "kid", "typ", "cty"};
    bool has_typ = json_object_object_get_ex(c->header, "typ", NULL);
    struct str typ = text_of(c->header, "typ");

    json_object_object_foreach(c->header, name, value)
    {
        size_t i = 0;
        while (i < ARRAY_LEN(known) && strcmp(name, known[i]) != 0)
            i++;
        if (i == ARRAY_LEN(known))
            return strcmp(name, "crit") == 0 ? "crit" : "unknown header";
        if (!json_object_is_type(value, json_type_string))
            return "header is not text";
    }
    if (has_typ && str_ieq(typ, STR("at+jwt")))
        return "typ at+jwt is more than the packaged libjwt can check";
    return has_typ && !str_is(typ, "JWT") ? "typ" : NULL;
}

static const char *check_key(struct check *c)
{
    struct str alg = text_of(c->header, "alg");
    ptrdiff_t signature = base64url_decode(c->signature64, NULL);
    const struct token_key *key =
        key_set_find(c->keys, text_of(c->payload, "iss"), text_of(c->header, "kid"));

    if (!key)
        return "no such key";
    if (!str_is(alg, token_alg_name(key->alg)))
        return "alg is not the key's";
    if ((size_t)signature != key->signature_bytes)
        return "signature length";
    c->out->key = key;
    return NULL;
}

/* ---- libjwt ---- */

static const char *check_signature(struct check *c)
{
    static const jwt_alg_t algs[TOKEN_ALG_COUNT] = {JWT_ALG_HS256, JWT_ALG_RS256, JWT_ALG_ES256};
    const struct token_key *key = c->out->key;
    char *text = arena_copy(c->arena, c->text.p, c->text.n);
    jwt_t *jwt = NULL;

    if (jwt_decode(&jwt, text, key->bytes, (int)key->size) != 0)
        return "signature";
    bool same = jwt_get_alg(jwt) == algs[key->alg];
    jwt_free(jwt);
    return same ? NULL : "libjwt read another alg";
}

/* ---- after it ---- */

/* A NumericDate: integer or float, seconds since 1970. False when it is anything else. */
static bool date_of(struct json_object *payload, const char *name, double *out)
{
    struct json_object *v;

    if (!json_object_object_get_ex(payload, name, &v) ||
        (!json_object_is_type(v, json_type_int) && !json_object_is_type(v, json_type_double)))
        return false;
    *out = json_object_get_double(v);
    return isfinite(*out) && *out >= 0 && *out < 0x1p53;
}

static const char *check_times(struct check *c)
{
    double now = (double)clock_unix(), exp, iat, nbf;

    if (!date_of(c->payload, "exp", &exp))
        return "exp is missing or no date";
    if (!date_of(c->payload, "iat", &iat))
        return "iat is missing or no date";
    if (now >= exp)
        return "expired";
    if (iat > now + TOKEN_LEEWAY_S)
        return "issued in the future";
    if (exp - iat > (double)c->out->key->max_life_s)
        return "lives too long";
    if (json_object_object_get_ex(c->payload, "nbf", NULL)) {
        if (!date_of(c->payload, "nbf", &nbf))
            return "nbf is no date";
        if (nbf > now + TOKEN_LEEWAY_S)
            return "not yet valid";
    }
    c->out->exp = (int64_t)exp;
    return NULL;
}

/* `aud` is our name, or an array of names with ours in it. */
static const char *check_audience(struct check *c)
{
    struct json_object *aud, *v;
    bool ours = str_is(text_of(c->payload, "aud"), TOKEN_SELF);

    if (!json_object_object_get_ex(c->payload, "aud", &aud))
        return "aud is missing";
    if (json_object_is_type(aud, json_type_array) && json_object_array_length(aud) <= MAX_AUDIENCES)
        for (size_t i = 0; i < json_object_array_length(aud); i++) {
            v = json_object_array_get_idx(aud, i);
            if (!json_object_is_type(v, json_type_string))
                return "aud is not text";
            ours |= strcmp(json_object_get_string(v), TOKEN_SELF) == 0;
        }
    return ours ? NULL : "aud is not us";
}

static const char *check_subject(struct check *c)
{
    struct token_claims *out = c->out;
    struct str sub = text_of(c->payload, "sub");
    struct json_object *tid, *adm, *epo;

    if (sub.n == 0 || sub.n >= sizeof(out->sub))
        return "sub";
    memcpy(out->sub, sub.p, sub.n);
    if (strcmp(out->key->iss, TOKEN_SELF) != 0)
        return NULL;
    if (!str_int(sub, &out->user) || out->user < 1)
        return "sub is no user";
    if (!json_object_object_get_ex(c->payload, "tid", &tid) ||
        !json_object_is_type(tid, json_type_int) || json_object_get_int64(tid) < 1)
        return "tid";
    if (!json_object_object_get_ex(c->payload, "adm", &adm) ||
        !json_object_is_type(adm, json_type_boolean))
        return "adm";
    if (json_object_object_get_ex(c->payload, "epo", &epo)) {
        if (!json_object_is_type(epo, json_type_int) || json_object_get_int64(epo) < 0)
            return "epo";
        out->epoch = json_object_get_int64(epo);
    }
    out->tenant = json_object_get_int64(tid);
    out->admin = json_object_get_boolean(adm);
    return NULL;
}

enum err token_verify(
    const struct key_set *keys, struct str token, struct token_claims *out, const char **why)
{
    /* The order is the point: libjwt is sixth, and sees only what the five before it let through.
     */
    static const char *(*const checks[])(struct check *) = {check_shape, check_json, check_header,
        check_key, check_signature, check_times, check_audience, check_subject};
    struct check c = {.keys = keys, .arena = arena_new(), .text = token, .out = out};

    *out = (struct token_claims){0};
    *why = NULL;
    for (size_t i = 0; i < ARRAY_LEN(checks) && !*why; i++)
        *why = checks[i](&c);
    arena_free(c.arena);
    if (!*why)
        return ERR_OK;
    *out = (struct token_claims){0};
    return ERR_UNAUTHENTICATED;
}

/* ---- signing ---- */

static bool fill(
    jwt_t *jwt, const struct token_key *key, const struct token_claims *who, int64_t life_s)
{
    int64_t now = clock_unix();
    unsigned char random[JTI_BYTES];
    char jti[BASE64URL_LEN(JTI_BYTES) + 1], sub[24];

    random_bytes(random, sizeof(random));
    base64url_encode(random, sizeof(random), jti);
    snprintf(sub, sizeof(sub), "%" PRId64, who->user);
    return jwt_set_alg(jwt, JWT_ALG_HS256, key->bytes, (int)key->size) == 0 &&
           jwt_add_header(jwt, "kid", key->kid) == 0 &&
           jwt_add_grant(jwt, "iss", TOKEN_SELF) == 0 &&
           jwt_add_grant(jwt, "aud", TOKEN_SELF) == 0 && jwt_add_grant(jwt, "sub", sub) == 0 &&
           jwt_add_grant_int(jwt, "tid", (long)who->tenant) == 0 &&
           jwt_add_grant_bool(jwt, "adm", who->admin) == 0 &&
           jwt_add_grant_int(jwt, "epo", (long)who->epoch) == 0 &&
           jwt_add_grant_int(jwt, "iat", (long)now) == 0 &&
           jwt_add_grant_int(jwt, "exp", (long)(now + life_s)) == 0 &&
           jwt_add_grant(jwt, "jti", jti) == 0;
}

enum err token_sign(
    const struct key_set *keys, const struct token_claims *who, int64_t life_s, struct buf *out)
{
    const struct token_key *key = key_set_signer(keys);
    jwt_t *jwt = NULL;
    char *text = NULL;

    if (!key)
        return ERR_INTERNAL;
    if (jwt_new(&jwt) == 0 && fill(jwt, key, who, life_s))
        text = jwt_encode_str(jwt);
    jwt_free(jwt);
    if (!text)
        return ERR_NO_MEMORY;
    buf_puts(out, text);
    free(text);
    return buf_err(out);
}
