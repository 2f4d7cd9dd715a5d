/* Owns `annotate release card`: a release's data card as Markdown, to be kept beside the data. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/release.h"
#include "cli/say.h"

static struct json_object *member(struct json_object *o, const char *name)
{
    return o ? json_object_object_get(o, name) : NULL;
}

static const char *compact(struct json_object *o)
{
    return json_object_to_json_string_ext(
        o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static double percent(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* In a cell, where a bar would end it and a line break the table. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text == '\n' || *text == '\r' ? ' ' : *text);
    }
}

static void print_head(struct json_object *card, struct json_object *f)
{
    printf("# %s\n\n", api_text(card, "name"));
    if (*api_text(card, "description"))
        printf("%s\n\n", api_text(card, "description"));
    if (*api_text(card, "licence"))
        printf("- Licence: %s\n", api_text(card, "licence"));
    printf("- Release: %" PRId64 " of project %" PRId64 ", made %s\n", api_int(card, "release"),
        api_int(card, "project"), api_text(card, "created_at"));
    printf("- Root: `%s`\n", api_text(card, "root"));
    printf(
        "- Items: %" PRId64 ", regions: %" PRId64 "\n", api_int(f, "items"), api_int(f, "regions"));
    if (member(card, "filter"))
        printf("- Filter: `%s`\n", compact(member(card, "filter")));
    if (*api_text(card, "group_by"))
        printf("- Grouped by: `%s`\n", api_text(card, "group_by"));
    if (*api_text(f, "first_label_at"))
        printf("- Labelled from %s to %s\n", api_text(f, "first_label_at"),
            api_text(f, "last_label_at"));
    printf("- Label configs, by version: `%s`\n", compact(member(f, "configs")));
}

static void print_splits(struct json_object *f)
{
    int64_t items = api_int(f, "items");

    puts("\n## Splits\n\n| Split | Items | Share | Regions |\n| --- | ---: | ---: | ---: |");
    json_object_object_foreach(member(f, "splits"), name, part)
    {
        int64_t n = api_int(part, "items");
        printf("| %s | %" PRId64 " | %.1f %% | %" PRId64 " |\n", name, n, percent(n, items),
            api_int(part, "regions"));
    }
}

static void print_labels(struct json_object *f)
{
    struct json_object *labels = member(f, "labels"), *splits = member(f, "splits");

    printf("\n## Labels\n\nItems that have each.\n\n| Label | Items |");
    json_object_object_foreach(splits, title, unused)
    {
        (void)unused;
        printf(" %s |", title);
    }
    printf("\n| --- | ---: |");
    for (int i = 0; i < json_object_object_length(splits); i++)
        printf(" ---: |");
    for (size_t i = 0; i < json_object_array_length(labels); i++) {
        struct json_object *l = json_object_array_get_idx(labels, i);
        printf("\n| ");
        print_cell(api_text(l, "label"));
        printf(" | %" PRId64 " |", api_int(l, "items"));
        json_object_object_foreach(splits, name, part)
        {
            (void)part;
            printf(" %" PRId64 " |", api_int(member(l, "splits"), name));
        }
    }
    putchar('\n');
}

static void print_work(struct json_object *card, struct json_object *f)
{
    struct json_object *agreement = member(f, "agreement"), *rework = member(f, "rework");
    struct json_object *models = member(f, "models"), *annotators = member(f, "annotators");
    struct json_object *mean = member(agreement, "mean"), *people = member(card, "people");
    int64_t items = api_int(f, "items");

    printf("\n## How it was made\n\n- Annotators: %" PRId64 "\n", api_int(annotators, "count"));
    for (size_t i = 0; people && i < json_object_array_length(people); i++) {
        struct json_object *p = json_object_array_get_idx(people, i);
        printf("  - %s: %" PRId64 " items (%.1f %%)\n", api_text(p, "name"), api_int(p, "items"),
            percent(api_int(p, "items"), items));
    }
    if (mean)
        printf("- Agreement: %.3f on average, of %" PRId64 " items; by tenths `%s`\n",
            json_object_get_double(mean), api_int(agreement, "items"),
            compact(member(agreement, "tenths")));
    printf("- Sent back for rework: %" PRId64 " items (%.1f %%), %" PRId64 " rounds\n",
        api_int(rework, "items"), percent(api_int(rework, "items"), items),
        api_int(rework, "rounds"));
    printf("- Made by a model: %" PRId64 " items (%.1f %%)\n", api_int(models, "made"),
        percent(api_int(models, "made"), items));
    printf("- Predicted beforehand: %" PRId64 " items, %" PRId64 " left unchanged (%.1f %%)\n",
        api_int(models, "predicted"), api_int(models, "unchanged"),
        percent(api_int(models, "unchanged"), api_int(models, "predicted")));
    printf("- Kinds of labels: `%s`\n", compact(member(f, "kinds")));
}

static int print_card(struct json_object *card, bool json)
{
    struct json_object *f = member(card, "figures");

    if (json) {
        puts(compact(card));
        return 0;
    }
    if (!json_object_is_type(member(f, "splits"), json_type_object) ||
        !json_object_is_type(member(f, "labels"), json_type_array))
        return fail("the server's answer holds no data card.");
    print_head(card, f);
    print_splits(f);
    print_labels(f);
    print_work(card, f);
    return 0;
}

int release_card(int argc, char **argv)
{
    bool people = false, json = false;
    const struct opt opts[] = {{"people", .flag = &people}, {"json", .flag = &json}};
    struct json_object *card = NULL;
    struct api a = {0};
    char path[64];
    int64_t id;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 1, 1) < 0)
        return 2;
    if (!str_int(str_of(argv[1]), &id))
        return misuse("release", "\"%s\" is not the number of a release.", argv[1]);
    snprintf(
        path, sizeof(path), "/v1/releases/%" PRId64 "/card%s", id, people ? "?people=true" : "");
    if (api_open(&a))
        card = api_call(&a, "GET", path, NULL);
    int status = card ? print_card(card, json) : 1;
    json_object_put(card);
    api_close(&a);
    return status;
}
