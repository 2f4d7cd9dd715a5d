/* Where an export lies: exports/<tenant>/<job>-<attempt>. Each attempt has a key of its own, so
 * that one that comes late never touches what another has made. */
#ifndef STORAGE_EXPORT_KEY_H
#define STORAGE_EXPORT_KEY_H

#include "storage/blob.h"

/* out holds BLOB_KEY_MAX bytes. */
void export_key(int64_t tenant, int64_t job, int64_t attempt, char *out, size_t size);

#endif
