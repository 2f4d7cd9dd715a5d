/* The one way from untrusted JSON text to a json-c tree: the strict scan first, then the parser. */
#ifndef CORE_JSON_TREE_H
#define CORE_JSON_TREE_H

#include <json-c/json.h>

#include "base/json_scan.h"

/* *out is the caller's (json_object_put); JSON null is NULL with ERR_OK. ERR_BAD_JSON fills `error`
 * (NULL: not wanted). */
enum err json_tree_parse(
    struct str text, int max_depth, struct json_object **out, struct json_error *error) MUSTCHECK;

#endif
