/* Owns the bodies and answers of the API as the worker uses it. Never trusts an answer's shape. */
#include "workers/prelabel/server.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/log.h"
#include "core/json_tree.h"

/* One call and its answer as a tree. */

enum { PATH = 128 };

static enum err call(struct http_client *c, const char *method, const char *path,
    const char *const *headers, struct str body, struct json_object **out)
{
    struct http_answer a;

    http_answer_init(&a);
    enum err e = http_client_call(c, method, path, headers, body, NULL, &a);
    if (!e)
        e = http_answer_err(&a);
    if (e && e != ERR_UNAUTHENTICATED && a.status) {
        char detail[200];
        http_answer_detail(&a, detail, sizeof(detail));
        log_warn("api", "%s %s: %d %s", method, path, a.status, detail);
    } else if (e) {
        log_warn("api", "%s %s: %s %s", method, path, err_slug(e), a.why);
    }
    if (!e && out)
        e = json_tree_parse(buf_view(&a.body), JSON_DEPTH_MAX, out, NULL);
    http_answer_release(&a);
    return e;
}

static struct json_object *member(struct json_object *o, const char *name, enum json_type type)
{
    struct json_object *v = NULL;

    if (json_object_is_type(o, json_type_object))
        json_object_object_get_ex(o, name, &v);
    return json_object_is_type(v, type) ? v : NULL;
}

static int64_t number(struct json_object *o, const char *name)
{
    struct json_object *v = member(o, name, json_type_int);

    return v ? json_object_get_int64(v) : -1;
}

static struct str text(struct json_object *o, const char *name)
{
    struct json_object *v = member(o, name, json_type_string);

    return v ? (struct str){json_object_get_string(v), (size_t)json_object_get_string_len(v)}
             : (struct str){0};
}

/* Projects */

enum err server_projects(struct http_client *c, int64_t *out, size_t *n)
{
    struct json_object *root = NULL;

    *n = 0;
    enum err e = call(c, "GET", "/v1/me", NULL, (struct str){0}, &root);
    struct json_object *list = member(root, "projects", json_type_array);
    if (!e && !list)
        e = ERR_BAD_JSON;
    for (size_t i = 0; !e && i < json_object_array_length(list) && *n < SERVER_PROJECTS; i++) {
        struct json_object *p = json_object_array_get_idx(list, i);
        if (str_is(text(p, "role"), "model") && number(p, "id") > 0)
            out[(*n)++] = number(p, "id");
    }
    json_object_put(root);
    return e;
}

enum err server_project(struct http_client *c, int64_t project, struct buf *config)
{
    struct json_object *root = NULL;
    char path[PATH];

    buf_init(config, BUF_MAX_JSON);
    snprintf(path, sizeof(path), "/v1/projects/%lld", (long long)project);
    enum err e = call(c, "GET", path, NULL, (struct str){0}, &root);
    struct str xml = text(root, "label_config");
    if (!e && !xml.p)
        e = ERR_BAD_JSON;
    if (!e) {
        buf_str(config, xml);
        e = buf_err(config);
    }
    json_object_put(root);
    return e;
}

/* Claims and leases */

enum err server_claim(struct http_client *c, struct route *r, size_t count, int wait_s,
    void (*fn)(void *arg, struct route *r, int64_t assignment, int64_t version, int64_t task,
        struct str address),
    void *arg)
{
    struct json_object *root = NULL;
    char path[PATH], body[160];

    snprintf(path, sizeof(path), "/v1/projects/%lld/claims", (long long)r->project);
    snprintf(body, sizeof(body),
        "{\"stage\":\"prelabel\",\"count\":%zu,\"wait_s\":%d,\"lease_s\":%d}", count, wait_s,
        SERVER_LEASE_S);
    enum err e = call(c, "POST", path, NULL, str_of(body), &root);
    struct json_object *list = member(root, "assignments", json_type_array);
    if (!e && !list)
        e = ERR_BAD_JSON;
    for (size_t i = 0; !e && i < json_object_array_length(list); i++) {
        struct json_object *a = json_object_array_get_idx(list, i);
        struct json_object *task = member(a, "task", json_type_object);
        struct str address = text(member(task, "data", json_type_object), r->field);
        if (number(a, "id") < 0 || number(a, "version") < 0 || number(task, "id") < 0)
            e = ERR_BAD_JSON;
        else
            fn(arg, r, number(a, "id"), number(a, "version"), number(task, "id"), address);
    }
    json_object_put(root);
    return e;
}

enum err server_heartbeat(struct http_client *c, const struct lease *leases, size_t n,
    void (*lost)(void *arg, struct lease l), void *arg)
{
    struct json_object *root = NULL;
    struct buf body;

    buf_init(&body, BUF_MAX_JSON);
    buf_printf(&body, "{\"lease_s\":%d,\"assignments\":[", SERVER_LEASE_S);
    for (size_t i = 0; i < n; i++)
        buf_printf(&body, "%s{\"id\":%lld,\"version\":%lld}", i ? "," : "",
            (long long)leases[i].assignment, (long long)leases[i].version);
    buf_puts(&body, "]}");
    enum err e = buf_err(&body);
    if (!e)
        e = call(c, "POST", "/v1/heartbeats", NULL, buf_view(&body), &root);
    struct json_object *list = member(root, "results", json_type_array);
    if (!e && (!list || json_object_array_length(list) != n))
        e = ERR_BAD_JSON;
    for (size_t i = 0; !e && i < n; i++) {
        struct json_object *r = json_object_array_get_idx(list, i);
        if (number(r, "id") == leases[i].assignment && text(r, "error").p)
            lost(arg, leases[i]);
    }
    json_object_put(root);
    buf_release(&body);
    return e;
}

