/* Owns packs: many label documents as one blob. Never parses what it stores. */
#include "storage/pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void pack_key(int64_t tenant, struct pack_id id, char *out, size_t size)
{
    char hex[2 * sizeof(id.b) + 1];

    for (size_t i = 0; i < sizeof(id.b); i++)
        snprintf(hex + 2 * i, 3, "%02x", id.b[i]);
    snprintf(out, size, "packs/%" PRId64 "/%.2s/%s", tenant, hex, hex);
}

static struct pack_id random_id(void)
{
    struct pack_id id;

    random_bytes(id.b, sizeof(id.b));
    id.b[6] = (unsigned char)((id.b[6] & 0x0f) | 0x40); /* a version 4 UUID, */
    id.b[8] = (unsigned char)((id.b[8] & 0x3f) | 0x80); /* variant RFC 9562 */
    return id;
}

enum err pack_put(
    struct blob_store *s, int64_t tenant, struct pack_item *items, size_t n, struct pack_id *id)
{
    char key[BLOB_KEY_MAX];
    struct str *parts;
    size_t total = 0;
    enum err e;

    BUG_ON(n == 0);
    parts = calloc(n, sizeof(*parts));
    BUG_ON(!parts);
    for (size_t i = 0; i < n; i++) {
        if (items[i].doc.n > BUF_MAX_PACK - total) {
            free(parts);
            return ERR_FULL;
        }
        parts[i] = items[i].doc;
        items[i].off = (int64_t)total;
        total += items[i].doc.n;
    }
    *id = random_id();
    pack_key(tenant, *id, key, sizeof(key));
    e = blob_put(s, key, parts, n);
    free(parts);
    return e;
}

enum err pack_replace(struct blob_store *s, int64_t tenant, struct pack_id id, struct str bytes)
{
    char key[BLOB_KEY_MAX];

    pack_key(tenant, id, key, sizeof(key));
    return blob_put(s, key, &bytes, 1);
}

enum err pack_remove(struct blob_store *s, int64_t tenant, struct pack_id id)
{
    char key[BLOB_KEY_MAX];

    pack_key(tenant, id, key, sizeof(key));
    return blob_remove(s, key);
}

enum err pack_get_all(struct blob_store *s, int64_t tenant, struct pack_id id, struct buf *out)
{
    char key[BLOB_KEY_MAX];

    pack_key(tenant, id, key, sizeof(key));
    return blob_get(s, key, 0, 0, NULL, out);
}

enum err pack_get(struct blob_store *s, int64_t tenant, struct pack_id id, int64_t off,
    int64_t bytes, struct sha256 expect, struct buf *out)
{
    char key[BLOB_KEY_MAX];
    enum err e;

    if (pack_id_is_nil(id))
        return ERR_GONE;
    if (off < 0 || bytes <= 0) /* no document is empty: 0 would read the whole pack */
        return ERR_CORRUPT;
    pack_key(tenant, id, key, sizeof(key));
    e = blob_get(s, key, off, bytes, &expect, out);
    return e == ERR_RANGE ? ERR_CORRUPT : e;
}

bool pack_id_is_nil(struct pack_id id)
{
    static const struct pack_id nil;

    return memcmp(id.b, nil.b, sizeof(nil.b)) == 0;
}

void pack_id_print(struct pack_id id, char *out)
{
    for (size_t i = 0; i < sizeof(id.b); i++)
        out += snprintf(out, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id.b[i]);
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool pack_id_parse(struct str text, struct pack_id *id)
{
    size_t at = 0;

    if (text.n != 36)
        return false;
    for (size_t i = 0; i < sizeof(id->b); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text.p[at++] != '-')
            return false;
        int hi = digit(text.p[at]), lo = digit(text.p[at + 1]);
        if (hi < 0 || lo < 0)
            return false;
        id->b[i] = (unsigned char)(hi << 4 | lo);
        at += 2;
    }
    return true;
}
