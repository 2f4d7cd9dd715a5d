/* Owns listing a bucket (ListObjectsV2). Never shows a key that no blob can have. */
#include "storage/s3_list.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"

enum { LIST_PAGE = 1000, LIST_MAX = 4 << 20 };

struct listing {
    struct s3 *s;
    void (*each)(void *arg, const struct blob_entry *entry);
    void *arg;
    char last[S3_OBJECT_MAX]; /* the last key seen, with our prefix: the next page begins behind */
    int left;
};

/* A key as a blob's: without our prefix; NULL when it is none of ours. */
static const char *own_key(const struct s3 *s, const char *key)
{
    size_t n = strlen(s->prefix);

    if (n && (strncmp(key, s->prefix, n) != 0 || key[n] != '/'))
        return NULL;
    key += n ? n + 1 : 0;
    return blob_key_valid(key) ? key : NULL;
}

/* "2026-11-24T10:11:12.000Z" */
static bool parse_time(const char *text, int64_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (!end || (*end != '.' && *end != 'Z'))
        return false;
    *out = (int64_t)timegm(&tm);
    return true;
}

/* One <Contents> of a page. */
static enum err take(struct listing *l, struct str xml)
{
    struct blob_entry entry;
    char size[24], when[40];

    if (s3_xml_text(xml, "Key", l->last, sizeof(l->last)) ||
        s3_xml_text(xml, "Size", size, sizeof(size)) || !str_int(str_of(size), &entry.bytes) ||
        s3_xml_text(xml, "LastModified", when, sizeof(when)) || !parse_time(when, &entry.modified))
        return ERR_IO;
    entry.key = own_key(l->s, l->last);
    if (entry.key) {
        l->each(l->arg, &entry);
        l->left--;
    }
    return ERR_OK;
}

static enum err take_all(struct listing *l, struct str xml, int *seen)
{
    static const char open[] = "<Contents>", close[] = "</Contents>";
    const char *end = xml.p + xml.n, *p = xml.p, *to;
    enum err e = ERR_OK;

    *seen = 0;
    while (!e && l->left > 0 && (p = memmem(p, (size_t)(end - p), open, sizeof(open) - 1))) {
        to = memmem(p, (size_t)(end - p), close, sizeof(close) - 1);
        if (!to)
            return ERR_IO;
        e = take(l, (struct str){p, (size_t)(to - p)});
        p = to;
        ++*seen;
    }
    return e;
}

static enum err page(struct listing *l, const char *prefix, int *seen)
{
    char size[12];
    struct buf xml;
    struct s3_call c = {.method = "GET",
        .query = {{STR("list-type"), STR("2")}, {STR("prefix"), str_of(prefix)},
            {STR("max-keys"), {NULL, 0}}, {STR("start-after"), str_of(l->last)}},
        .nquery = l->last[0] ? 4 : 3,
        .into = &xml};
    enum err e;

    snprintf(size, sizeof(size), "%d", l->left < LIST_PAGE ? l->left : LIST_PAGE);
    c.query[2].value = str_of(size);
    buf_init(&xml, LIST_MAX);
    e = s3_send(l->s, &c);
    if (!e)
        e = take_all(l, buf_view(&xml), seen);
    if (e == ERR_IO)
        log_error("blob_s3", "%s: cannot be listed", prefix);
    buf_release(&xml);
    return e == ERR_NOT_FOUND ? ERR_IO : e;
}

enum err s3_list(struct s3 *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg)
{
    struct listing l = {.s = s, .each = each, .arg = arg, .left = most};
    const char *slash = s->prefix[0] ? "/" : "";
    char whole[S3_OBJECT_MAX];
    int seen = 1;
    enum err e = ERR_OK;

    snprintf(whole, sizeof(whole), "%s%s%s/", s->prefix, slash, prefix);
    if (after)
        snprintf(l.last, sizeof(l.last), "%s%s%s", s->prefix, slash, after);
    while (!e && l.left > 0 && seen > 0)
        e = page(&l, whole, &seen);
    return e;
}
