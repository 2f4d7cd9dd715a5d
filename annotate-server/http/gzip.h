/* gzip of whole bodies, and whether a client wants it. One compressor per thread, reused. */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include "base/arena.h"
#include "base/str.h"

struct gzip;

struct gzip *gzip_new(int level);
void gzip_free(struct gzip *z);

/* Compresses into the arena; {NULL,0} when that gains nothing. */
struct str gzip_body(struct gzip *z, struct arena *a, struct str body);

/* Does an Accept-Encoding value allow gzip (RFC 9110 §12.5.3)? */
bool gzip_accepted(struct str accept_encoding);

/* Is content of this type worth compressing? */
bool gzip_type(struct str content_type);

#endif
