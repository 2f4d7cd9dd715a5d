/* Owns `annotate release`: cutting, showing, listing, protecting and deleting dataset releases. A
 * release is printed as one line of JSON, as the API gives it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/release.h"
#include "cli/say.h"
#include "core/json_tree.h"

enum { POLL_S = 1 };

static void print_release(struct json_object *o)
{
    puts(
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* A plain decimal, which is also JSON: no sign, exponent, infinity or bare point. */
static bool is_decimal(const char *text)
{
    size_t whole = strspn(text, "0123456789"), n = strlen(text);

    if (whole == 0 || (whole > 1 && text[0] == '0'))
        return false;
    return whole == n || (text[whole] == '.' && n > whole + 1 &&
                             strspn(text + whole + 1, "0123456789") == n - whole - 1);
}

static bool add_share(struct json_object *split, struct str part, double *sum)
{
    char name[64], value[32], *end;
    struct str rest = part, key;

    if (!str_split(&rest, '=', &key) || !rest.p || key.n == 0 || key.n >= sizeof(name) ||
        rest.n == 0 || rest.n >= sizeof(value))
        return false;
    snprintf(name, sizeof(name), "%.*s", STR_FMT(key));
    snprintf(value, sizeof(value), "%.*s", STR_FMT(rest));
    double share = strtod(value, &end);
    if (!is_decimal(value) || *end || share > 1 || json_object_object_get(split, name))
        return false;
    *sum += share;
    /* The share goes out as it was typed: 0.1, not the nearest double in 17 digits. */
    return json_object_object_add(split, name, json_object_new_double_s(share, value)) == 0;
}

/* "train=0.8,val=0.1,test=0.1"; NULL when it is not of that form or does not add up to 1. */
static struct json_object *parse_split(const char *text)
{
    struct json_object *split = json_object_new_object();
    struct str rest = str_of(text), part;
    double sum = 0;
    bool ok = true;

    while (ok && str_split(&rest, ',', &part))
        ok = add_share(split, part, &sum);
    if (ok && fabs(sum - 1) < 1e-9)
        return split;
    json_object_put(split);
    return NULL;
}

/* Polls until the release is ready or failed; *o is replaced by its last state. */
static int wait_for(struct api *a, struct json_object **o)
{
    char path[64];

    snprintf(path, sizeof(path), "/v1/releases/%" PRId64, api_int(*o, "id"));
    while (strcmp(api_text(*o, "state"), "building") == 0) {
        sleep(POLL_S);
        json_object_put(*o);
        if (!(*o = api_call(a, "GET", path, NULL)))
            return 1;
    }
    if (strcmp(api_text(*o, "state"), "ready") != 0)
        return fail("the release failed: %s.", api_text(*o, "error"));
    return 0;
}

static int create_with(struct api *a, int64_t project, struct json_object *body, bool wait)
{
    char path[64];

    if (!api_open(a))
        return 1;
    snprintf(path, sizeof(path), "/v1/projects/%" PRId64 "/releases", project);
    struct json_object *o = api_call(a, "POST", path, body);
    int status = !o || (wait && wait_for(a, &o));
    if (o)
        print_release(o);
    json_object_put(o);
    return status;
}

/* What `release create` may say beside the name. */
struct wishes {
    const char *split, *salt, *filter, *group_by, *pin_by, *description, *licence;
    bool unprotected;
};

static void add_text(struct json_object *body, const char *name, const char *value)
{
    if (value)
        json_object_object_add(body, name, json_object_new_string(value));
}

/* The body, or NULL after saying what is wrong. */
static struct json_object *body_of(const char *name, const struct wishes *w)
{
    struct json_object *shares = NULL, *filter = NULL, *body;

    if (w->split && !(shares = parse_split(w->split))) {
        misuse("release", "--split is like train=0.8,val=0.1,test=0.1 and adds up to 1.");
        return NULL;
    }
    if (w->filter && json_tree_parse(str_of(w->filter), JSON_DEPTH_REQUEST, &filter, NULL)) {
        json_object_put(shares);
        misuse("release", "--filter is JSON, as in a search for tasks.");
        return NULL;
    }
    body = json_object_new_object();
    json_object_object_add(body, "name", json_object_new_string(name));
    if (shares)
        json_object_object_add(body, "split", shares);
    if (filter)
        json_object_object_add(body, "filter", filter);
    add_text(body, "salt", w->salt);
    add_text(body, "group_by", w->group_by);
    add_text(body, "pin_by", w->pin_by);
    add_text(body, "description", w->description);
    add_text(body, "licence", w->licence);
    if (w->unprotected)
        json_object_object_add(body, "protected", json_object_new_boolean(false));
    return body;
}

