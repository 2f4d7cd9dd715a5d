/* A pack: the label documents of one batch as one immutable object: one write, one fsync.
 * Layout: the documents back to back, nothing between; where each lies is in its label_version row
 * (offset, bytes, sha256), so a pack needs no index of its own and a reader verifies what it read.
 * Key: packs/<tenant>/<aa>/<32 hex>. */
#ifndef STORAGE_PACK_H
#define STORAGE_PACK_H

#include "storage/blob.h"

struct pack_id {
    unsigned char b[16];
};

struct pack_item {
    struct str doc; /* in: canonical bytes, borrowed */
    int64_t off;    /* out: where it lies */
};

/* Writes items as a new pack under a random id and sets each off. */
enum err pack_put(struct blob_store *s, int64_t tenant, struct pack_item *items, size_t n,
    struct pack_id *id) MUSTCHECK;

/* Reads one document and checks its hash (I6). ERR_GONE: it was erased, its pack is nil. */
enum err pack_get(struct blob_store *s, int64_t tenant, struct pack_id id, int64_t off,
    int64_t bytes, struct sha256 expect, struct buf *out) MUSTCHECK;

/* Reads all of a pack, unverified: who reads it checks each document. */
enum err pack_get_all(
    struct blob_store *s, int64_t tenant, struct pack_id id, struct buf *out) MUSTCHECK;

/* Writes all of a pack anew under its id: for who erases some of it, under pack_lock(). Readers see
 * the one or the other. */
enum err pack_replace(
    struct blob_store *s, int64_t tenant, struct pack_id id, struct str bytes) MUSTCHECK;

/* Removes all of its documents; what is not there is fine. */
enum err pack_remove(struct blob_store *s, int64_t tenant, struct pack_id id) MUSTCHECK;

/* Where it lies; out holds at least BLOB_KEY_MAX bytes. */
void pack_key(int64_t tenant, struct pack_id id, char *out, size_t size);

/* Of a document that was erased. */
bool pack_id_is_nil(struct pack_id id);

/* out: 37 bytes, "8-4-4-4-12" as PostgreSQL's uuid prints it. */
void pack_id_print(struct pack_id id, char *out);
bool pack_id_parse(struct str text, struct pack_id *id);

#endif
