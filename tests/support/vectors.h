/* Reads the judges' vectors (tests/support/judges.py, tests/data). */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>

#include "t.h"

/* The rows of tests/data/NAME.json; release with json_object_put(). */
static inline struct json_object *vectors(const char *name)
{
    char path[512];
    struct json_object *rows;

    snprintf(path, sizeof(path), "%s/%s.json", TEST_DATA, name);
    rows = json_object_from_file(path);
    if (!rows || json_object_array_length(rows) == 0) {
        t_fail(__FILE__, __LINE__, "%s has no vectors", path);
        abort();
    }
    return rows;
}

static inline struct json_object *member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;

    (void)json_object_object_get_ex(o, name, &v);
    return v;
}

static inline double number(struct json_object *o, const char *name)
{
    return json_object_get_double(member(o, name));
}

static inline struct str text(struct json_object *o, const char *name)
{
    struct json_object *v = member(o, name);

    return (struct str){json_object_get_string(v), (size_t)json_object_get_string_len(v)};
}

/* The JSON text of a value; it lives as long as the value. */
static inline struct str json_text(struct json_object *v)
{
    return str_of(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
}

static inline bool near(double a, double b, double most)
{
    return fabs(a - b) <= most;
}

#endif
