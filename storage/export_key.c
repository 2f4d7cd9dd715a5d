/* Owns the names of exports. Never stores one. */
#include "storage/export_key.h"

#include <stdio.h>

void export_key(int64_t tenant, int64_t job, int64_t attempt, char *out, size_t size)
{
    snprintf(
        out, size, "exports/%lld/%lld-%lld", (long long)tenant, (long long)job, (long long)attempt);
}