enum err server_release(struct http_client *c, const struct item *i)
{
    char path[PATH], match[64];
    const char *const headers[] = {match, NULL};

    snprintf(path, sizeof(path), "/v1/assignments/%lld/release", (long long)i->assignment);
    snprintf(match, sizeof(match), "If-Match: \"%lld\"", (long long)i->version);
    return call(c, "POST", path, headers, (struct str){0}, NULL);
}

/* Predictions */

/* One Choices item. Its id is drawn from task and model: repeated posts are the same bytes. */
static void print_result(const struct item *i, struct buf *out)
{
    const struct route *r = i->route;
    char key[MODEL_NAME + 64], hex[SHA256_HEX + 1];

    snprintf(key, sizeof(key), "%lld %s", (long long)i->task, r->lane->name);
    sha256_hex(sha256_of(str_of(key)), hex);
    buf_printf(out, ",\"score\":%.6f,\"result\":[{\"id\":\"%.10s\",\"type\":\"choices\"",
        (double)i->guess.score, hex);
    buf_puts(out, ",\"from_name\":");
    buf_json(out, str_of(r->from_name));
    buf_puts(out, ",\"to_name\":");
    buf_json(out, str_of(r->to_name));
    buf_puts(out, ",\"origin\":\"prediction\",\"value\":{\"choices\":[");
    buf_json(out, str_of(r->lane->model->labels[i->guess.label]));
    buf_printf(out, "]},\"score\":%.6f}]", (double)i->guess.score);
}

static void print_predictions(struct item *const *items, size_t n, struct buf *out)
{
    buf_puts(out, "{\"predictions\":[");
    for (size_t k = 0; k < n; k++) {
        const struct item *i = items[k];
        buf_printf(out,
            "{\"assignment\":%lld,\"version\":%lld,\"model\":", (long long)i->assignment,
            (long long)i->version);
        buf_json(out, str_of(i->route->lane->name));
        if (i->fate == FATE_LABEL)
            print_result(i, out);
        else
            buf_printf(out, ",\"error\":\"%s\"", i->error);
        buf_puts(out, "},");
    }
    buf_chop(out, ',');
    buf_puts(out, "]}");
}

static enum err err_of_slug(struct str slug)
{
    for (int e = 1; e < ERR_COUNT; e++)
        if (str_is(slug, err_slug((enum err)e)))
            return (enum err)e;
    return ERR_INTERNAL;
}

static enum err read_results(
    struct json_object *root, struct item *const *items, size_t n, enum err *result)
{
    struct json_object *list = member(root, "results", json_type_array);

    if (!list || json_object_array_length(list) != n)
        return ERR_BAD_JSON;
    for (size_t i = 0; i < n; i++) {
        struct json_object *r = json_object_array_get_idx(list, i);
        if (number(r, "assignment") != items[i]->assignment)
            return ERR_BAD_JSON;
        struct str error = text(r, "error"), detail = text(r, "detail");
        result[i] = error.p ? err_of_slug(error) : ERR_OK;
        if (error.p)
            log_warn("post", "assignment %lld: %.*s: %.*s", (long long)items[i]->assignment,
                STR_FMT(error), (int)(detail.n < 200 ? detail.n : 200), detail.p ? detail.p : "");
    }
    return ERR_OK;
}

enum err server_post(struct http_client *c, struct item *const *items, size_t n, enum err *result)
{
    char path[PATH], hex[SHA256_HEX + 1], key[SHA256_HEX + 32];
    const char *const headers[] = {key, NULL};
    struct json_object *root = NULL;
    struct buf body;

    buf_init(&body, BUF_MAX_JSON);
    print_predictions(items, n, &body);
    snprintf(
        path, sizeof(path), "/v1/projects/%lld/predictions", (long long)items[0]->route->project);
    /* The key is the content: the same post again has the first answer again. */
    sha256_hex(sha256_of(buf_view(&body)), hex);
    snprintf(key, sizeof(key), "Idempotency-Key: %s", hex);
    enum err e = buf_err(&body);
    if (!e)
        e = call(c, "POST", path, headers, buf_view(&body), &root);
    if (!e)
        e = read_results(root, items, n, result);
    json_object_put(root);
    buf_release(&body);
    return e;
}

/* Pictures */

static enum err to_buf(void *arg, const void *p, size_t n)
{
    buf_add(arg, p, n);
    return buf_err(arg);
}

enum err server_fetch(
    struct http_client *api, struct http_client *outside, const char *address, struct buf *out)
{
    bool ours = str_starts(str_of(address), STR("/v1/assets/"));
    struct http_sink sink = {to_buf, out};
    struct http_answer a;

    buf_clear(out);
    /* With our token only where pictures are kept: a task must not make us ask for other things. */
    if (!ours && !str_starts(str_of(address), STR("https://")))
        return ERR_INVALID;
    http_answer_init(&a);
    enum err e = http_client_download(ours ? api : outside, address, NULL, &sink, &a);
    if (!e)
        e = http_answer_err(&a);
    http_answer_release(&a);
    return e;
}
