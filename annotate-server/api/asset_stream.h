/* Media from a storage without local files: read and sent piece by piece, in constant memory. */
#ifndef API_ASSET_STREAM_H
#define API_ASSET_STREAM_H

#include "annotate-server/http/request.h"

struct asset_range {
    const char *key, *type;
    int64_t from, length;
    bool partial;                     /* 206, else 200 */
    void (*headers)(const void *arg); /* sets those of a good answer */
};

/* Answers r; *range is copied, its key and `arg` live in the request's arena. What cannot be read
 * before the first byte is an error's answer; later the connection breaks, so that the client sees
 * that bytes are missing. Not verified: who asks has the hash. */
void asset_stream(struct req *r, const struct asset_range *range, const void *arg);

#endif
