/* Owns the table of result types: for each what its value must hold. Never looks beyond one item.
 */
#include "core/label_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DATETIME_MAX = 64, RATING_MAX = 5 };

/* A list of strings, none twice; `known` says whether one may be in it. */
static bool check_strings(struct label_check *c, struct json_object *list, const char *what,
    bool (*known)(struct label_check *, struct str))
{
    struct str seen[LABEL_DOC_LIST];
    size_t n;

    if (!json_object_is_type(list, json_type_array))
        return check_fail(c, NULL, "must be an array");
    n = json_object_array_length(list);
    if (n == 0)
        return check_fail(c, NULL, "must not be empty");
    if (n > LABEL_DOC_LIST)
        return check_fail(c, NULL, "has more than %d %ss", LABEL_DOC_LIST, what);
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        size_t mark = check_down_at(c, i);
        if (!json_object_is_type(v, json_type_string))
            return check_fail(c, NULL, "a %s must be a string", what);
        if (known && !known(c, json_str(v)))
            return check_fail(
                c, NULL, "the label config has no %s \"%.100s\"", what, json_object_get_string(v));
        seen[i] = json_str(v);
        for (size_t j = 0; known && j < i; j++)
            if (str_eq(seen[j], seen[i]))
                return check_fail(c, NULL, "the %s \"%.100s\" is there twice", what, seen[i].p);
        check_up(c, mark);
    }
    return true;
}

static bool own_value(struct label_check *c, struct str value)
{
    return c->control->dynamic || label_value_any(c->control, value);
}

/* For items that borrow the labels of a <Labels> beside their control. */
static bool any_value(struct label_check *c, struct str value)
{
    for (const struct label_control *at = c->config->controls; at; at = at->next) {
        for (const struct label_target *t = at->to; t; t = t->next)
            if (t->object == c->object && (at->dynamic || label_value_any(at, value)))
                return true;
    }
    return false;
}

static bool check_single(struct label_check *c, struct json_object *list)
{
    if (c->control->single && json_object_array_length(list) > 1)
        return check_fail(
            c, NULL, "\"%.*s\" takes a single choice", STR_FMT(c->control->name.text));
    return true;
}

static bool said_labels(struct label_check *c, struct json_object *said)
{
    return check_strings(c, said, "label", own_value) && check_single(c, said);
}

static bool said_borrowed(struct label_check *c, struct json_object *said)
{
    return check_strings(c, said, "label", any_value);
}

/* ["Animal","Dog"]: each a child of the one before. *leaf is the last; NULL where the choices are
 * not in the config. */
static bool check_path(
    struct label_check *c, struct json_object *path, const struct label_value **leaf)
{
    const struct label_value *at = NULL;
    size_t n = json_object_array_length(path);

    if (n == 0)
        return check_fail(c, NULL, "a path must not be empty");
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(path, i);
        size_t mark = check_down_at(c, i);
        if (!json_object_is_type(v, json_type_string))
            return check_fail(c, NULL, "a step of a path must be a string");
        if (!c->control->dynamic) {
            at = label_value_find(c->control, at, json_str(v));
            if (!at)
                return check_fail(c, NULL, "the label config has no choice \"%.100s\" here",
                    json_object_get_string(v));
        }
        check_up(c, mark);
    }
    *leaf = at;
    return true;
}

static bool check_paths(struct label_check *c, struct json_object *said)
{
    const struct label_value *leaves[LABEL_DOC_LIST];
    size_t n;

    if (!json_object_is_type(said, json_type_array))
        return check_fail(c, NULL, "must be an array");
    n = json_object_array_length(said);
    if (n == 0)
        return check_fail(c, NULL, "must not be empty");
    if (n > LABEL_DOC_LIST)
        return check_fail(c, NULL, "has more than %d choices", LABEL_DOC_LIST);
    for (size_t i = 0; i < n; i++) {
        struct json_object *path = json_object_array_get_idx(said, i);
        size_t mark = check_down_at(c, i);
        if (!json_object_is_type(path, json_type_array))
            return check_fail(c, NULL, "must be a path: an array of strings");
        if (!check_path(c, path, &leaves[i]))
            return false;
        for (size_t j = 0; leaves[i] && j < i; j++)
            if (leaves[j] == leaves[i])
                return check_fail(c, NULL, "the same path is there twice");
        check_up(c, mark);
    }
    return true;
}

