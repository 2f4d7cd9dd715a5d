/* Owns sending one file in parts. Keeps nothing on disk: the server finds the open upload by the
 * file's hash. Never holds more than a piece of the file. */
#include "cli/upload_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64url.h"
#include "base/hash.h"

enum { PART = 32 << 20, LARGE_PART = 64 << 20, PARTS_MAX = 10000, PIECE = 1 << 20, TRIES = 5 };

struct parted {
    struct api *api;
    int fd;
    int64_t start;           /* of what is sent, within fd */
    int64_t size, part_size; /* the latter follows from the former, so that it is found again */
    size_t n;
    struct sha256 *hashes, whole;
    bool *there;
    int64_t id;
};

/* ---- hashes */

static enum err hash_file(struct parted *p)
{
    struct sha256_ctx *whole = sha256_new(), *part = NULL;
    char *piece = malloc(PIECE);
    enum err e = ERR_OK;
    int64_t at = 0;

    BUG_ON(!piece);
    while (!e && at < p->size) {
        int64_t in_part = p->part_size - at % p->part_size;
        size_t want = in_part < PIECE ? (size_t)in_part : PIECE;
        ssize_t n = pread(p->fd, piece, want, p->start + at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { /* an error, or the file has become shorter */
            e = ERR_IO;
            break;
        }
        part = part ? part : sha256_new();
        sha256_add(whole, piece, (size_t)n);
        sha256_add(part, piece, (size_t)n);
        at += n;
        if (at % p->part_size == 0 || at == p->size) {
            p->hashes[(at - 1) / p->part_size] = sha256_end(part);
            part = NULL;
        }
    }
    p->whole = sha256_end(whole);
    if (part)
        (void)sha256_end(part);
    free(piece);
    return e;
}

/* ---- calls */

static bool good(const struct api *a, enum err e)
{
    return !e && a->answer.status / 100 == 2;
}

/* Each of these is safe to repeat. */
static enum err call(struct parted *p, const char *path, struct str body)
{
    struct api *a = p->api;
    enum err e = ERR_OK;

    for (unsigned i = 0; i < TRIES; i++) {
        if (i > 0)
            sleep(1U << (i - 1));
        e = http_client_call(a->http, "POST", path, NULL, body, NULL, &a->answer);
        if (!api_may_pass(a, e))
            break;
    }
    return e;
}

/* Which parts are there, of those that the file has now. */
static enum err learn(struct parted *p)
{
    struct json_object *o = api_json(p->api), *parts = json_object_object_get(o, "parts");
    struct sha256 hash;

    p->id = api_int(o, "id");
    for (size_t i = 0; json_object_object_get(o, "asset") && i < p->n; i++)
        p->there[i] = true; /* the whole is here already: nothing to send */
    for (size_t i = 0; o && i < json_object_array_length(parts); i++) {
        struct json_object *part = json_object_array_get_idx(parts, i);
        int64_t n = api_int(part, "n");
        if (n >= 1 && n <= (int64_t)p->n && sha256_parse(str_of(api_text(part, "sha256")), &hash))
            p->there[n - 1] = sha256_eq(hash, p->hashes[n - 1]);
    }
    enum err e = o && p->id > 0 ? ERR_OK : ERR_UNAVAILABLE;
    json_object_put(o);
    return e;
}

static enum err begin(struct parted *p)
{
    char hex[SHA256_HEX + 1], body[SHA256_HEX + 64];

    sha256_hex(p->whole, hex);
    snprintf(body, sizeof(body), "{\"bytes\":%lld,\"sha256\":\"%s\"}", (long long)p->size, hex);
    enum err e = call(p, "/v1/uploads", str_of(body));
    return good(p->api, e) ? learn(p) : e;
}

/* ---- a part */

struct range {
    int fd;
    int64_t at, end;
};

static ptrdiff_t read_range(void *arg, void *to, size_t n)
{
    struct range *r = arg;
    ssize_t got;

    if ((int64_t)n > r->end - r->at)
        n = (size_t)(r->end - r->at);
    do
        got = pread(r->fd, to, n, r->at);
    while (got < 0 && errno == EINTR);
    r->at += got > 0 ? got : 0;
    return got;
}

static void print_digest(struct sha256 hash, char *out, size_t size)
{
    char text[BASE64URL_LEN(SHA256_LEN) + 1];

    base64url_encode(hash.b, SHA256_LEN, text);
    for (char *c = text; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    snprintf(out, size, "Repr-Digest: sha-256=:%s=:", text);
}

static enum err send_part(struct parted *p, size_t i)
{
    char path[96], digest[96];
    const char *const headers[] = {digest, NULL};
    int64_t from = (int64_t)i * p->part_size, left = p->size - from;
    int64_t bytes = left < p->part_size ? left : p->part_size;
    struct api *a = p->api;
    enum err e = ERR_OK;

    snprintf(path, sizeof(path), "/v1/uploads/%lld/parts/%zu", (long long)p->id, i + 1);
    print_digest(p->hashes[i], digest, sizeof(digest));
    for (unsigned k = 0; k < TRIES; k++) {
        if (k > 0)
            sleep(1U << (k - 1));
        struct range range = {p->fd, p->start + from, p->start + from + bytes};
        struct http_source source = {read_range, &range, bytes};
        e = http_client_upload(
            a->http, "PUT", path, headers, "application/octet-stream", &source, &a->answer);
        if (!api_may_pass(a, e))
            break;
    }
    return e;
}

static enum err send_all(struct parted *p)
{
    char path[96];

    for (size_t i = 0; i < p->n; i++) {
        if (p->there[i])
            continue;
        enum err e = send_part(p, i);
        if (!good(p->api, e))
            return e;
    }
    snprintf(path, sizeof(path), "/v1/uploads/%lld/complete", (long long)p->id);
    return call(p, path, (struct str){0});
}

enum err upload_parts(struct api *a, int fd, int64_t start, int64_t size)
{
    struct parted p = {.api = a, .fd = fd, .start = start, .size = size, .part_size = PART};

    if (size > (int64_t)PART * PARTS_MAX)
        p.part_size = LARGE_PART;
    p.n = (size_t)((size + p.part_size - 1) / p.part_size);
    p.hashes = calloc(p.n, sizeof(*p.hashes));
    p.there = calloc(p.n, sizeof(*p.there));
    BUG_ON(!p.hashes || !p.there);
    enum err e = hash_file(&p);
    if (!e)
        e = begin(&p);
    if (good(a, e))
        e = send_all(&p);
    free(p.hashes);
    free(p.there);
    return e;
}
