/* Skills: the tags that work requires and people hold. Pure; a list is kept as one short text that
 * is PostgreSQL's array literal, and with [] for {} a JSON array: {"de","radiology"}. */
#ifndef CORE_TAGS_H
#define CORE_TAGS_H

#include <json-c/json.h>

#include "base/err.h"

enum { TAG_MAX = 32, TAGS_MAX = 8, TAGS_TEXT = TAGS_MAX * (TAG_MAX + 3) + 3 };

#define TAGS_NONE "{}"
#define TAGS_RULE "must be an array of at most 8 tags of 1 to 32 characters a-z 0-9 _ . -"

/* From a JSON array, sorted, each once. ERR_INVALID leaves `out` alone; TAGS_RULE says what it must
 * be. */
enum err tags_parse(struct json_object *array, char out[TAGS_TEXT]) MUSTCHECK;
/* As a JSON array; the caller puts it. */
struct json_object *tags_json(const char *tags);

#endif