static bool said_choices(struct label_check *c, struct json_object *said)
{
    bool paths = c->control->allow_nested && json_object_is_type(said, json_type_array) &&
                 json_object_is_type(json_object_array_get_idx(said, 0), json_type_array);

    if (paths)
        return check_paths(c, said) && check_single(c, said);
    return check_strings(c, said, "choice", own_value) && check_single(c, said);
}

/* Predictions often carry the bare string. */
static bool said_text(struct label_check *c, struct json_object *said)
{
    return json_object_is_type(said, json_type_string) || check_strings(c, said, "text", NULL);
}

/* A number that an attribute of the control holds. */
static double limit(const struct label_check *c, const char *attr, double without)
{
    struct str text = label_attr(&c->control->attrs, attr);
    char *end;
    double v = text.n ? strtod(text.p, &end) : without;

    return isfinite(v) ? v : without;
}

static bool said_number(struct label_check *c, struct json_object *said)
{
    double v;

    if (!is_number(said, &v))
        return check_fail(c, NULL, "must be a finite number");
    if (v < limit(c, "min", -INFINITY))
        return check_fail(c, NULL, "must be at least %g", limit(c, "min", 0));
    if (v > limit(c, "max", INFINITY))
        return check_fail(c, NULL, "must be at most %g", limit(c, "max", 0));
    return true;
}

static bool said_rating(struct label_check *c, struct json_object *said)
{
    double v, max = limit(c, "maxRating", RATING_MAX);

    if (!is_integer(said) || !is_number(said, &v))
        return check_fail(c, NULL, "must be a whole number");
    if (v < 0 || v > max)
        return check_fail(c, NULL, "must be from 0 to %g", max);
    return true;
}

static bool said_datetime(struct label_check *c, struct json_object *said)
{
    if (!json_object_is_type(said, json_type_string) || json_str(said).n == 0 ||
        json_str(said).n > DATETIME_MAX)
        return check_fail(c, NULL, "must be a date or time as a string");
    return true;
}

static bool said_side(struct label_check *c, struct json_object *said)
{
    if (!json_object_is_type(said, json_type_string) ||
        (!str_is(json_str(said), "left") && !str_is(json_str(said), "right")))
        return check_fail(c, NULL, "must be \"left\" or \"right\"");
    return true;
}

static bool said_buckets(struct label_check *c, struct json_object *said)
{
    if (!json_object_is_type(said, json_type_object))
        return check_fail(c, NULL, "must be an object of arrays");
    json_object_object_foreach(said, bucket, ids)
    {
        if (!json_object_is_type(ids, json_type_array))
            return check_fail(c, NULL, "\"%.100s\" must be an array", bucket);
        for (size_t i = 0; i < json_object_array_length(ids); i++)
            if (!json_object_is_type(json_object_array_get_idx(ids, i), json_type_string))
                return check_fail(c, NULL, "\"%.100s\" must hold strings", bucket);
    }
    return true;
}

static bool said_object(struct label_check *c, struct json_object *said)
{
    return json_object_is_type(said, json_type_object) || check_fail(c, NULL, "must be an object");
}

static bool said_message(struct label_check *c, struct json_object *said)
{
    static const struct label_member members[] = {
        {"role", MEMBER_STRING, true, 0, 0},
        {"content", MEMBER_STRING, true, 0, 0},
        {"createdAt", MEMBER_MOMENT, false, 0, 0},
    };

    return said_object(c, said) && check_members(c, said, members, ARRAY_LEN(members));
}

