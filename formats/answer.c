/* Owns the step from an answer to text. */
#include "formats/answer.h"

#include "core/label_check.h"

size_t answer_count(struct json_object *said)
{
    if (json_object_is_type(said, json_type_array))
        return json_object_array_length(said);
    return said ? 1 : 0;
}

/* All steps are strings. */
static bool is_path(struct json_object *path, size_t *bytes)
{
    *bytes = 0;
    if (!json_object_is_type(path, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(path); i++) {
        struct json_object *step = json_object_array_get_idx(path, i);
        if (!json_object_is_type(step, json_type_string))
            return false;
        *bytes += json_str(step).n + 1;
    }
    return *bytes > 0;
}

struct str answer_text(struct json_object *said, size_t i, struct arena *a)
{
    struct json_object *one =
        json_object_is_type(said, json_type_array) ? json_object_array_get_idx(said, i) : said;
    size_t bytes, n = 0;
    char *text;

    if (json_object_is_type(one, json_type_string))
        return json_str(one);
    if (!is_path(one, &bytes))
        return STR("");
    text = arena_alloc(a, bytes);
    for (size_t k = 0; k < json_object_array_length(one); k++) {
        struct str step = json_str(json_object_array_get_idx(one, k));
        if (k)
            text[n++] = '/';
        memcpy(text + n, step.p, step.n);
        n += step.n;
    }
    return (struct str){text, n};
}
