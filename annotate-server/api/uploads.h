/* Uploads in parts, each with its SHA-256, in any order, that go on where they were interrupted
 * (schema/migrations/0015_media.sql). What is left of them is removed by annotate-upkeep. */
#ifndef API_UPLOADS_H
#define API_UPLOADS_H

#include "annotate-server/http/request.h"
#include "base/hash.h"

enum { PART_MIN = 5 << 20, PART_MAX = 64 << 20, PARTS_MAX = 10000, UPLOADS_OPEN = 100 };

/* The sha-256 of a Repr-Digest or Content-Digest header (RFC 9530 §2, §3). */
bool upload_digest(struct str header, struct sha256 *out);

void upload_create_handler(struct req *r);
void upload_get_handler(struct req *r);
void upload_drop_handler(struct req *r);
void upload_part_handler(struct req *r);
void upload_complete_handler(struct req *r);

#endif
