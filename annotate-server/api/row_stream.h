/* An answer of JSON lines, streamed: pages of a statement, one after another, in constant memory.
 * The next page is asked for when the socket has taken the one before. */
#ifndef API_ROW_STREAM_H
#define API_ROW_STREAM_H

#include "annotate-server/api/query.h"

struct row_stream {
    enum statement stmt;
    /* Binds the parameters of the next page. */
    void (*bind)(struct row_stream *s, struct query *q);
    /* Appends a page's lines and moves on. False: that was the last one, or lines are missing. */
    bool (*put)(struct row_stream *s, const PGresult *res, struct buf *out);
    int64_t after; /* where the next page begins: the callbacks' own */
    bool missing;  /* set by put: what it lists is not all there any more */
    /* row_stream's own */
    struct req *r;
    bool begun, ended, full;
};

/* Begins; the stream lives in the request's arena. A first page that fails is answered as usual;
 * later ones, and lines that are missing, break the connection, so that the client sees it. */
void row_stream_run(struct row_stream *s, struct req *r);

#endif
