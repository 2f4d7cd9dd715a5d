/* Owns `annotate release diff`: the differences between two releases, a line each, as they come.
 * Memory is one line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/release.h"
#include "cli/say.h"

enum { LINE = 1 << 20 };

struct lines {
    struct buf line;
    bool json, whole; /* whole: the counts have come, which are last */
};

/* "0fb41c12…": enough to tell two labels apart by eye. */
static void print_label(struct json_object *side)
{
    printf("%.8s…", api_text(side, "sha256"));
}

static bool has_change(struct json_object *changes, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(changes); i++)
        if (strcmp(json_object_get_string(json_object_array_get_idx(changes, i)), name) == 0)
            return true;
    return false;
}

static void print_item(struct json_object *o)
{
    struct json_object *changes = json_object_object_get(o, "changes");
    struct json_object *a = json_object_object_get(o, "a"), *b = json_object_object_get(o, "b");

    printf("%c %" PRId64, a && b ? '~' : a ? '-' : '+', api_int(o, "task"));
    if (*api_text(o, "external_id"))
        printf(" %s", api_text(o, "external_id"));
    if (!a || !b)
        printf("  %s", api_text(a ? a : b, "split"));
    if (has_change(changes, "relabelled")) {
        printf("  label ");
        print_label(a);
        printf(" → ");
        print_label(b);
    }
    if (has_change(changes, "media"))
        printf("  other media");
    if (has_change(changes, "split"))
        printf("  %s → %s", api_text(a, "split"), api_text(b, "split"));
    putchar('\n');
}

static void print_counts(struct json_object *counts)
{
    static const char *const names[] = {
        "equal", "added", "removed", "relabelled", "media", "split"};
    static const char *const words[] = {
        "equal", "added", "removed", "relabelled", "with other media", "moved to another split"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        printf("%s%" PRId64 " %s", i ? ", " : "", api_int(counts, names[i]), words[i]);
    putchar('\n');
}

static enum err print_line(struct lines *l)
{
    struct json_object *o = json_tokener_parse(l->line.n ? l->line.p : "");
    struct json_object *counts = o ? json_object_object_get(o, "counts") : NULL;

    if (!o ||
        !(counts || json_object_is_type(json_object_object_get(o, "changes"), json_type_array))) {
        json_object_put(o);
        return ERR_CORRUPT;
    }
    l->whole = counts != NULL;
    if (l->json)
        puts(l->line.p);
    else if (counts)
        print_counts(counts);
    else
        print_item(o);
    json_object_put(o);
    return ERR_OK;
}

static enum err take(void *arg, const void *p, size_t n)
{
    struct str rest = {p, n};
    struct lines *l = arg;
    enum err e = ERR_OK;

    while (!e && rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t part = end ? (size_t)(end - rest.p) : rest.n;
        buf_add(&l->line, rest.p, part);
        rest = (struct str){rest.p + part + (end != NULL), rest.n - part - (end != NULL)};
        e = buf_err(&l->line);
        if (!e && end) {
            e = print_line(l);
            buf_clear(&l->line);
        }
    }
    return e;
}

static int show(struct api *a, int64_t from, int64_t to, struct lines *l)
{
    const struct http_sink sink = {take, l};
    char path[96];

    snprintf(path, sizeof(path), "/v1/releases/%" PRId64 "/diff/%" PRId64, from, to);
    enum err e = http_client_download(a->http, path, NULL, &sink, &a->answer);
    if (!api_ok(a, e, "the comparison"))
        return 1;
    if (!l->whole)
        return fail("the comparison came to its end in the middle; run the command again.");
    return 0;
}

int release_diff(int argc, char **argv)
{
    struct lines l = {.json = false};
    const struct opt opts[] = {{"json", .flag = &l.json}};
    struct api a = {0};
    int64_t from, to;
    int status = 1;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 2, 2) < 0)
        return 2;
    if (!str_int(str_of(argv[1]), &from) || !str_int(str_of(argv[2]), &to))
        return misuse("release", "diff compares two releases by their numbers.");
    buf_init(&l.line, LINE);
    if (api_open(&a))
        status = show(&a, from, to, &l);
    api_close(&a);
    buf_release(&l.line);
    return status;
}
