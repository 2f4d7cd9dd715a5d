/* Owns the form of skill tags. Never compares two lists: claims do, in the database. */
#include "core/tags.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_tag(struct json_object *v)
{
    if (!json_object_is_type(v, json_type_string))
        return false;
    size_t n = (size_t)json_object_get_string_len(v);
    /* The characters need no escape in JSON or in an array literal. */
    return n >= 1 && n <= TAG_MAX &&
           strspn(json_object_get_string(v), "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum err tags_parse(struct json_object *array, char out[TAGS_TEXT])
{
    const char *tag[TAGS_MAX];
    size_t n, at = 1;

    if (!json_object_is_type(array, json_type_array))
        return ERR_INVALID;
    n = json_object_array_length(array);
    if (n > TAGS_MAX)
        return ERR_INVALID;
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(array, i);
        if (!is_tag(v))
            return ERR_INVALID;
        tag[i] = json_object_get_string(v);
    }
    qsort(tag, n, sizeof(*tag), by_text);
    out[0] = '{';
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(tag[i], tag[i - 1]) != 0)
            at += (size_t)snprintf(out + at, TAGS_TEXT - at, "%s\"%s\"", at > 1 ? "," : "", tag[i]);
    snprintf(out + at, TAGS_TEXT - at, "}");
    return ERR_OK;
}

struct json_object *tags_json(const char *tags)
{
    char text[TAGS_TEXT];
    size_t n = strlen(tags);
    struct json_object *array;

    BUG_ON(n < 2 || n >= sizeof(text));
    snprintf(text, sizeof(text), "[%.*s]", (int)(n - 2), tags + 1);
    array = json_tokener_parse(text);
    BUG_ON(!array);
    return array;
}
