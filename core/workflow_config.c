/* Owns the workflow settings as JSON, from one table of fields. Never fills in for a bad value:
 * what it does not know or cannot hold is an error with a pointer. */
#include <stdio.h>

#include "core/agreement.h"
#include "core/canon.h"
#include "core/json_tree.h"
#include "core/workflow.h"

enum { POINTER_SIZE = 64, WHY_SIZE = 128 };
enum kind { KIND_BOOL, KIND_INT, KIND_NUMBER, KIND_REVIEW_MODE, KIND_METRIC, KIND_TAGS };

struct field {
    const char *section, *name; /* section "": a member of the settings object itself */
    enum kind kind;
    size_t offset;
    double min, max, dflt; /* of a mode: its number; of a metric: unused */
};

#define FIELD(section, name, kind, member, min, max, dflt)                                         \
    {                                                                                              \
        section, name, KIND_##kind, offsetof(struct workflow, member), min, max, dflt              \
    }
static const struct field fields[] = {
    FIELD("", "prelabel", BOOL, prelabel, 0, 1, false),
    FIELD("", "auto_accept", BOOL, auto_accept, 0, 1, false),
    FIELD("", "auto_accept_score", NUMBER, auto_accept_score, 0, 1, 0.95),
    FIELD("", "overlap", INT, overlap, 1, MAX_OVERLAP, 1),
    FIELD("review", "mode", REVIEW_MODE, review, 0, 0, REVIEW_ALL),
    FIELD("review", "percent", NUMBER, review_percent, 0, 100, 100),
    FIELD("qa", "percent", NUMBER, qa_percent, 0, 100, 0),
    FIELD("agreement", "metric", METRIC, metric, 0, 0, 0),
    FIELD("agreement", "threshold", NUMBER, agreement, 0, 1, 0.7),
    FIELD("", "max_rework", INT, max_rework, 0, 100, 3),
    FIELD("", "skip_limit", INT, skip_limit, 1, 1000, 3),
    FIELD("", "allow_skip", BOOL, allow_skip, 0, 1, true),
    FIELD("", "gold_percent", NUMBER, gold_percent, 0, 100, 0),
    FIELD("", "gold_floor", NUMBER, gold_floor, 0, 1, 0),
    FIELD("lease_s", "prelabel", INT, lease_s[STAGE_PRELABEL], 5, 86400, 120),
    FIELD("lease_s", "annotate", INT, lease_s[STAGE_ANNOTATE], 5, 86400, 600),
    FIELD("lease_s", "review", INT, lease_s[STAGE_REVIEW], 5, 86400, 600),
    FIELD("lease_s", "qa", INT, lease_s[STAGE_QA], 5, 86400, 600),
    FIELD("", "reserve_s", INT, reserve_s, 0, 2592000, 86400),
    FIELD("max_leases", "prelabel", INT, max_leases[STAGE_PRELABEL], 0, 256, 0),
    FIELD("max_leases", "annotate", INT, max_leases[STAGE_ANNOTATE], 0, 256, 0),
    FIELD("max_leases", "review", INT, max_leases[STAGE_REVIEW], 0, 256, 0),
    FIELD("max_leases", "qa", INT, max_leases[STAGE_QA], 0, 256, 0),
    FIELD("", "skills", TAGS, skills, 0, 0, 0),
};
#undef FIELD

static const char *const review_modes[] = {"all", "sample", "none"};
#define DEFAULT_METRIC STR("auto")

static void set(struct workflow *w, const struct field *f, double v)
{
    void *p = (char *)w + f->offset;

    switch (f->kind) {
    case KIND_BOOL:
        *(bool *)p = v != 0;
        break;
    case KIND_INT:
        *(int *)p = (int)v;
        break;
    case KIND_NUMBER:
        *(double *)p = v;
        break;
    case KIND_REVIEW_MODE:
        *(enum review_mode *)p = (enum review_mode)v;
        break;
    case KIND_METRIC: /* not numbers: see read_metric, read_tags */
    case KIND_TAGS:
        break;
    }
}

static double get(const struct workflow *w, const struct field *f)
{
    const void *p = (const char *)w + f->offset;

    switch (f->kind) {
    case KIND_BOOL:
        return *(const bool *)p;
    case KIND_INT:
        return *(const int *)p;
    case KIND_NUMBER:
        return *(const double *)p;
    case KIND_REVIEW_MODE:
        return *(const enum review_mode *)p;
    case KIND_METRIC:
    case KIND_TAGS:
        break;
    }
    return 0;
}

void workflow_default(struct workflow *w)
{
    *w = (struct workflow){0};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        set(w, &fields[i], fields[i].dflt);
    w->metric = agreement_metric(DEFAULT_METRIC);
    snprintf(w->skills, sizeof(w->skills), TAGS_NONE);
}

/* Where the reading is, and where its error goes. */
struct reader {
    struct workflow *w;
    char *pointer, *why;
};

