/* Owns listing a bucket (ListObjectsV2). Never believes that a listing comes to an end: its keys
 * have to go up. */
#include "storage/s3_list.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

enum { LIST_PAGE = 1000, LIST_MAX = 4 << 20, KEY_TEXT = 3 * S3_KEY_MAX + 1, ETAG_TEXT = 160 };

struct listing {
    struct s3 *s;
    bool (*each)(void *arg, const struct s3_object *object);
    void *arg;
    char last[S3_KEY_MAX + 1]; /* the last key seen: the next page begins behind */
    bool encoded;              /* this page's keys are, as in a URL */
    int left;
};

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

/* In place; a "+" is a blank, too. False for what is no encoding, or has a NUL. */
static bool decode(char *text)
{
    char *to = text;

    for (const char *p = text; *p; p++, to++) {
        *to = *p == '+' ? ' ' : *p;
        if (*p != '%')
            continue;
        if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
            return false;
        *to = (char)strtol((const char[]){p[1], p[2], '\0'}, NULL, 16);
        if (!*to)
            return false;
        p += 2;
    }
    *to = '\0';
    return true;
}

/* Keys that do not go up would be listed for ever. */
static bool take_key(struct listing *l, struct str xml)
{
    char key[KEY_TEXT];

    if (s3_xml_text(xml, "Key", key, sizeof(key)) || (l->encoded && !decode(key)) ||
        strlen(key) > S3_KEY_MAX || strcmp(key, l->last) <= 0)
        return false;
    memcpy(l->last, key, strlen(key) + 1);
    return true;
}

/* One <Contents> of a page. */
static enum err take(struct listing *l, struct str xml)
{
    struct s3_object object = {.key = l->last};
    char size[24], when[40], etag[ETAG_TEXT];

    if (!take_key(l, xml) || s3_xml_text(xml, "Size", size, sizeof(size)) ||
        !str_int(str_of(size), &object.bytes) || object.bytes < 0 ||
        s3_xml_text(xml, "LastModified", when, sizeof(when)) || !parse_time(when, &object.modified))
        return ERR_IO;
    if (s3_xml_text(xml, "ETag", etag, sizeof(etag)))
        etag[0] = '\0';
    struct str bare = s3_bare_etag(str_of(etag));
    etag[(size_t)(bare.p - etag) + bare.n] = '\0';
    object.etag = bare.p;
    l->left -= l->each(l->arg, &object);
    return ERR_OK;
}

static enum err take_all(struct listing *l, struct str xml, int *seen)
{
    static const char open[] = "<Contents>", close[] = "</Contents>";
    const char *end = xml.p + xml.n, *p = xml.p, *to;
    char encoding[8] = "";
    enum err e = ERR_OK;

    l->encoded = !s3_xml_text(xml, "EncodingType", encoding, sizeof(encoding)) &&
                 strcmp(encoding, "url") == 0;
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

static enum err page(struct listing *l, const char *begin, int *seen)
{
    char size[12];
    struct buf xml;
    struct s3_call c = {.method = "GET",
        .query = {{STR("list-type"), STR("2")}, {STR("prefix"), str_of(begin)},
            {STR("max-keys"), {NULL, 0}}, {STR("encoding-type"), STR("url")},
            {STR("start-after"), str_of(l->last)}},
        .nquery = l->last[0] ? 5 : 4,
        .into = &xml,
        .xml = true};
    enum err e;

    snprintf(size, sizeof(size), "%d", l->left < LIST_PAGE ? l->left : LIST_PAGE);
    c.query[2].value = str_of(size);
    buf_init(&xml, LIST_MAX);
    e = s3_send(l->s, &c);
    if (!e) {
        bool is = xml.n && memmem(xml.p, xml.n, "<ListBucketResult", 17);
        e = is ? take_all(l, buf_view(&xml), seen) : ERR_IO;
        if (e)
            log_error("blob_s3", "%s: the listing makes no sense behind the last key", begin);
    }
    buf_release(&xml);
    return e == ERR_NOT_FOUND ? ERR_IO : e;
}

enum err s3_list_any(struct s3 *s, const char *begin, const char *after, int most,
    bool (*each)(void *arg, const struct s3_object *object), void *arg)
{
    struct listing l = {.s = s, .each = each, .arg = arg, .left = most};
    int seen = 1;
    enum err e = ERR_OK;

    if (after)
        snprintf(l.last, sizeof(l.last), "%s", after);
    while (!e && l.left > 0 && seen > 0)
        e = page(&l, begin, &seen);
    return e;
}

/* ---- of blobs */

struct blob_listing {
    const struct s3 *s;
    void (*each)(void *arg, const struct blob_entry *entry);
    void *arg;
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

static bool show_blob(void *arg, const struct s3_object *object)
{
    const struct blob_listing *l = arg;
    struct blob_entry entry = {own_key(l->s, object->key), object->bytes, object->modified};

    if (entry.key)
        l->each(l->arg, &entry);
    return entry.key != NULL;
}

enum err s3_list(struct s3 *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg)
{
    struct blob_listing l = {s, each, arg};
    const char *slash = s->prefix[0] ? "/" : "";
    char begin[S3_OBJECT_MAX], behind[S3_OBJECT_MAX];

    snprintf(begin, sizeof(begin), "%s%s%s/", s->prefix, slash, prefix);
    snprintf(behind, sizeof(behind), "%s%s%s", s->prefix, slash, after ? after : "");
    return s3_list_any(s, begin, after ? behind : NULL, most, show_blob, &l);
}
