/* Owns the table of what is known. Never writes to the project. */
#include "cli/sync_known.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "cli/progress.h"

enum { PAGE = 500 };

/* Never 0. */
static int64_t digest(const char *etag)
{
    struct sha256 hash = sha256_of(str_of(etag));
    int64_t n;

    memcpy(&n, hash.b, sizeof(n));
    return n | 1;
}

static void add(struct sync_known *k, struct json_object *task)
{
    struct json_object *meta = json_object_object_get(task, "meta"), *s3 = NULL;
    const char *etag = "";
    bool fresh;

    if (json_object_is_type(meta, json_type_object))
        s3 = json_object_object_get(meta, "s3");
    if (json_object_is_type(s3, json_type_object))
        etag = api_text(s3, "etag");
    int64_t *known = digest_map_at(&k->ids, str_of(api_text(task, "external_id")), &fresh);
    *known = *etag ? digest(etag) : 0;
}

static struct json_object *ask(
    struct api *a, const char *path, const char *begin, const char *after)
{
    struct json_object *body = json_object_new_object(), *filter = json_object_new_object();

    json_object_object_add(filter, "field", json_object_new_string("external_id"));
    json_object_object_add(filter, "op", json_object_new_string("prefix"));
    json_object_object_add(filter, "value", json_object_new_string(begin));
    json_object_object_add(body, "filter", filter);
    json_object_object_add(body, "limit", json_object_new_int(PAGE));
    if (*after)
        json_object_object_add(body, "after", json_object_new_string(after));
    struct json_object *answer = api_call(a, "POST", path, body);
    json_object_put(body);
    return answer;
}

bool sync_known_load(struct sync_known *k, struct api *a, int64_t project, const char *begin)
{
    char path[96], after[4096] = "";
    struct progress p;

    digest_map_init(&k->ids);
    snprintf(path, sizeof(path), "/v1/projects/%" PRId64 "/tasks/search", project);
    progress_begin(&p, "known tasks", -1);
    do {
        struct json_object *o = ask(a, path, begin, after);
        if (!o)
            return false;
        struct json_object *tasks = json_object_object_get(o, "tasks");
        for (size_t i = 0; i < json_object_array_length(tasks); i++)
            add(k, json_object_array_get_idx(tasks, i));
        snprintf(after, sizeof(after), "%s", api_text(o, "next"));
        json_object_put(o);
        progress_show(&p, (int64_t)k->ids.n, -1);
    } while (*after);
    if (k->ids.n)
        progress_end(&p, (int64_t)k->ids.n);
    return true;
}

void sync_known_release(struct sync_known *k)
{
    digest_map_release(&k->ids);
}

enum sync_state sync_known_look(struct sync_known *k, struct str id, const char *etag)
{
    bool fresh;
    int64_t *known = digest_map_at(&k->ids, id, &fresh), now = digest(etag);

    if (fresh) {
        *known = now;
        return SYNC_NEW;
    }
    return *known == 0 || *known == now ? SYNC_SAME : SYNC_CHANGED;
}
