/* AWS Signature Version 4: what a request's bytes are, canonically, and what signs them. Pure: the
 * time and the key come with the call, nothing is read or sent. Checked against AWS's published
 * vectors. Paths are taken as S3 takes them: encoded once, never normalised. */
#ifndef STORAGE_SIGV4_H
#define STORAGE_SIGV4_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/str.h"

enum { SIGV4_PAIRS = 32 /* headers, and parameters, of a request at most */ };

#define SIGV4_UNSIGNED STR("UNSIGNED-PAYLOAD")

struct sigv4_pair {
    struct str name, value;
};

/* Who signs, for what, when. token: of temporary credentials; empty for others. It is signed only
 * where the caller has it among the headers; sigv4_presign() adds it itself. */
struct sigv4_scope {
    struct str access, secret, token, region, service;
    int64_t at; /* seconds since 1970 */
};

struct sigv4_request {
    struct str method, path;         /* path: not encoded yet, "/" first */
    const struct sigv4_pair *query;  /* not encoded yet, any order */
    const struct sigv4_pair *header; /* names in lower case, any order; all are signed, with host */
    size_t nquery, nheader;
    struct str payload; /* the body's SHA-256 in hex, or SIGV4_UNSIGNED */
};

/* RFC 3986: all but letters, digits, -._~ as %XX; '/' stays where keep_slash. */
void sigv4_encode(struct buf *out, struct str text, bool keep_slash);
/* Parameters encoded and sorted, with '=' and '&': as they are signed, and as they are to be sent.
 */
void sigv4_query(struct buf *out, const struct sigv4_pair *query, size_t n);
/* The canonical request, for tests and for who must compare with a server's. */
void sigv4_canonical(struct buf *out, const struct sigv4_request *r);
/* "20130524T000000Z"; out holds at least 17 bytes. */
void sigv4_time(int64_t at, char *out, size_t size);
/* The value of the header Authorization. The caller sends x-amz-date with sigv4_time() of the same
 * second, signed among the headers. */
void sigv4_authorization(
    struct buf *out, const struct sigv4_scope *scope, const struct sigv4_request *r);
/* The whole query string of an address that anybody may use for expires_s seconds. */
void sigv4_presign(struct buf *out, const struct sigv4_scope *scope, const struct sigv4_request *r,
    int64_t expires_s);

#endif
