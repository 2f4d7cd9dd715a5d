/* A container: files written one after another into one stream of bytes, as tar, tar.zst, zip, or
 * just the one file itself. The same files give the same bytes, always: no clock, no owner, no
 * locale in them (main() sets LC_CTYPE to C.UTF-8 and TZ to UTC, which zip looks at). What a
 * compressor makes of them depends on its version; the bytes before it do not. */
#ifndef FORMATS_CONTAINER_H
#define FORMATS_CONTAINER_H

#include "base/buf.h"

enum container_kind { CONTAINER_FILE, CONTAINER_TAR, CONTAINER_TAR_ZST, CONTAINER_ZIP };

enum { CONTAINER_PATH_MAX = 240 };

/* "tar", "tar.zst", "zip"; "file" is the one file as it is. NULL behind the last. */
const char *container_name(size_t i);
bool container_find(struct str name, enum container_kind *out);
const char *container_media_type(enum container_kind k);
const char *container_extension(enum container_kind k); /* ".tar.zst"; "" of CONTAINER_FILE */

/* A path that container_begin() takes. */
bool container_path_valid(const char *path);

struct container;

/* Everything is appended to `out`, which the caller empties between the calls; one call appends
 * little more than it was given. ERR_NO_MEMORY. */
enum err container_new(struct container **c, enum container_kind kind, struct buf *out) MUSTCHECK;
/* path: relative, of [A-Za-z0-9._/-] and no segment beginning with a dot. `packed`: the bytes are
 * compressed already (a picture), zip keeps them as they are. ERR_INVALID; ERR_CONFLICT: a second
 * file in CONTAINER_FILE; or buf_err(out). */
enum err container_begin(
    struct container *c, const char *path, int64_t bytes, bool packed) MUSTCHECK;
enum err container_add(struct container *c, struct str bytes) MUSTCHECK;
/* ERR_CORRUPT when there were not as many bytes as announced. */
enum err container_end(struct container *c) MUSTCHECK;
/* The directory or the closing blocks. */
enum err container_close(struct container *c) MUSTCHECK;
void container_free(struct container *c); /* NULL is fine */

#endif
