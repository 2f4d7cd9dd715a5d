/* Owns reading somebody else's bucket. Never takes a byte of another version than was listed: each
 * piece is asked for under the ETag of the listing. */
#include "storage/s3_bucket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 4 << 20 };

struct s3_bucket {
    struct s3 s3;
    char prefix[S3_NAME_MAX + 1];
};

/* ---- opening */

enum err s3_bucket_open(const char *spec, bool guarded, struct s3_bucket **out, char *why)
{
    struct s3_bucket *b = calloc(1, sizeof(*b));
    struct str rest = str_of(spec), scheme;
    enum err e = ERR_INVALID;

    BUG_ON(!b);
    if (str_split(&rest, ':', &scheme) && rest.p && str_is(scheme, "s3"))
        e = s3_open_foreign(&b->s3, rest, guarded);
    if (e) {
        snprintf(why, S3_BUCKET_WHY,
            "it must be s3:https://HOST[:PORT]/BUCKET[/PREFIX][?region=REGION]");
    } else if (guarded && strcmp(b->s3.scheme, "https") != 0) {
        snprintf(why, S3_BUCKET_WHY, "it must begin with s3:https:// (or say --allow-private)");
        e = ERR_FORBIDDEN;
    }
    if (e) {
        s3_bucket_close(b);
        return e;
    }
    if (b->s3.prefix[0]) /* keys are whole from here on */
        snprintf(b->prefix, sizeof(b->prefix), "%s/", b->s3.prefix);
    b->s3.prefix[0] = '\0';
    *out = b;
    return ERR_OK;
}

void s3_bucket_close(struct s3_bucket *b)
{
    if (b)
        s3_close(&b->s3);
    free(b);
}

const char *s3_bucket_name(const struct s3_bucket *b)
{
    return b->s3.bucket;
}

const char *s3_bucket_prefix(const struct s3_bucket *b)
{
    return b->prefix;
}

/* ---- listing */

struct page {
    const struct s3_bucket *bucket;
    struct arena *arena;
    struct s3_object *objects;
    size_t n;
};

static bool keep(void *arg, const struct s3_object *object)
{
    struct page *p = arg;

    if (strncmp(object->key, p->bucket->prefix, strlen(p->bucket->prefix)) != 0)
        return false; /* not what was asked for */
    p->objects[p->n] = *object;
    p->objects[p->n].key = arena_printf(p->arena, "%s", object->key);
    p->objects[p->n++].etag = arena_printf(p->arena, "%s", object->etag);
    return true;
}

enum err s3_bucket_page(struct s3_bucket *b, struct arena *a, const char *after,
    struct s3_object *page, size_t *n, char *why)
{
    struct page p = {b, a, page, 0};
    enum err e = s3_list_any(&b->s3, b->prefix, after, S3_BUCKET_PAGE, keep, &p);

    *n = p.n;
    if (e == ERR_FORBIDDEN)
        snprintf(why, S3_BUCKET_WHY,
            "%.150s is at no public address; --allow-private lets it be read all the same",
            b->s3.host);
    else if (e)
        snprintf(why, S3_BUCKET_WHY, "%s cannot be listed: %s", b->s3.bucket, err_title(e));
    return e;
}

/* ---- reading */

static enum err write_all(int fd, struct str s, int64_t at, char *why)
{
    while (s.n > 0) {
        ssize_t k = pwrite(fd, s.p, s.n, at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            snprintf(why, S3_BUCKET_WHY, "there is no room for it: %s", strerror(errno));
            return ERR_IO;
        }
        s.p += k, at += k;
        s.n -= (size_t)k;
    }
    return ERR_OK;
}

/* Bytes from..to, the latter not among them, and nothing else. */
static enum err get_piece(struct s3_bucket *b, const struct s3_object *object, int64_t from,
    int64_t to, struct buf *into, char *why)
{
    char range[64], want[96], etag[200];
    struct s3_call c = {.method = "GET",
        .key = object->key,
        .header = {{STR("range"), {NULL, 0}}, {STR("if-match"), {NULL, 0}}},
        .nheader = object->etag[0] ? 2 : 1,
        .into = into};
    enum err e;

    snprintf(range, sizeof(range), "bytes=%" PRId64 "-%" PRId64, from, to - 1);
    snprintf(
        want, sizeof(want), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, from, to - 1, object->bytes);
    snprintf(etag, sizeof(etag), "\"%s\"", object->etag);
    c.header[0].value = str_of(range);
    c.header[1].value = str_of(etag);
    e = s3_send(&b->s3, &c);
    if (c.status == 412 || e == ERR_NOT_FOUND || e == ERR_RANGE || e == ERR_FULL ||
        (!e && (strcmp(c.range, want) != 0 || (int64_t)into->n != to - from))) {
        snprintf(why, S3_BUCKET_WHY, "it is no longer what was listed");
        return ERR_CONFLICT;
    }
    if (e)
        snprintf(
            why, S3_BUCKET_WHY, "it cannot be read: %s (%d %s)", err_title(e), c.status, c.code);
    return e;
}

enum err s3_bucket_fetch(
    struct s3_bucket *b, const struct s3_object *object, int fd, int64_t at, char *why)
{
    enum err e = ERR_OK;
    struct buf piece;

    for (int64_t from = 0, to; !e && from < object->bytes; from = to) {
        to = object->bytes - from < PIECE ? object->bytes : from + PIECE;
        buf_init(&piece, (size_t)(to - from));
        e = get_piece(b, object, from, to, &piece, why);
        if (!e)
            e = write_all(fd, buf_view(&piece), at + from, why);
        buf_release(&piece);
    }
    return e;
}
