/* Owns the tool's calls to the API. Never prints a token or a body. */
#include "cli/api.h"

#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "cli/say.h"
#include "core/json_tree.h"

bool api_open(struct api *a)
{
    return api_open_patient(a, 0);
}

bool api_open_patient(struct api *a, int stall_s)
{
    const char *server = config_str(CONFIG_server), *token = config_str(CONFIG_token_file);

    *a = (struct api){0};
    http_answer_init(&a->answer);
    if (!*token) {
        fail("--token-file is needed: a file with an API token, as made by `annotate token "
             "create`.");
        return false;
    }
    a->http = http_client_open(
        &(struct http_client_options){.base = server, .token_file = token, .stall_s = stall_s});
    if (!a->http)
        fail("the API at %s cannot be used with the token of %s; check --server and --token-file.",
            server, token);
    return a->http != NULL;
}

void api_close(struct api *a)
{
    http_client_free(a->http);
    http_answer_release(&a->answer);
    *a = (struct api){0};
}

bool api_ok(struct api *a, enum err e, const char *what)
{
    char detail[256];

    if (e) {
        fail("%s failed: %s (%s).", what, *a->answer.why ? a->answer.why : err_title(e),
            config_str(CONFIG_server));
        return false;
    }
    if (http_answer_err(&a->answer)) {
        http_answer_detail(&a->answer, detail, sizeof(detail));
        fail("%s was refused with %d: %s.", what, a->answer.status, detail);
        return false;
    }
    return true;
}

struct json_object *api_json(struct api *a)
{
    struct json_object *o = NULL;

    if (json_tree_parse(buf_view(&a->answer.body), JSON_DEPTH_MAX, &o, NULL) || !o)
        fail("the server's answer is no JSON; is %s the API?", config_str(CONFIG_server));
    return o;
}

struct json_object *api_call(
    struct api *a, const char *method, const char *path, struct json_object *body)
{
    struct str text = {0};
    char what[160];

    if (body)
        text = str_of(json_object_to_json_string_ext(
            body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    snprintf(what, sizeof(what), "%s %s", method, path);
    enum err e = http_client_call(a->http, method, path, NULL, text, NULL, &a->answer);
    return api_ok(a, e, what) ? api_json(a) : NULL;
}

int64_t api_int(struct json_object *o, const char *key)
{
    return json_object_get_int64(json_object_object_get(o, key));
}

const char *api_text(struct json_object *o, const char *key)
{
    const char *text = json_object_get_string(json_object_object_get(o, key));

    return text ? text : "";
}

bool api_may_pass(const struct api *a, enum err e)
{
    return e ? e == ERR_UNAVAILABLE || e == ERR_TIMEOUT
             : a->answer.status == 429 || a->answer.status == 503;
}
