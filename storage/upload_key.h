/* Where a part of an upload lies: uploads/<tenant>/<name>, the name being <upload>/<n>.<sha256>. */
#ifndef STORAGE_UPLOAD_KEY_H
#define STORAGE_UPLOAD_KEY_H

#include "storage/blob.h"

/* out holds BLOB_KEY_MAX bytes. */
void upload_key(int64_t tenant, struct str name, char *out, size_t size);
void upload_part_key(
    int64_t tenant, int64_t upload, int64_t n, struct sha256 hash, char *out, size_t size);

#endif