static int create(int argc, char **argv)
{
    struct wishes w = {0};
    const char *name = NULL;
    int64_t project = 0;
    bool wait = false;
    const struct opt opts[] = {{"project", .number = &project, .required = true},
        {"name", .text = &name, .required = true}, {"split", .text = &w.split},
        {"salt", .text = &w.salt}, {"filter", .text = &w.filter}, {"group-by", .text = &w.group_by},
        {"pin-by", .text = &w.pin_by}, {"description", .text = &w.description},
        {"licence", .text = &w.licence}, {"unprotected", .flag = &w.unprotected},
        {"wait", .flag = &wait}};
    struct json_object *body;
    struct api a = {0};

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0 || !(body = body_of(name, &w)))
        return 2;
    int status = create_with(&a, project, body, wait);
    json_object_put(body);
    api_close(&a);
    return status;
}

/* The one argument, a release's number, as a path; false: said why not. */
static bool path_of(int argc, char **argv, char *path, size_t size)
{
    int64_t id;

    if (args_read(argc, argv, NULL, 0, 1, 1) < 0)
        return false;
    if (!str_int(str_of(argv[1]), &id)) {
        misuse("release", "\"%s\" is not the number of a release.", argv[1]);
        return false;
    }
    snprintf(path, size, "/v1/releases/%" PRId64, id);
    return true;
}

static int set_protected(int argc, char **argv, bool on)
{
    struct json_object *body, *o = NULL;
    struct api a = {0};
    char path[64];

    if (!path_of(argc, argv, path, sizeof(path)))
        return 2;
    body = json_object_new_object();
    json_object_object_add(body, "protected", json_object_new_boolean(on));
    if (api_open(&a))
        o = api_call(&a, "PATCH", path, body);
    if (o)
        print_release(o);
    json_object_put(body);
    json_object_put(o);
    api_close(&a);
    return o == NULL;
}

static int protect(int argc, char **argv)
{
    return set_protected(argc, argv, true);
}

static int unprotect(int argc, char **argv)
{
    return set_protected(argc, argv, false);
}

static int delete (int argc, char **argv)
{
    struct api a = {0};
    char path[64];
    int status = 1;

    if (!path_of(argc, argv, path, sizeof(path)))
        return 2;
    if (api_open(&a)) {
        enum err e =
            http_client_call(a.http, "DELETE", path, NULL, (struct str){NULL, 0}, NULL, &a.answer);
        status = !api_ok(&a, e, "the release");
    }
    api_close(&a);
    return status;
}

static int show(int argc, char **argv)
{
    struct json_object *o = NULL;
    struct api a = {0};
    char path[64];

    if (!path_of(argc, argv, path, sizeof(path)))
        return 2;
    if (api_open(&a))
        o = api_call(&a, "GET", path, NULL);
    if (o)
        print_release(o);
    json_object_put(o);
    api_close(&a);
    return o == NULL;
}

static int print_list(struct json_object *o)
{
    struct json_object *list = json_object_object_get(o, "releases");

    if (!json_object_is_type(list, json_type_array))
        return fail("the server's answer holds no list of releases.");
    for (size_t i = 0; i < json_object_array_length(list); i++)
        print_release(json_object_array_get_idx(list, i));
    return 0;
}

static int list(int argc, char **argv)
{
    int64_t project = 0;
    const struct opt opts[] = {{"project", .number = &project, .required = true}};
    struct json_object *o = NULL;
    struct api a = {0};
    char path[64];

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    snprintf(path, sizeof(path), "/v1/projects/%" PRId64 "/releases", project);
    if (api_open(&a))
        o = api_call(&a, "GET", path, NULL);
    int status = o ? print_list(o) : 1;
    json_object_put(o);
    api_close(&a);
    return status;
}

int cmd_release(int argc, char **argv)
{
    static const struct verb verbs[] = {{"create", create}, {"show", show}, {"list", list},
        {"diff", release_diff}, {"card", release_card}, {"protect", protect},
        {"unprotect", unprotect}, {"delete", delete}};

    return args_verb(argc, argv, verbs, ARRAY_LEN(verbs));
}
