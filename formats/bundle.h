/* A bundle: a file put together of bytes and of stored assets. It is written once it is complete,
 * since a container must know a file's size before its first byte. Its bytes lie in a spool; assets
 * are only named, and read as they are written. */
#ifndef FORMATS_BUNDLE_H
#define FORMATS_BUNDLE_H

#include "formats/format.h"

struct bundle;
struct export_media_source;

struct bundle *bundle_new(void); /* NULL: no memory */
void bundle_free(struct bundle *b);
/* Appends. After each record bundle_settle(). */
struct buf *bundle_text(struct bundle *b);
enum err bundle_settle(struct bundle *b) MUSTCHECK;
/* The asset's bytes behind all that was appended. */
enum err bundle_asset(struct bundle *b, const struct export_asset *asset) MUSTCHECK;

int64_t bundle_bytes(const struct bundle *b);
int64_t bundle_assets(const struct bundle *b); /* how many */
/* Up to n of its next bytes, appended; an asset's are read from the source. ERR_CORRUPT when an
 * asset is not there any more or is not what its sum says (I6). */
enum err bundle_read(struct bundle *b, const struct export_media_source *source, size_t n,
    struct buf *out) MUSTCHECK;

#endif
