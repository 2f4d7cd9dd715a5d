/* Objects of a storage without local files: read and sent piece by piece, in constant memory. */
#ifndef API_BLOB_STREAM_H
#define API_BLOB_STREAM_H

#include "annotate-server/http/request.h"

struct blob_range {
    const char *key, *type;
    int64_t from, length;
    bool partial;                     /* 206, else 200 */
    void (*headers)(const void *arg); /* sets those of a good answer */
    const char *gone;                 /* what to say when it may be gone, 404; NULL: it may not */
};

/* Answers r; *range is copied, its key and `arg` live in the request's arena. What cannot be read
 * before the first byte is an error's answer; later the connection breaks, so that the client sees
 * that bytes are missing. Not verified: who asks has the hash. */
void blob_stream(struct req *r, const struct blob_range *range, const void *arg);

#endif
