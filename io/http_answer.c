/* Owns reading an answer: what kind of error it is, what it says. Never trusts its body's shape. */
#include "io/http_client.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/json_scan.h"

void http_answer_init(struct http_answer *a)
{
    *a = (struct http_answer){.retry_after_s = -1};
    buf_init(&a->body, BUF_MAX_REPLY);
}

void http_answer_release(struct http_answer *a)
{
    buf_release(&a->body);
}

/* The string member of a JSON object; borrowed from *root, which the caller puts. */
static const char *problem_member(
    const struct http_answer *a, const char *name, struct json_object **root)
{
    struct json_object *v;

    if (!*root && a->body.n && a->body.n <= BUF_MAX_LINE &&
        json_scan(buf_view(&a->body), JSON_DEPTH_REQUEST, NULL) == ERR_OK)
        *root = json_tokener_parse(a->body.p);
    if (!json_object_is_type(*root, json_type_object) ||
        !json_object_object_get_ex(*root, name, &v) || !json_object_is_type(v, json_type_string))
        return NULL;
    return json_object_get_string(v);
}

enum err http_answer_err(const struct http_answer *a)
{
    struct json_object *root = NULL;
    enum err e = ERR_INTERNAL;

    if (a->status >= 200 && a->status < 300)
        return ERR_OK;
    const char *type = problem_member(a, "type", &root);
    const char *slug = type ? strrchr(type, '/') : NULL;
    for (int i = 1; i < ERR_COUNT; i++) {
        if (slug && strcmp(err_slug((enum err)i), slug + 1) == 0) {
            e = (enum err)i;
            break;
        }
        if (e == ERR_INTERNAL && err_status((enum err)i) == a->status)
            e = (enum err)i;
    }
    json_object_put(root);
    return e;
}

void http_answer_detail(const struct http_answer *a, char *out, size_t size)
{
    struct json_object *root = NULL;
    const char *text = problem_member(a, "detail", &root);

    if (!text)
        text = problem_member(a, "title", &root);
    if (text)
        snprintf(out, size, "%s", text);
    else if (a->status)
        snprintf(out, size, "HTTP status %d", a->status);
    else
        snprintf(out, size, "%s", a->why);
    json_object_put(root);
}
