/* Owns how versions, differences and blame are written for people. Never asks the server. */
#include "cli/label_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/api.h"

enum colour { PLAIN, RED, GREEN, YELLOW, BOLD };

static bool coloured(void)
{
    const char *no = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && !(no && *no);
}

static void colour(enum colour c)
{
    static const char *const codes[] = {[PLAIN] = "\033[0m",
        [RED] = "\033[31m",
        [GREEN] = "\033[32m",
        [YELLOW] = "\033[33m",
        [BOLD] = "\033[1m"};

    if (coloured())
        fputs(codes[c], stdout);
}

static const char *json_of(struct json_object *v)
{
    return v ? json_object_to_json_string_ext(
                   v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
             : "nothing";
}

static struct json_object *get(struct json_object *o, const char *key)
{
    return json_object_object_get(o, key);
}

/* ---- a version */

static void print_who(struct json_object *version)
{
    if (get(version, "author"))
        printf("user %" PRId64, api_int(version, "author"));
    else if (get(version, "model"))
        printf("model %s", json_of(get(version, "model")));
    else
        printf("nobody");
}

static void print_version(struct json_object *version)
{
    printf("%" PRId64 "  #%" PRId64 "  %s  ", api_int(version, "id"), api_int(version, "seq"),
        api_text(version, "kind"));
    print_who(version);
    printf("  %s", api_text(version, "created_at"));
}

void label_text_version(struct json_object *version)
{
    int64_t regions = api_int(version, "regions");

    print_version(version);
    printf("  %" PRId64 " region%s%s\n", regions, regions == 1 ? "" : "s",
        json_object_get_boolean(get(version, "erased")) ? ", erased" : "");
}

/* ---- a difference */

static void begin(enum colour c, char mark, struct json_object *entry)
{
    colour(c);
    printf("%c %s", mark, api_text(entry, "id"));
}

static void end(void)
{
    colour(PLAIN);
    putchar('\n');
}

static void print_region(enum colour c, char mark, struct json_object *entry)
{
    begin(c, mark, entry);
    printf("  %s %s", api_text(entry, "type"), json_of(get(entry, "labels")));
    end();
}

static void added(struct json_object *entry)
{
    print_region(GREEN, '+', entry);
}

static void removed(struct json_object *entry)
{
    print_region(RED, '-', entry);
}

static void moved(struct json_object *entry)
{
    struct json_object *shift = get(entry, "shift");

    begin(YELLOW, '~', entry);
    printf("  moved");
    if (json_object_is_type(shift, json_type_array) && json_object_array_length(shift) == 2)
        printf(" by %+g, %+g", json_object_get_double(json_object_array_get_idx(shift, 0)),
            json_object_get_double(json_object_array_get_idx(shift, 1)));
    printf(", likeness %.4g", json_object_get_double(get(entry, "likeness")));
    end();
}

static void relabelled(struct json_object *entry)
{
    begin(YELLOW, '~', entry);
    printf("  labels %s", json_of(get(entry, "before")));
    printf(" -> %s", json_of(get(entry, "after")));
    end();
}

static void changed(struct json_object *entry)
{
    begin(YELLOW, '~', entry);
    printf("  %s.%s %s", api_text(entry, "control"), api_text(entry, "field"),
        json_of(get(entry, "before")));
    printf(" -> %s", json_of(get(entry, "after")));
    end();
}

static void print_relation(enum colour c, char mark, struct json_object *entry)
{
    colour(c);
    printf("%c relation %s -> %s", mark, api_text(entry, "from_id"), api_text(entry, "to_id"));
    end();
}

static void linked(struct json_object *entry)
{
    print_relation(GREEN, '+', entry);
}

static void unlinked(struct json_object *entry)
{
    print_relation(RED, '-', entry);
}

static void print_side(const char *mark, struct json_object *version)
{
    colour(BOLD);
    printf("%s ", mark);
    print_version(version);
    end();
}

void label_text_diff(struct json_object *answer)
{
    static const struct {
        const char *list;
        void (*print)(struct json_object *entry);
    } rows[] = {{"removed", removed}, {"added", added}, {"moved", moved},
        {"relabelled", relabelled}, {"changed", changed}, {"unlinked", unlinked},
        {"linked", linked}};

    print_side("---", get(answer, "before"));
    print_side("+++", get(answer, "after"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_object *list = get(get(answer, "diff"), rows[i].list);
        for (size_t k = 0;
             json_object_is_type(list, json_type_array) && k < json_object_array_length(list); k++)
            rows[i].print(json_object_array_get_idx(list, k));
    }
}

/* ---- blame */

static struct json_object *version_of(struct json_object *answer, int64_t id)
{
    struct json_object *list = get(answer, "versions");

    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (api_int(json_object_array_get_idx(list, i), "id") == id)
            return json_object_array_get_idx(list, i);
    return NULL;
}

static void print_blamed(struct json_object *answer, struct json_object *one)
{
    struct json_object *version = version_of(answer, api_int(one, "label"));

    colour(YELLOW);
    print_version(version);
    colour(PLAIN);
    printf("  %s %s", api_text(one, "what"), api_text(one, "id"));
    if (get(one, "to_id"))
        printf(" -> %s", api_text(one, "to_id"));
    if (get(one, "control"))
        printf("  %s", api_text(one, "control"));
    putchar('\n');
}

void label_text_blame(struct json_object *answer)
{
    struct json_object *list = get(answer, "blame");

    for (size_t i = 0; i < json_object_array_length(list); i++)
        print_blamed(answer, json_object_array_get_idx(list, i));
    if (!json_object_get_boolean(get(answer, "complete")))
        fprintf(stderr, "annotate: there are older versions that were not looked at.\n");
}
