/* Owns the names of parts of uploads. Never stores one. */
#include "storage/upload_key.h"

#include <stdio.h>

void upload_key(int64_t tenant, struct str name, char *out, size_t size)
{
    snprintf(out, size, "uploads/%lld/%.*s", (long long)tenant, STR_FMT(name));
}

void upload_part_key(
    int64_t tenant, int64_t upload, int64_t n, struct sha256 hash, char *out, size_t size)
{
    char hex[SHA256_HEX + 1], name[128];

    sha256_hex(hash, hex);
    snprintf(name, sizeof(name), "%lld/%lld.%s", (long long)upload, (long long)n, hex);
    upload_key(tenant, str_of(name), out, size);
}
