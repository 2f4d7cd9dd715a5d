/* Owns `annotate label`: the versions of a task's label, listed, shown, compared, blamed, taken in
 * again. Text for people; with --json the API's answer on a line. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/api.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/label_text.h"
#include "cli/say.h"

static void print_json(struct json_object *o)
{
    puts(
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* A positional argument that numbers a label; 0 after saying that it does not. */
static int64_t label_arg(const char *text)
{
    int64_t id;

    if (str_int(str_of(text), &id) && id > 0)
        return id;
    (void)misuse("label", "\"%s\" is not the number of a label.", text);
    return 0;
}

/* Gets `path` and prints the answer. */
static int ask(const char *path, bool json, void (*print)(struct json_object *answer))
{
    struct json_object *o = NULL;
    struct api a = {0};

    if (api_open(&a))
        o = api_call(&a, "GET", path, NULL);
    if (o && json)
        print_json(o);
    else if (o)
        print(o);
    json_object_put(o);
    api_close(&a);
    return o == NULL;
}

static void print_list(struct json_object *answer)
{
    struct json_object *list = json_object_object_get(answer, "labels");

    for (size_t i = 0; i < json_object_array_length(list); i++)
        label_text_version(json_object_array_get_idx(list, i));
}

static int list(int argc, char **argv)
{
    int64_t task = 0;
    bool json = false;
    const struct opt opts[] = {
        {"task", .number = &task, .required = true}, {"json", .flag = &json}};
    char path[64];

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    snprintf(path, sizeof(path), "/v1/tasks/%" PRId64 "/labels", task);
    return ask(path, json, print_list);
}

static int show(int argc, char **argv)
{
    char path[64];
    int64_t id;

    if (args_read(argc, argv, NULL, 0, 1, 1) < 0 || !(id = label_arg(argv[1])))
        return 2;
    snprintf(path, sizeof(path), "/v1/labels/%" PRId64, id);
    return ask(path, true, NULL);
}

static int diff(int argc, char **argv)
{
    bool json = false;
    const struct opt opts[] = {{"json", .flag = &json}};
    char path[96];
    int64_t a, b;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 2, 2) < 0 || !(a = label_arg(argv[1])) ||
        !(b = label_arg(argv[2])))
        return 2;
    snprintf(path, sizeof(path), "/v1/labels/%" PRId64 "/diff/%" PRId64, a, b);
    return ask(path, json, label_text_diff);
}

static int blame(int argc, char **argv)
{
    int64_t task = 0, label = 0;
    bool json = false;
    const struct opt opts[] = {{"task", .number = &task, .required = true},
        {"label", .number = &label}, {"json", .flag = &json}};
    char path[96];

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    int n = snprintf(path, sizeof(path), "/v1/tasks/%" PRId64 "/blame", task);
    if (label)
        snprintf(path + n, sizeof(path) - (size_t)n, "?label=%" PRId64, label);
    return ask(path, json, label_text_blame);
}

/* The task's version is read here and goes along: what changes in between is a conflict. */
static struct json_object *restore_with(struct api *a, int64_t label, int64_t task)
{
    char path[64], match[128], body[64];
    struct json_object *o;

    snprintf(path, sizeof(path), "/v1/tasks/%" PRId64, task);
    o = api_call(a, "GET", path, NULL);
    if (!o)
        return NULL;
    snprintf(match, sizeof(match), "If-Match: \"%" PRId64 "\"", api_int(o, "version"));
    json_object_put(o);
    snprintf(path, sizeof(path), "/v1/tasks/%" PRId64 "/restore-label", task);
    snprintf(body, sizeof(body), "{\"label\":%" PRId64 "}", label);
    enum err e = http_client_call(
        a->http, "POST", path, (const char *[]){match, NULL}, str_of(body), NULL, &a->answer);
    return api_ok(a, e, "the restore") ? api_json(a) : NULL;
}

static int restore(int argc, char **argv)
{
    struct json_object *o = NULL, *done = NULL;
    struct api a = {0};
    char path[64];
    int64_t id;

    if (args_read(argc, argv, NULL, 0, 1, 1) < 0 || !(id = label_arg(argv[1])))
        return 2;
    snprintf(path, sizeof(path), "/v1/labels/%" PRId64, id);
    if (api_open(&a))
        o = api_call(&a, "GET", path, NULL);
    if (o)
        done = restore_with(&a, id, api_int(o, "task"));
    if (done)
        print_json(done);
    json_object_put(o);
    json_object_put(done);
    api_close(&a);
    return done == NULL;
}

int cmd_label(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"list", list}, {"show", show}, {"diff", diff}, {"blame", blame}, {"restore", restore}};

    return args_verb(argc, argv, verbs, ARRAY_LEN(verbs));
}