/* `section` "": the settings object itself; `name` NULL: the section itself. */
static enum err refuse(struct reader *r, const char *section, const char *name, const char *why)
{
    r->pointer[0] = '\0';
    if (!*section || json_pointer_add(r->pointer, POINTER_SIZE, str_of(section)))
        if (name)
            (void)json_pointer_add(r->pointer, POINTER_SIZE, str_of(name));
    snprintf(r->why, WHY_SIZE, "%s", why);
    return ERR_INVALID;
}

static enum err refuse_range(struct reader *r, const struct field *f)
{
    char why[WHY_SIZE];

    snprintf(why, sizeof(why), "must be a %snumber from %.10g to %.10g",
        f->kind == KIND_INT ? "whole " : "", f->min, f->max);
    return refuse(r, f->section, f->name, why);
}

static struct str word_of(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return STR("");
    return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

static enum err read_mode(struct reader *r, const struct field *f, struct json_object *value)
{
    for (size_t i = 0; i < ARRAY_LEN(review_modes); i++)
        if (str_is(word_of(value), review_modes[i])) {
            set(r->w, f, (double)i);
            return ERR_OK;
        }
    return refuse(r, f->section, f->name, "must be \"all\", \"sample\" or \"none\"");
}

static enum err read_metric(struct reader *r, const struct field *f, struct json_object *value)
{
    const struct agreement_metric *metric = agreement_metric(word_of(value));

    if (!metric)
        return refuse(r, f->section, f->name, "must be the name of an agreement metric");
    r->w->metric = metric;
    return ERR_OK;
}

static enum err read_tags(struct reader *r, const struct field *f, struct json_object *value)
{
    enum err e = tags_parse(value, (char *)r->w + f->offset);

    return e ? refuse(r, f->section, f->name, TAGS_RULE) : ERR_OK;
}

static enum err read_field(struct reader *r, const struct field *f, struct json_object *value)
{
    bool whole = json_object_is_type(value, json_type_int);

    switch (f->kind) {
    case KIND_BOOL:
        if (!json_object_is_type(value, json_type_boolean))
            return refuse(r, f->section, f->name, "must be true or false");
        set(r->w, f, json_object_get_boolean(value));
        return ERR_OK;
    case KIND_INT:
    case KIND_NUMBER:
        if (!whole && (f->kind == KIND_INT || !json_object_is_type(value, json_type_double)))
            return refuse_range(r, f);
        double v = json_object_get_double(value);
        if (!(v >= f->min && v <= f->max))
            return refuse_range(r, f);
        set(r->w, f, v);
        return ERR_OK;
    case KIND_REVIEW_MODE:
        return read_mode(r, f, value);
    case KIND_TAGS:
        return read_tags(r, f, value);
    case KIND_METRIC:
        break;
    }
    return read_metric(r, f, value);
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (*fields[i].section && str_is(str_of(name), fields[i].section))
            return true;
    return false;
}

static const struct field *find(const char *section, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (str_is(str_of(section), fields[i].section) && str_is(str_of(name), fields[i].name))
            return &fields[i];
    return NULL;
}

static enum err read_section(struct reader *r, const char *section, struct json_object *object)
{
    if (!json_object_is_type(object, json_type_object))
        return refuse(r, section, NULL, "must be an object");
    json_object_object_foreach(object, name, value)
    {
        const struct field *f = find(section, name);
        enum err e = ERR_OK;
        if (f)
            e = read_field(r, f, value);
        else if (!*section && is_section(name))
            e = read_section(r, name, value);
        else
            e = refuse(r, section, name, "is not a workflow setting");
        if (e)
            return e;
    }
    return ERR_OK;
}

enum err workflow_parse(struct workflow *w, struct str json, char *pointer, char *why)
{
    struct workflow parsed;
    struct reader r = {&parsed, pointer, why};
    struct json_object *object = NULL;
    struct json_error bad;

    workflow_default(&parsed);
    if (json_tree_parse(json, JSON_DEPTH_REQUEST, &object, &bad))
        return refuse(&r, "", NULL, bad.why);
    enum err e = read_section(&r, "", object);
    json_object_put(object);
    if (!e)
        *w = parsed;
    return e;
}

static struct json_object *to_json(const struct workflow *w, const struct field *f)
{
    double v = get(w, f);

    switch (f->kind) {
    case KIND_BOOL:
        return json_object_new_boolean(v != 0);
    case KIND_INT:
        return json_object_new_int((int)v);
    case KIND_NUMBER:
        return json_object_new_double(v);
    case KIND_REVIEW_MODE:
        return json_object_new_string(review_modes[w->review]);
    case KIND_TAGS:
        return tags_json(w->skills);
    case KIND_METRIC:
        break;
    }
    return json_object_new_string(w->metric->name);
}

void workflow_print(const struct workflow *w, struct buf *out)
{
    struct json_object *object = json_object_new_object();

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct field *f = &fields[i];
        struct json_object *section = object;
        if (*f->section && !json_object_object_get_ex(object, f->section, &section)) {
            section = json_object_new_object();
            json_object_object_add(object, f->section, section);
        }
        json_object_object_add(section, f->name, to_json(w, f));
    }
    enum err e = canon_value(object, out);
    BUG_ON(e && e != buf_err(out)); /* every field is a finite number, a word or a truth value */
    json_object_put(object);
}
