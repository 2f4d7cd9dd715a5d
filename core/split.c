/* Owns deterministic splits. Never looks at anything but salt and key. */
#include "core/split.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "core/json_tree.h"

enum { POINTER_SIZE = 128, WHY_SIZE = 128 };

/* How far the ratios may miss 1 together: 0.7 + 0.2 + 0.1 is not exactly 1 in a double. */
static const double SUM_SLACK = 1e-9;

/* The bounds of the parts from their ratios. */
static void divide(struct split *s)
{
    double sum = 0;

    for (int i = 0; i < s->n; i++) {
        sum += s->parts[i].ratio;
        s->parts[i].below = sum < 1 ? (uint64_t)ldexp(sum, 64) : UINT64_MAX;
    }
}

void split_default(struct split *s)
{
    *s = (struct split){.n = 3, .parts = {{"train", 0.8, 0}, {"val", 0.1, 0}, {"test", 0.1, 0}}};
    divide(s);
}

static bool is_name(struct str name)
{
    if (name.n == 0 || name.n > SPLIT_NAME)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_' || c == '-'))
            return false;
    }
    return true;
}

static bool is_ratio(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_double) && !json_object_is_type(value, json_type_int))
        return false;
    double v = json_object_get_double(value);
    return v > 0 && v <= 1;
}

/* NULL, or what is wrong with the member. */
static const char *add_part(struct split *s, const char *name, struct json_object *ratio)
{
    if (!is_name(str_of(name)))
        return "a part is named by 1 to 64 of A-Z a-z 0-9 _ -";
    if (!is_ratio(ratio))
        return "must be a number over 0, at most 1";
    if (s->n == SPLIT_PARTS)
        return "there are more than 16 parts";
    struct split_part *part = &s->parts[s->n++];
    snprintf(part->name, sizeof(part->name), "%s", name);
    part->ratio = json_object_get_double(ratio);
    return NULL;
}

static enum err refuse(char *pointer, char *why, const char *name, const char *reason)
{
    pointer[0] = '\0';
    if (name)
        (void)json_pointer_add(pointer, POINTER_SIZE, str_of(name));
    snprintf(why, WHY_SIZE, "%s", reason);
    return ERR_INVALID;
}

static enum err read_parts(struct split *s, struct json_object *object, char *pointer, char *why)
{
    double sum = 0;

    if (!json_object_is_type(object, json_type_object))
        return refuse(pointer, why, NULL, "must be an object of names and ratios");
    json_object_object_foreach(object, name, ratio)
    {
        const char *wrong = add_part(s, name, ratio);
        if (wrong)
            return refuse(pointer, why, name, wrong);
    }
    for (int i = 0; i < s->n; i++)
        sum += s->parts[i].ratio;
    if (fabs(sum - 1) > SUM_SLACK)
        return refuse(pointer, why, NULL, "the ratios must add up to 1");
    divide(s);
    return ERR_OK;
}

enum err split_parse(struct split *s, struct str json, char *pointer, char *why)
{
    struct split parsed = {0};
    struct json_object *object;
    struct json_error bad;

    if (json_tree_parse(json, JSON_DEPTH_REQUEST, &object, &bad))
        return refuse(pointer, why, NULL, bad.why);
    enum err e = read_parts(&parsed, object, pointer, why);
    json_object_put(object);
    if (!e)
        *s = parsed;
    return e;
}

int split_of(const struct split *s, struct str salt, struct str key)
{
    uint64_t h = sha256_u64(sha256_parts((struct str[]){salt, {"", 1}, key}, 3));
    int i = 0;

    while (i < s->n - 1 && h >= s->parts[i].below)
        i++;
    return i;
}
