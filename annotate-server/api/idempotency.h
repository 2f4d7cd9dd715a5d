/* Idempotency-Key on writes (I4): the same key and request of a person get the first answer again,
 * another request under that key is refused. The answer is written in the transaction of what it
 * answers, so a crash leaves both or neither. Kept 24 h. Streamed bodies do not take part: imports
 * are safe to repeat by external_id, media by their content. */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "annotate-server/http/request.h"
#include "base/hash.h"
#include "io/db.h"

struct idempotency {
    struct str key;
    struct sha256 request;   /* of method, path and body */
    struct db_call *waiting; /* begun while the statement before it was not committed yet */
};

/* struct http_options.before. */
void idempotency_before(struct req *r);

/* The statement that keeps an answer, for the transaction of its write (struct db_call.follow). */
void idempotency_put(struct req *r, int status, struct str answer, struct db_call *out);
/* req_reply_json() for an answer that no single write can carry: what it answers was written
 * before, piece by piece, or not at all. Kept first, in a transaction of its own; of equal requests
 * at once all get the answer that was kept first. When it cannot be kept it is given all the same,
 * as it is true. */
void idempotency_reply(struct req *r, int status, struct buf *answer);
/* The write lost the race for its key to an equal one: gives that one's answer. */
void idempotency_replay(struct req *r);

#endif
