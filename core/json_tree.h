/* The one way from untrusted JSON text to a json-c tree: the strict scan first, then the parser;
 * and what reading a tree needs everywhere. */
#ifndef CORE_JSON_TREE_H
#define CORE_JSON_TREE_H

#include <json-c/json.h>

#include "base/json_scan.h"

/* *out is the caller's (json_object_put); JSON null is NULL with ERR_OK. ERR_BAD_JSON fills `error`
 * (NULL: not wanted). */
enum err json_tree_parse(
    struct str text, int max_depth, struct json_object **out, struct json_error *error) MUSTCHECK;

/* A member of an object; NULL when it is missing or null. */
struct json_object *member_of(struct json_object *o, const char *name);
/* Its text, borrowed; "" when it is missing or no string. */
struct str member_str(struct json_object *o, const char *name);
/* The text of a string, borrowed. */
struct str json_str(struct json_object *string);

#endif
