/* Owns the requests of a multipart upload. Never looks at what the parts hold. */
#include "storage/s3_parts.h"

#include <stdio.h>

#include "base/log.h"

void s3_parts_init(struct s3_parts *p, struct s3 *s, const char *key)
{
    p->s = s;
    p->key = key;
    p->id[0] = '\0';
    buf_init(&p->etags, (size_t)S3_PARTS_MAX * S3_ETAG_SIZE);
}

void s3_parts_release(struct s3_parts *p)
{
    buf_release(&p->etags);
}

int s3_parts_sent(const struct s3_parts *p)
{
    return (int)(p->etags.n / S3_ETAG_SIZE);
}

enum err s3_parts_begin(struct s3_parts *p)
{
    struct buf xml;
    struct s3_call c = {.method = "POST",
        .key = p->key,
        .query = {{STR("uploads"), STR("")}},
        .nquery = 1,
        .into = &xml,
        .xml = true};
    enum err e;

    buf_init(&xml, S3_REFUSAL_MAX);
    e = s3_send(p->s, &c);
    if (!e && s3_xml_text(buf_view(&xml), "UploadId", p->id, sizeof(p->id))) {
        p->id[0] = '\0';
        log_error("blob_s3", "the service names no upload id");
        e = ERR_IO;
    }
    buf_release(&xml);
    return e;
}

/* Where a service encrypts with keys of its own an ETag is no hash, but still what it wants back.
 */
static void keep_etag(struct s3_parts *p, const char *etag)
{
    char slot[S3_ETAG_SIZE] = "";

    snprintf(slot, sizeof(slot), "%s", etag);
    buf_add(&p->etags, slot, sizeof(slot));
}

enum err s3_parts_add(struct s3_parts *p, struct s3_call *c)
{
    char number[12], etag[S3_ETAG_SIZE];
    enum err e;

    if (s3_parts_sent(p) == S3_PARTS_MAX)
        return ERR_FULL;
    snprintf(number, sizeof(number), "%d", s3_parts_sent(p) + 1);
    c->method = "PUT";
    c->key = p->key;
    c->query[0] = (struct sigv4_pair){STR("partNumber"), str_of(number)};
    c->query[1] = (struct sigv4_pair){STR("uploadId"), str_of(p->id)};
    c->nquery = 2;
    e = s3_send(p->s, c);
    if (!e && c->xml)
        e = s3_xml_text(buf_view(c->into), "ETag", etag, sizeof(etag)) ? ERR_IO : ERR_OK;
    if (!e)
        keep_etag(p, c->xml ? etag : c->etag);
    return e == ERR_NOT_FOUND ? ERR_IO : e; /* the upload was ended behind our back */
}

static void put_list(const struct s3_parts *p, struct buf *out)
{
    buf_puts(out, "<CompleteMultipartUpload>");
    for (int i = 0; i < s3_parts_sent(p); i++) {
        struct str etag = s3_bare_etag(str_of(p->etags.p + (size_t)i * S3_ETAG_SIZE));
        buf_printf(out, "<Part><PartNumber>%d</PartNumber><ETag>\"%.*s\"</ETag></Part>", i + 1,
            STR_FMT(etag));
    }
    buf_puts(out, "</CompleteMultipartUpload>");
}

enum err s3_parts_complete(struct s3_parts *p, char *etag)
{
    struct buf xml, list;
    enum err e;

    etag[0] = '\0';
    buf_init(&xml, S3_REFUSAL_MAX);
    buf_init(&list, (128 + S3_ETAG_SIZE) * (size_t)S3_PARTS_MAX);
    put_list(p, &list);
    struct str body = buf_view(&list);
    struct s3_call c = {.method = "POST",
        .key = p->key,
        .query = {{STR("uploadId"), str_of(p->id)}},
        .nquery = 1,
        .parts = &body,
        .nparts = 1,
        .into = &xml,
        .xml = true};
    e = s3_send(p->s, &c);
    if (!e)
        e = s3_xml_text(buf_view(&xml), "ETag", etag, S3_ETAG_SIZE) ? ERR_IO : ERR_OK;
    else if (e == ERR_NOT_FOUND) /* the try after the one that was not heard finds no upload */
        e = c.tried > 1 ? ERR_OK : ERR_IO;
    if (!e)
        p->id[0] = '\0';
    buf_release(&xml);
    buf_release(&list);
    return e;
}

void s3_parts_drop(struct s3_parts *p)
{
    struct s3_call c = {.method = "DELETE",
        .key = p->key,
        .query = {{STR("uploadId"), str_of(p->id)}},
        .nquery = 1};

    if (p->id[0] && s3_send(p->s, &c))
        log_warn("blob_s3", "%s: left over", p->key);
}
