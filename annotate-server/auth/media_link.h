/* Signed addresses of media, for `<img src>` and players, which send no token: whoever has one may
 * read that one object until it expires. The key is drawn from the token key, so it is rotated with
 * it; nothing is stored, and no link can be taken back before its end. */
#ifndef AUTH_MEDIA_LINK_H
#define AUTH_MEDIA_LINK_H

#include "annotate-server/auth/key_set.h"
#include "annotate-server/http/request.h"
#include "base/hash.h"

enum {
    MEDIA_LINK_SPARE_S = 3600, /* a link outlives what it is asked for by at least this */
    MEDIA_LINK_ROUND_S = 900,  /* ends are rounded up, so that a browser sees one address again */
};

struct media_link {
    int64_t tenant;
    struct sha256 hash;
    int64_t expires; /* seconds since 1970; dead from this second on */
    bool attachment; /* sent as a download, whatever it is */
};

/* When a link made now must end to be good for so many seconds. */
int64_t media_link_end(int64_t seconds);

/* Appends "/v1/assets/<sha256>?tenant=…&exp=…&sig=…"; of plain characters only. ERR_INTERNAL
 * without a signing key. */
enum err media_link_print(
    const struct key_set *keys, const struct media_link *link, struct buf *out) MUSTCHECK;
/* Is this the signature of the link, by a key that we have, and has it not expired? */
bool media_link_good(const struct key_set *keys, const struct media_link *link, struct str sig);

/* Does the request bring a signature in place of a token? */
bool media_link_asked(struct req *r);
/* The link that a request is: its path and parameters. False when they are none, or not good. */
bool media_link_read(struct req *r, struct media_link *out);

#endif
