/* Owns handing out links to media. Never looks whether what a task names is there: a link to
 * nothing answers 404. */
#include "annotate-server/api/media.h"

#include "annotate-server/api/query.h"
#include "annotate-server/auth/media_link.h"
#include "base/clock.h"

enum { SIGN_MAX = 500, SIGN_S = 3600, SIGN_MAX_S = 86400 };

static bool skip(struct str text, size_t *at, struct str what)
{
    if (text.n - *at < what.n || memcmp(text.p + *at, what.p, what.n) != 0)
        return false;
    *at += what.n;
    return true;
}

static bool skip_slash(struct str text, size_t *at)
{
    return skip(text, at, STR("/")) || skip(text, at, STR("\\/"));
}

static size_t hex_run(struct str text, size_t at)
{
    size_t n = 0;

    while (at + n < text.n && n <= SHA256_HEX &&
           ((text.p[at + n] >= '0' && text.p[at + n] <= '9') ||
               (text.p[at + n] >= 'a' && text.p[at + n] <= 'f')))
        n++;
    return n;
}

bool media_next(struct str text, size_t *at, struct sha256 *out)
{
    const char *slash;

    while (*at < text.n && (slash = memchr(text.p + *at, '/', text.n - *at))) {
        *at = (size_t)(slash - text.p);
        if (!skip_slash(text, at) || !skip(text, at, STR("v1")) || !skip_slash(text, at) ||
            !skip(text, at, STR("assets")) || !skip_slash(text, at) ||
            hex_run(text, *at) != SHA256_HEX)
            continue;
        *at += SHA256_HEX;
        return sha256_parse((struct str){text.p + *at - SHA256_HEX, SHA256_HEX}, out);
    }
    *at = text.n;
    return false;
}

size_t media_count(struct str text)
{
    struct sha256 hash;
    size_t at = 0, n = 0;

    while (n < MEDIA_OF_TASK && media_next(text, &at, &hash))
        n++;
    return n;
}

static void put_link(
    const struct req *r, struct sha256 hash, int64_t expires, bool attachment, struct buf *out)
{
    const struct media_link link = {r->who.tenant, hash, expires, attachment};
    char hex[SHA256_HEX + 1];

    sha256_hex(hash, hex);
    buf_printf(out, "\"/v1/assets/%s\":\"", hex);
    if (media_link_print(&r->ctx->server->keys, &link, out))
        out->err = ERR_INTERNAL;
    buf_puts(out, "\",");
}

void media_links(const struct req *r, struct str text, int64_t expires, struct buf *out)
{
    struct sha256 seen[MEDIA_OF_TASK], hash;
    size_t at = 0, n = 0;

    buf_putc(out, '{');
    while (n < MEDIA_OF_TASK && media_next(text, &at, &hash)) {
        size_t i = 0;
        while (i < n && !sha256_eq(seen[i], hash))
            i++;
        if (i < n)
            continue;
        seen[n++] = hash;
        put_link(r, hash, expires, false, out);
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
}

/* ---- POST /v1/assets/sign */

struct signing {
    struct db_array hashes;
    int64_t expires;
    bool attachment;
};

static void release(void *arg)
{
    struct signing *s = arg;

    db_array_release(&s->hashes);
}

static void on_known(struct req *r, const PGresult *res)
{
    const struct signing *s = r->user;
    struct sha256 hash;
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"media\":{");
    for (int i = 0; i < PQntuples(res); i++)
        if (db_get_bytes(res, i, 0, hash.b, SHA256_LEN))
            put_link(r, hash, s->expires, s->attachment, &out);
    buf_chop(&out, ',');
    buf_printf(&out, "},\"expires\":%lld}", (long long)s->expires);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static bool read_hashes(struct req *r, struct db_array *out)
{
    struct json_object *list = body_get(r, "assets");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct sha256 hash;

    if (n < 1 || n > SIGN_MAX) {
        req_fail(r, ERR_INVALID, "/assets", "must be an array of 1 to %d hashes", SIGN_MAX);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        struct str hex = {json_object_get_string(v), (size_t)json_object_get_string_len(v)};
        if (!json_object_is_type(v, json_type_string) || !sha256_parse(hex, &hash)) {
            req_fail(r, ERR_INVALID, arena_printf(r->arena, "/assets/%zu", i),
                "must be a SHA-256 in hex");
            return false;
        }
        db_array_text(out, hex);
    }
    return true;
}

void media_sign_handler(struct req *r)
{
    static const char *const members[] = {"assets", "seconds", "disposition"};
    struct signing *s = arena_alloc(r->arena, sizeof(*s));
    struct str disposition = {NULL, 0};
    int64_t seconds = SIGN_S;

    db_array_init(&s->hashes, DB_TEXT);
    arena_defer(r->arena, release, s);
    if (!body_only(r, members, ARRAY_LEN(members)) ||
        !body_int(r, "seconds", false, 1, SIGN_MAX_S, &seconds) ||
        !body_str(r, "disposition", false, 16, &disposition) || !read_hashes(r, &s->hashes))
        return;
    s->attachment = str_is(disposition, "attachment");
    if (disposition.p && !s->attachment) {
        req_fail(r, ERR_INVALID, "/disposition", "must be attachment, or left out");
        return;
    }
    s->expires = media_link_end(seconds);
    r->user = s;
    struct query *q = query_new(r, STMT_asset_known, on_known);
    db_array_bind(&s->hashes, &q->call);
    query_read(q);
}
