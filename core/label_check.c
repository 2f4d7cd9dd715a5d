/* Owns the reader of member tables and the wording of problems. Never knows a tag. */
#include "core/label_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

static size_t step(struct label_check *c, int printed)
{
    size_t mark = c->path_n, room = sizeof(c->path) - 1;

    c->path_n = mark + (size_t)printed < room ? mark + (size_t)printed : room;
    return mark;
}

size_t check_down(struct label_check *c, const char *member)
{
    return step(c, snprintf(c->path + c->path_n, sizeof(c->path) - c->path_n, "/%s", member));
}

size_t check_down_at(struct label_check *c, size_t index)
{
    return step(c, snprintf(c->path + c->path_n, sizeof(c->path) - c->path_n, "/%zu", index));
}

void check_up(struct label_check *c, size_t mark)
{
    c->path_n = mark;
    c->path[mark] = '\0';
}

bool check_fail(struct label_check *c, const char *member, const char *fmt, ...)
{
    struct label_problem *p = c->problem;
    int n = 0;
    va_list ap;

    snprintf(
        p->pointer, sizeof(p->pointer), "%s%s%s", c->path, member ? "/" : "", member ? member : "");
    if (c->item)
        n = snprintf(p->why, sizeof(p->why), "item %zu (%.40s \"%.40s\"): ", c->index,
            c->type.n ? c->type.p : "no type", c->id.n ? c->id.p : "");
    if (member)
        n += snprintf(p->why + n, sizeof(p->why) - (size_t)n, "%.40s ", member);
    va_start(ap, fmt);
    vsnprintf(p->why + n, sizeof(p->why) - (size_t)n, fmt, ap);
    va_end(ap);
    /* The reason may have been cut inside a character. */
    size_t len = strlen(p->why);
    p->why[utf8_valid((struct str){p->why, len})] = '\0';
    return false;
}

bool is_number(struct json_object *v, double *out)
{
    if (!json_object_is_type(v, json_type_int) && !json_object_is_type(v, json_type_double))
        return false;
    *out = json_object_get_double(v);
    return isfinite(*out);
}

static const struct {
    const char *name;
    enum json_type types[2];
} kinds[] = {
    [MEMBER_NUMBER] = {"a number", {json_type_int, json_type_double}},
    [MEMBER_INTEGER] = {"a whole number", {json_type_int, json_type_int}},
    [MEMBER_STRING] = {"a string", {json_type_string, json_type_string}},
    [MEMBER_BOOLEAN] = {"true or false", {json_type_boolean, json_type_boolean}},
    [MEMBER_OBJECT] = {"an object", {json_type_object, json_type_object}},
    [MEMBER_ARRAY] = {"an array", {json_type_array, json_type_array}},
    [MEMBER_MOMENT] = {"a number or a string", {json_type_int, json_type_double}},
};

bool is_integer(struct json_object *v)
{
    double number;

    return is_number(v, &number) && number == floor(number) && fabs(number) <= NO_MAX;
}

static bool check_kind(struct json_object *v, enum member_kind kind)
{
    enum json_type type = json_object_get_type(v);

    if (kind == MEMBER_INTEGER)
        return is_integer(v);
    if (kind == MEMBER_MOMENT && type == json_type_string)
        return true;
    return type == kinds[kind].types[0] || type == kinds[kind].types[1];
}

bool check_members(
    struct label_check *c, struct json_object *o, const struct label_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct label_member *m = &members[i];
        struct json_object *v = member_of(o, m->name);
        double number;
        if (!v && !m->must)
            continue;
        if (!v)
            return check_fail(c, m->name, "is missing");
        if (!check_kind(v, m->kind))
            return check_fail(c, m->name, "must be %s", kinds[m->kind].name);
        if (json_object_is_type(v, json_type_double) && !is_number(v, &number))
            return check_fail(c, m->name, "must be a finite number");
        if (m->min == m->max || !is_number(v, &number))
            continue;
        if (number < m->min - LABEL_EPSILON && m->max >= NO_MAX)
            return check_fail(c, m->name, "must be at least %g", m->min);
        if (number < m->min - LABEL_EPSILON || number > m->max + LABEL_EPSILON)
            return check_fail(c, m->name, "must be from %g to %g", m->min, m->max);
    }
    return true;
}
