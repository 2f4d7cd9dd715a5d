/* Owns sending a batch of tasks. Never knows where they came from. */
#include "cli/tasks_send.h"

#include <stdio.h>

#include "base/hash.h"

bool tasks_count(struct api *a, struct tasks_sent *sent)
{
    struct json_object *o = api_json(a);

    if (!o)
        return false;
    sent->created += api_int(o, "created");
    sent->skipped += api_int(o, "skipped");
    json_object_put(o);
    return true;
}

/* The key tells the client that it may repeat. */
bool tasks_send(struct api *a, const char *path, struct str lines, struct tasks_sent *sent)
{
    char hash[SHA256_HEX + 1], key[SHA256_HEX + 32];
    const char *headers[] = {key, NULL};

    sha256_hex(sha256_of(lines), hash);
    snprintf(key, sizeof(key), "Idempotency-Key: %s", hash);
    enum err e =
        http_client_call(a->http, "POST", path, headers, lines, "application/x-ndjson", &a->answer);
    return api_ok(a, e, "creating tasks") && tasks_count(a, sent);
}
