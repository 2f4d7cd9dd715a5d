/* A bucket of an S3 service: requests that are signed, tried again while that may help, and judged:
 * an answer counts only when its status, its body and its ETag say that all is well. Knows nothing
 * of what the objects are. All calls block; thread-safe.
 *
 * The key of the account lies in the files of --s3-access-key-file, --s3-secret-key-file and
 * --s3-session-token-file. They are read for every try, so that a new key needs no restart; they
 * are never logged. */
#ifndef STORAGE_S3_CLIENT_H
#define STORAGE_S3_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "storage/sigv4.h"

enum {
    S3_NAME_MAX = 256,   /* host, bucket, prefix, region: each */
    S3_OBJECT_MAX = 512, /* prefix and key */
    S3_KEY_MAX = 1024,   /* S3's own limit of a key */
    S3_REFUSAL_MAX = 64 << 10,
    S3_ETAG_SIZE = 64, /* 32 hex, '-', a number; NUL */
};

struct http_multi;

struct s3 {
    char scheme[8], host[S3_NAME_MAX], bucket[S3_NAME_MAX], prefix[S3_NAME_MAX];
    char region[S3_NAME_MAX];
    bool bucket_in_host; /* https://BUCKET.HOST/KEY; else https://HOST/BUCKET/KEY */
    int stall_s, tries;
    int64_t copy_max; /* bytes that the service copies in one request */
    struct http_multi *net;
};

/* What a request is, beyond the key, and what its answer was. All zero but `method` is fine. */
struct s3_call {
    const char *method;
    const char *key;                       /* below the prefix; NULL: the bucket itself */
    struct sigv4_pair query[5], header[4]; /* of the latter: names in lower case */
    size_t nquery, nheader;
    const struct str *parts; /* the body, in pieces */
    size_t nparts;
    struct buf *into; /* the body of a good answer is appended */
    bool xml;         /* a 200 may carry an error in `into`: look */
    /* The hex MD5 of the body, also sent as Content-MD5: the answer's ETag must be this, unless the
     * service encrypts with keys of its own. "" asks nothing. */
    char md5[33];

    int status;
    int64_t length;          /* Content-Length, or -1 */
    char etag[S3_ETAG_SIZE]; /* without its quotes; "" when there was none */
    char range[64];          /* Content-Range */
    char code[64];           /* S3's word for what is wrong: "NoSuchKey"; "" when it said none */
    int tried;               /* how often the request was sent */
};

/* spec: what follows "s3:", as storage/blob.h has it. Logs why it failed; s3_close() in any case.
 */
enum err s3_open(struct s3 *s, struct str spec) MUSTCHECK;
/* A bucket of somebody else's, whose prefix and keys may be any text. Asks the service nothing yet.
 * guarded: at a public address and by https alone; else requests are ERR_FORBIDDEN, or ERR_INVALID.
 */
enum err s3_open_foreign(struct s3 *s, struct str spec, bool guarded) MUSTCHECK;
void s3_close(struct s3 *s);

/* ERR_OK: 2xx, and all of it is as it must be. ERR_NOT_FOUND, ERR_RANGE (416) and ERR_FULL (more
 * than fits `into`) are not logged. ERR_UNAVAILABLE: still no good answer after all tries. ERR_IO:
 * the service refused: see `code`. On any error `into` is as it was. */
enum err s3_send(struct s3 *s, struct s3_call *c) MUSTCHECK;

/* An address that anybody may use with `method` for expires_s seconds, 1 to 604800. */
enum err s3_presign(struct s3 *s, const char *method, const char *key, int64_t expires_s,
    struct buf *url) MUSTCHECK;

/* Without the quotes that XML gives it. */
struct str s3_bare_etag(struct str s);
/* "/BUCKET/PREFIX/KEY", encoded: the source of a copy within the bucket. */
void s3_copy_source(const struct s3 *s, const char *key, struct buf *out);
/* The text of the first <name> in XML that a service wrote; ERR_NOT_FOUND when there is none.
 * &quot; and its kind are resolved. */
enum err s3_xml_text(struct str xml, const char *name, char *out, size_t size) MUSTCHECK;

#endif
