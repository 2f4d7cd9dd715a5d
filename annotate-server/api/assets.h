/* Media: upload and download. */
#ifndef API_ASSETS_H
#define API_ASSETS_H

#include "annotate-server/api/query.h"
#include "storage/blob.h"
#include "storage/facts.h"
#include "storage/sniff.h"

struct asset {
    struct sha256 hash;
    int64_t bytes;
    struct media media;
    struct facts facts;
};

/* Of an asset whose hash and size are known: what it is, from its first SNIFF_BYTES and its blob.
 * Blocks. */
void asset_look(struct blob_store *s, int64_t tenant, struct str head, struct asset *a);
/* What the API says of it. */
void asset_print(struct buf *out, const struct asset *a);
/* The parameters of asset_create, and the first ones of upload_complete; a lives as long as q. */
void asset_bind(struct query *q, const struct asset *a);

void asset_info_handler(struct req *r);

void asset_create_handler(struct req *r);
void asset_get_handler(struct req *r);

#endif
