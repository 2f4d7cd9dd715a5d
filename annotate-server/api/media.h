/* Which media a task's data names, and signed links to them (auth/media_link.h). */
#ifndef API_MEDIA_H
#define API_MEDIA_H

#include "annotate-server/http/request.h"
#include "base/hash.h"

enum { MEDIA_OF_TASK = 256, MEDIA_LINK_MAX = 300 /* bytes of one entry of print_links */ };

/* The next "/v1/assets/<sha256>" in a JSON text, from *at on, also where its slashes are escaped;
 * *at moves past it. False when there is no more. */
bool media_next(struct str text, size_t *at, struct sha256 *out);
/* How many there are, the same one counted again; at most MEDIA_OF_TASK. */
size_t media_count(struct str text);
/* `{"/v1/assets/<sha256>":"<signed link>",…}` for what the text names, each once and at most
 * MEDIA_OF_TASK, good until `expires`. */
void media_links(const struct req *r, struct str text, int64_t expires, struct buf *out);

void media_sign_handler(struct req *r);

#endif
