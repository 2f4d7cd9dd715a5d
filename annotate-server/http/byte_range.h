/* One range of bytes out of a `Range` header (RFC 9110 §14). */
#ifndef HTTP_BYTE_RANGE_H
#define HTTP_BYTE_RANGE_H

#include "annotate-server/http/request.h"

struct byte_range {
    int64_t from, length;
    bool partial; /* 206; else all of it, 200 */
};

/* Of a content of `size` bytes. What is no single byte range is ignored, as the RFC asks: all of
 * it. ERR_RANGE when it lies outside. */
enum err byte_range_parse(struct str header, int64_t size, struct byte_range *out) MUSTCHECK;
/* The request's. A range outside is answered 416: false. */
bool byte_range_read(struct req *r, int64_t size, struct byte_range *out);
/* Accept-Ranges and, of a part, Content-Range. Before the reply. */
void byte_range_headers(struct req *r, int64_t size, const struct byte_range *range);

#endif
