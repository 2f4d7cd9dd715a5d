/* Owns copies within a bucket. Never moves the bytes itself. */
#include "storage/s3_copy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "storage/s3_parts.h"

enum err s3_check_size(struct s3 *s, const char *key, int64_t want)
{
    struct s3_call c = {.method = "HEAD", .key = key};
    enum err e = s3_send(s, &c);

    if (e)
        return e == ERR_NOT_FOUND ? ERR_IO : e;
    if (c.length == want)
        return ERR_OK;
    log_error(
        "blob_s3", "%s: %" PRId64 " bytes lie there, %" PRId64 " were sent", key, c.length, want);
    return ERR_IO;
}

static enum err at_once(struct s3 *s, struct str source, const char *to, char *etag)
{
    struct buf xml;
    struct s3_call c = {.method = "PUT",
        .key = to,
        .header = {{STR("x-amz-copy-source"), source}},
        .nheader = 1,
        .into = &xml,
        .xml = true};

    buf_init(&xml, S3_REFUSAL_MAX);
    enum err e = s3_send(s, &c);
    if (e == ERR_NOT_FOUND ||
        (!e && s3_xml_text(buf_view(&xml), "ETag", etag, S3_ETAG_SIZE) != ERR_OK))
        e = ERR_IO;
    buf_release(&xml);
    return e;
}

static enum err add_range(struct s3_parts *p, struct str source, int64_t from, int64_t n)
{
    char range[64];
    struct buf xml;
    struct s3_call c = {
        .header = {{STR("x-amz-copy-source"), source}}, .nheader = 2, .into = &xml, .xml = true};

    snprintf(range, sizeof(range), "bytes=%" PRId64 "-%" PRId64, from, from + n - 1);
    c.header[1] = (struct sigv4_pair){STR("x-amz-copy-source-range"), str_of(range)};
    buf_init(&xml, S3_REFUSAL_MAX);
    enum err e = s3_parts_add(p, &c);
    buf_release(&xml);
    return e;
}

static enum err by_ranges(struct s3 *s, struct str source, const char *to, int64_t bytes)
{
    char etag[S3_ETAG_SIZE];
    struct s3_parts p;

    s3_parts_init(&p, s, to);
    enum err e = s3_parts_begin(&p);
    for (int64_t at = 0; !e && at < bytes; at += s->copy_max)
        e = add_range(&p, source, at, bytes - at < s->copy_max ? bytes - at : s->copy_max);
    if (!e)
        e = s3_parts_complete(&p, etag);
    s3_parts_drop(&p);
    s3_parts_release(&p);
    return e;
}

enum err s3_copy(struct s3 *s, const char *from, const char *to, int64_t bytes, char *etag)
{
    struct buf source;

    etag[0] = '\0';
    buf_init(&source, 4 * S3_OBJECT_MAX);
    s3_copy_source(s, from, &source);
    enum err e = bytes <= s->copy_max ? at_once(s, buf_view(&source), to, etag)
                                      : by_ranges(s, buf_view(&source), to, bytes);
    buf_release(&source);
    return e ? e : s3_check_size(s, to, bytes);
}
