/* Blobs: immutable objects by key, one interface, two backends behind it:
 *   fs:DIRECTORY
 *   s3:https://HOST[:PORT]/BUCKET[/PREFIX][?region=REGION&style=path|host&timeout_s=N&tries=N&copy_mb=N]
 * All calls block: the server makes them on io/work threads, workers and the CLI directly. Those of
 * s3 wait for one thread a store, which moves the bytes of all of them (io/http_multi.h).
 * Thread-safe. I6: put returns ERR_OK only when the object is durable (fs: write, fsync, rename,
 * fsync of the directory); get verifies what it reads whenever the caller says the hash. Keys:
 * [a-z0-9/._-]+, at most 200 bytes; a segment is never empty and never begins with a dot. Errors:
 * ERR_NOT_FOUND, ERR_RANGE (beyond the end), ERR_CORRUPT, ERR_FULL (out too small),
 * ERR_UNAVAILABLE (no space), ERR_IO, ERR_INVALID (no such key can be). */
#ifndef STORAGE_BLOB_H
#define STORAGE_BLOB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

struct blob_store;

/* What a listing says of an object. */
struct blob_entry {
    const char *key; /* borrowed for the call */
    int64_t bytes;
    int64_t modified; /* seconds since 1970, by the store's clock */
};
/* A backend is one file and one row of blob_backends[] (blob.c). */
struct blob_backend {
    const char *scheme; /* "fs" of "fs:DIRECTORY" */
    /* Keys come checked. A failed call leaves nothing half stored; all but close may fail. */
    enum err (*open)(struct blob_store *s, struct str rest);
    void (*close)(struct blob_store *s);
    enum err (*put)(struct blob_store *s, const char *key, const struct str *parts, size_t nparts);
    /* Appends len bytes from off to out (len 0: all, size first checked against out->max). */
    enum err (*get)(
        struct blob_store *s, const char *key, int64_t off, int64_t len, struct buf *out);
    enum err (*size)(struct blob_store *s, const char *key, int64_t *bytes);
    /* A local file to send from; NULL where the backend has none. */
    enum err (*open_fd)(struct blob_store *s, const char *key, int *fd);
    enum err (*remove)(struct blob_store *s, const char *key);
    /* See blob_remove_older and blob_list; NULL where the backend has none. */
    enum err (*remove_older)(struct blob_store *s, const char *key, int64_t before, bool *removed);
    enum err (*list)(struct blob_store *s, const char *prefix, const char *after, int most,
        void (*each)(void *arg, const struct blob_entry *entry), void *arg);
    /* A streamed put of unknown size: begin, any writes, then commit under the final key, or abort.
     * Commit consumes the upload even when it fails. */
    enum err (*put_begin)(struct blob_store *s, void **upload);
    enum err (*put_write)(struct blob_store *s, void *upload, const void *p, size_t n);
    enum err (*put_commit)(struct blob_store *s, void *upload, const char *key);
    void (*put_abort)(struct blob_store *s, void *upload);
    /* NULL where nobody else could use an address of an object. */
    enum err (*presign)(struct blob_store *s, const char *method, const char *key,
        int64_t expires_s, struct buf *url);
};

extern const struct blob_backend blob_fs, blob_s3;

struct blob_store {
    const struct blob_backend *backend;
    void *state; /* the backend's own */
};

/* spec: "fs:var/blobs". Logs why it failed. */
enum err blob_open(struct blob_store *s, const char *spec) MUSTCHECK;
void blob_close(struct blob_store *s);

enum err blob_put(
    struct blob_store *s, const char *key, const struct str *parts, size_t nparts) MUSTCHECK;
/* Appends to out. ERR_NOT_FOUND when there is none; ERR_CORRUPT when `expect` is given and does not
 * match. On any error out is as it was. */
enum err blob_get(struct blob_store *s, const char *key, int64_t off, int64_t len,
    const struct sha256 *expect, struct buf *out) MUSTCHECK;
/* A file descriptor to send the object from, owned by the caller. ERR_NOT_IMPLEMENTED where the
 * backend keeps no local files: read it with blob_get() then. Not verified: whoever sends it says
 * the hash. */
enum err blob_open_fd(struct blob_store *s, const char *key, int *fd) MUSTCHECK;
enum err blob_size(struct blob_store *s, const char *key, int64_t *bytes) MUSTCHECK;
/* Removing what is not there is fine. */
enum err blob_remove(struct blob_store *s, const char *key) MUSTCHECK;
/* Appends an address under which anybody may read ("GET") or write ("PUT") the object for
 * expires_s seconds, at most a week. ERR_NOT_IMPLEMENTED where the backend has none. What is
 * written that way is not checked by us: read it back before a row refers to it (I6). */
enum err blob_presign(struct blob_store *s, const char *method, const char *key, int64_t expires_s,
    struct buf *url) MUSTCHECK;

/* Removes an object that was last stored before that second, and not one that has been stored anew
 * since, however close: the two exclude each other. ERR_NOT_IMPLEMENTED where the backend cannot.
 */
enum err blob_remove_older(
    struct blob_store *s, const char *key, int64_t before, bool *removed) MUSTCHECK;
/* At most `most` objects whose keys lie below the prefix ("packs", "assets/7"), in an order that is
 * always the same, behind the key `after` (NULL: from the first). What is stored or removed
 * meanwhile may be among them or not. ERR_NOT_IMPLEMENTED where the backend cannot. */
enum err blob_list(struct blob_store *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg) MUSTCHECK;

/* Streamed upload: hashes while it writes. commit: stored under assets/<tenant>/<aa>/<sha256>; a
 * second upload of the same content costs no second object. The upload is consumed by commit and
 * abort. */
struct blob_upload;
enum err blob_upload_begin(struct blob_store *s, struct blob_upload **out) MUSTCHECK;
enum err blob_upload_write(struct blob_upload *u, const void *p, size_t n) MUSTCHECK;
enum err blob_upload_commit(
    struct blob_upload *u, int64_t tenant, struct sha256 *hash, int64_t *bytes) MUSTCHECK;
/* The same under another key, and only when the content has that hash; else ERR_CORRUPT, and
 * nothing is stored. */
enum err blob_upload_commit_as(
    struct blob_upload *u, const char *key, struct sha256 expect) MUSTCHECK;
void blob_upload_abort(struct blob_upload *u);

enum { BLOB_KEY_MAX = 200 };
bool blob_key_valid(const char *key);
/* out holds at least 160 bytes. */
void blob_asset_key(int64_t tenant, struct sha256 hash, char *out, size_t size);

#endif
