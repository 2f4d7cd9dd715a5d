/* Owns `annotate erase`: orders the erasure of a task's or a person's content and follows it. Never
 * orders one without --yes: without it, it is counted what would go. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/say.h"

enum { POLL_S = 1 };

struct wish {
    const char *reason;
    bool labels, force, dry_run, yes, no_wait;
    int64_t version; /* of the task; 0: a person has none */
};

static void print_json(struct json_object *o)
{
    puts(
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* What the steps do, for who waits. */
static const char *step_text(const char *step)
{
    static const struct {
        const char *step, *text;
    } texts[] = {{"rows", "comments, drafts, texts of events"}, {"labels", "versions of labels"},
        {"packs", "their bytes"}, {"media", "which media nothing else names"}, {"objects", "media"},
        {"copies", "copies of labels"}, {"settle", "waiting for what is under way"}};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(step, texts[i].step) == 0)
            return texts[i].text;
    return step;
}

/* Until it is carried out; *order is replaced by its last state, NULL when that cannot be known. */
static bool follow(struct api *a, struct json_object **order)
{
    char path[64], shown[32] = "";

    snprintf(path, sizeof(path), "/v1/erasures/%" PRId64, api_int(*order, "id"));
    while (strcmp(api_text(*order, "state"), "done") != 0) {
        const char *step = api_text(*order, "step");
        if (strcmp(shown, step) != 0)
            fprintf(stderr, "erasure %" PRId64 ": %s\n", api_int(*order, "id"), step_text(step));
        snprintf(shown, sizeof(shown), "%s", step);
        sleep(POLL_S);
        json_object_put(*order);
        if (!(*order = api_call(a, "GET", path, NULL)))
            return false;
    }
    return true;
}

static struct json_object *body_of(const struct wish *w)
{
    struct json_object *body = json_object_new_object();

    json_object_object_add(body, "reason", json_object_new_string(w->reason));
    json_object_object_add(body, "force", json_object_new_boolean(w->force));
    json_object_object_add(body, "dry_run", json_object_new_boolean(w->dry_run || !w->yes));
    if (w->labels)
        json_object_object_add(body, "labels", json_object_new_boolean(true));
    return body;
}

static struct json_object *send_order(struct api *a, const char *path, const struct wish *w)
{
    struct json_object *body = body_of(w);
    char match[64];
    const char *headers[] = {NULL, NULL};

    snprintf(match, sizeof(match), "If-Match: \"%" PRId64 "\"", w->version);
    if (w->version)
        headers[0] = match;
    enum err e = http_client_call(a->http, "POST", path, headers,
        str_of(json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN)), NULL, &a->answer);
    json_object_put(body);
    return api_ok(a, e, "the erasure") ? api_json(a) : NULL;
}

static int order(struct api *a, const char *path, const struct wish *w)
{
    struct json_object *o = send_order(a, path, w);
    int status = o ? 0 : 1;

    if (o && !w->no_wait && !follow(a, &o))
        status = 1;
    if (o)
        print_json(o);
    json_object_put(o);
    if (!status && !w->dry_run && !w->yes)
        return misuse("erase", "nothing was erased yet. This cannot be undone: say --yes to erase "
                               "what was counted.");
    return status;
}

/* ---- the commands */

static bool number_arg(const char *text, int64_t *id)
{
    if (str_int(str_of(text), id) && *id > 0)
        return true;
    (void)misuse("erase", "\"%s\" is no number.", text);
    return false;
}

/* The task's version is read here and goes along: what changes in between is a conflict. */
static int task(int argc, char **argv)
{
    struct wish w = {.reason = NULL};
    const struct opt opts[] = {{"reason", .text = &w.reason, .required = true},
        {"force", .flag = &w.force}, {"dry-run", .flag = &w.dry_run}, {"yes", .flag = &w.yes},
        {"no-wait", .flag = &w.no_wait}};
    struct json_object *o = NULL;
    struct api a = {0};
    char path[64];
    int status = 1;
    int64_t id;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 1, 1) < 0 || !number_arg(argv[1], &id))
        return 2;
    snprintf(path, sizeof(path), "/v1/tasks/%" PRId64, id);
    if (api_open(&a))
        o = api_call(&a, "GET", path, NULL);
    if (o) {
        w.version = api_int(o, "version");
        snprintf(path, sizeof(path), "/v1/tasks/%" PRId64 "/erase", id);
        status = order(&a, path, &w);
    }
    json_object_put(o);
    api_close(&a);
    return status;
}

static int person(int argc, char **argv)
{
    struct wish w = {.reason = NULL};
    const struct opt opts[] = {{"reason", .text = &w.reason, .required = true},
        {"labels", .flag = &w.labels}, {"force", .flag = &w.force}, {"dry-run", .flag = &w.dry_run},
        {"yes", .flag = &w.yes}, {"no-wait", .flag = &w.no_wait}};
    struct api a = {0};
    char path[64];
    int64_t id;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 1, 1) < 0 || !number_arg(argv[1], &id))
        return 2;
    snprintf(path, sizeof(path), "/v1/users/%" PRId64 "/erase", id);
    int status = api_open(&a) ? order(&a, path, &w) : 1;
    api_close(&a);
    return status;
}

static int show(int argc, char **argv)
{
    struct json_object *o = NULL;
    struct api a = {0};
    char path[64];
    int64_t id;

    if (args_read(argc, argv, NULL, 0, 1, 1) < 0 || !number_arg(argv[1], &id))
        return 2;
    snprintf(path, sizeof(path), "/v1/erasures/%" PRId64, id);
    if (api_open(&a))
        o = api_call(&a, "GET", path, NULL);
    if (o)
        print_json(o);
    json_object_put(o);
    api_close(&a);
    return o == NULL;
}

/* A page a call, until there is no next. */
static int list(int argc, char **argv)
{
    struct json_object *o = NULL;
    struct api a = {0};
    char path[64];
    int64_t after = 0;
    int status = 0;

    if (args_read(argc, argv, NULL, 0, 0, 0) < 0)
        return 2;
    if (!api_open(&a))
        status = 1;
    do {
        snprintf(path, sizeof(path), "/v1/erasures?limit=500&after=%" PRId64, after);
        if (status || !(o = api_call(&a, "GET", path, NULL))) {
            status = 1;
            break;
        }
        struct json_object *page = json_object_object_get(o, "erasures");
        for (size_t i = 0; i < json_object_array_length(page); i++)
            print_json(json_object_array_get_idx(page, i));
        after = api_int(o, "next");
        json_object_put(o);
    } while (after);
    api_close(&a);
    return status;
}

int cmd_erase(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"task", task}, {"person", person}, {"show", show}, {"list", list}};

    return args_verb(argc, argv, verbs, ARRAY_LEN(verbs));
}