static const struct label_type types[] = {
    {"rectanglelabels", &label_shape_rectangle, "rectanglelabels", said_labels, LABEL_REGION},
    {"rectangle", &label_shape_rectangle, NULL, NULL, LABEL_REGION},
    {"ellipselabels", &label_shape_ellipse, "ellipselabels", said_labels, LABEL_REGION},
    {"ellipse", &label_shape_ellipse, NULL, NULL, LABEL_REGION},
    {"polygonlabels", &label_shape_polygon, "polygonlabels", said_labels, LABEL_REGION},
    {"polygon", &label_shape_polygon, NULL, NULL, LABEL_REGION},
    {"keypointlabels", &label_shape_keypoint, "keypointlabels", said_labels, LABEL_REGION},
    {"keypoint", &label_shape_keypoint, NULL, NULL, LABEL_REGION},
    {"brushlabels", &label_shape_brush, "brushlabels", said_labels, LABEL_REGION},
    {"brush", &label_shape_brush, NULL, NULL, LABEL_REGION},
    {"magicwand", &label_shape_brush, NULL, NULL, LABEL_REGION},
    {"bitmasklabels", &label_shape_bitmask, "bitmasklabels", said_labels, LABEL_REGION},
    {"bitmask", &label_shape_bitmask, NULL, NULL, LABEL_REGION},
    {"vectorlabels", &label_shape_vector, "vectorlabels", said_labels, LABEL_REGION},
    {"vector", &label_shape_vector, NULL, NULL, LABEL_REGION},
    {"labels", NULL, "labels", said_labels, LABEL_REGION},
    {"hypertextlabels", &label_shape_hypertext, "hypertextlabels", said_labels, LABEL_REGION},
    {"paragraphlabels", &label_shape_paragraphs, "paragraphlabels", said_labels, LABEL_REGION},
    {"timeserieslabels", &label_shape_series, "timeserieslabels", said_labels, LABEL_REGION},
    {"timelinelabels", &label_shape_timeline, "timelinelabels", said_labels, LABEL_REGION},
    {"videorectangle", &label_shape_video, "labels", said_borrowed, LABEL_REGION},
    {"videovector", &label_shape_video_vector, "labels", said_borrowed, LABEL_REGION},
    {"videovectorlabels", &label_shape_video_vector, "videovectorlabels", said_labels,
        LABEL_REGION},
    {"ocrlabels", &label_shape_ocr, "ocrlabels", said_labels, LABEL_REGION},
    {"choices", NULL, "choices", said_choices, LABEL_ABOUT_1},
    {"taxonomy", NULL, "taxonomy", check_paths, LABEL_ABOUT_1},
    {"textarea", NULL, "text", said_text, LABEL_ABOUT},
    {"rating", NULL, "rating", said_rating, LABEL_ABOUT_1},
    {"number", NULL, "number", said_number, LABEL_ABOUT_1},
    {"datetime", NULL, "datetime", said_datetime, LABEL_ABOUT_1},
    {"pairwise", NULL, "selected", said_side, LABEL_ABOUT_1},
    {"ranker", NULL, "ranker", said_buckets, LABEL_ABOUT_1},
    {"chatmessage", NULL, "chatmessage", said_message, LABEL_ABOUT},
    {"reactcode", NULL, "reactcode", said_object, LABEL_ABOUT},
};

const struct label_type *label_type_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(name, types[i].name))
            return &types[i];
    return NULL;
}

/* Labels that are borrowed may be missing: a region need not have any. */
static bool check_said(
    struct label_check *c, const struct label_type *type, struct json_object *value)
{
    struct json_object *said = member_of(value, type->key);
    size_t mark;

    if (!said)
        return type->said == said_borrowed || check_fail(c, type->key, "is missing");
    mark = check_down(c, type->key);
    if (!type->said(c, said))
        return false;
    check_up(c, mark);
    return true;
}

bool label_value_check(struct label_check *c, const struct label_type *type)
{
    struct json_object *value = member_of(c->item, "value");
    const struct label_shape *shape = type->shape;
    size_t mark;

    if (!json_object_is_type(value, json_type_object))
        return check_fail(c, "value", value ? "must be an object" : "is missing");
    mark = check_down(c, "value");
    if (!shape)
        shape = label_shape_guess(c->object, value);
    if (!shape && type->role == LABEL_REGION)
        return check_fail(
            c, NULL, "does not say where on \"%.*s\" it lies", STR_FMT(c->object->name.text));
    if (shape && !label_shape_check(c, shape, value))
        return false;
    if (type->key && !check_said(c, type, value))
        return false;
    check_up(c, mark);
    return true;
}
