/* Owns parsing JSON text into json-c. Never hands json-c a text that the strict scan has not
 * passed. */
#include "core/json_tree.h"

static enum err fail(struct json_error *error, enum err e, const char *why)
{
    if (error)
        *error = (struct json_error){.why = why};
    return e;
}

enum err json_tree_parse(
    struct str text, int max_depth, struct json_object **out, struct json_error *error)
{
    *out = NULL;
    if (text.n >= INT32_MAX) /* json-c counts in int */
        return fail(error, ERR_TOO_LARGE, err_title(ERR_TOO_LARGE));
    enum err e = json_scan(text, max_depth, error);
    if (e)
        return e;
    /* json-c counts the scalars inside the innermost array as a level. */
    struct json_tokener *tokener = json_tokener_new_ex(max_depth + 1);
    if (!tokener)
        return fail(error, ERR_NO_MEMORY, err_title(ERR_NO_MEMORY));
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *out = json_tokener_parse_ex(tokener, text.p, (int)text.n);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        *out = json_tokener_parse_ex(tokener, "", 1); /* a number at the end: no more digits come */
    enum json_tokener_error bad = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    return bad ? fail(error, ERR_BAD_JSON, json_tokener_error_desc(bad)) : ERR_OK;
}

struct json_object *member_of(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, name, &v) ? v : NULL;
}

struct str json_str(struct json_object *string)
{
    return (struct str){json_object_get_string(string), (size_t)json_object_get_string_len(string)};
}

struct str member_str(struct json_object *o, const char *name)
{
    struct json_object *v = member_of(o, name);

    return json_object_is_type(v, json_type_string) ? json_str(v) : STR("");
}
