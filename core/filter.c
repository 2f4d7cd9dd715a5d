/* Owns checking a filter and matching a task against it. Never lets a name pass that is not in its
 * tables. */
#include "core/filter.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/json_scan.h"
#include "core/filter_tree.h"

enum value_type { OF_STATE, OF_STAGE, OF_PERSON, OF_TEXT, OF_NUMBER, OF_TIME, OF_FLAG, OF_SCALAR };

enum {
    SAME = 1 << OP_EQ | 1 << OP_IN,
    RANGE = 1 << OP_LT | 1 << OP_LE | 1 << OP_GT | 1 << OP_GE,
    BEGINS = 1 << OP_PREFIX,
};

static const struct field_def {
    const char *name;
    enum value_type type;
    unsigned ops;
} defs[FIELD_COUNT] = {
    [FIELD_STATE] = {"state", OF_STATE, SAME},
    [FIELD_STAGE] = {"stage", OF_STAGE, SAME},
    [FIELD_ASSIGNEE] = {"assignee", OF_PERSON, SAME},
    [FIELD_ANNOTATOR] = {"annotator", OF_PERSON, SAME},
    [FIELD_LABEL] = {"label", OF_TEXT, SAME},
    [FIELD_SCORE] = {"score", OF_NUMBER, SAME | RANGE},
    [FIELD_AGREEMENT] = {"agreement", OF_NUMBER, SAME | RANGE},
    [FIELD_CREATED] = {"created", OF_TIME, RANGE},
    [FIELD_UPDATED] = {"updated", OF_TIME, RANGE},
    [FIELD_EXTERNAL_ID] = {"external_id", OF_TEXT, SAME | BEGINS},
    [FIELD_PRIORITY] = {"priority", OF_NUMBER, SAME | RANGE},
    [FIELD_REWORK_COUNT] = {"rework_count", OF_NUMBER, SAME | RANGE},
    [FIELD_SKIP_COUNT] = {"skip_count", OF_NUMBER, SAME | RANGE},
    [FIELD_HAS_COMMENTS] = {"has_comments", OF_FLAG, 1 << OP_EQ},
    [FIELD_DATA] = {"data.", OF_SCALAR, SAME | RANGE | BEGINS},
};

static const char *const op_names[OP_COUNT] = {"eq", "in", "prefix", "lt", "le", "gt", "ge"};

/* ---- parsing */

struct parse {
    struct filter *f;
    struct arena *arena;
    struct filter_problem *problem;
    int tests;
    char at[FILTER_POINTER];
};

PRINTF(2, 3) static bool refuse(struct parse *p, const char *fmt, ...)
{
    va_list ap;

    snprintf(p->problem->pointer, FILTER_POINTER, "%s", p->at);
    va_start(ap, fmt);
    vsnprintf(p->problem->why, FILTER_WHY, fmt, ap);
    va_end(ap);
    return false;
}

/* Goes one step down; leave() with what it returned comes back. */
static size_t enter(struct parse *p, const char *key)
{
    size_t n = strlen(p->at);

    json_pointer_add(p->at, sizeof(p->at), str_of(key)); /* stays short when the key does not fit */
    return n;
}

static size_t enter_index(struct parse *p, size_t i)
{
    char key[24];

    snprintf(key, sizeof(key), "%zu", i);
    return enter(p, key);
}

static void leave(struct parse *p, size_t n)
{
    p->at[n] = '\0';
}

static struct str string_of(struct json_object *v)
{
    return (struct str){json_object_get_string(v), (size_t)json_object_get_string_len(v)};
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool filter_is_path(struct str path)
{
    struct str key;
    int keys = 0;

    if (!str_starts(path, STR("data.")) || path.n > FILTER_PATH || path.p[path.n - 1] == '.')
        return false;
    struct str rest = {path.p + 5, path.n - 5};
    while (str_split(&rest, '.', &key)) {
        if (++keys > FILTER_PATH_KEYS || key.n == 0 || !is_key_char(key.p[0]))
            return false;
        for (size_t i = 1; i < key.n; i++)
            if (!is_key_char(key.p[i]) && key.p[i] != '-')
                return false;
    }
    return keys > 0;
}

static bool digits(const char **p, int n, int max, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++, ++*p) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return *out <= max;
}

/* The offset of a time's end: Z, +hh:mm or -hh:mm. */
static bool zone(const char **p, int *seconds)
{
    int h, m, sign = **p == '-' ? -1 : 1;

    *seconds = 0;
    if (**p == 'Z') {
        ++*p;
        return true;
    }
    if (**p != '+' && **p != '-')
        return false;
    ++*p;
    if (!digits(p, 2, 23, &h) || *(*p)++ != ':' || !digits(p, 2, 59, &m))
        return false;
    *seconds = sign * (h * 3600 + m * 60);
    return true;
}

/* 2026-11-24; a 30 February is none. */
static bool read_day(const char **p, struct tm *tm)
{
    if (!digits(p, 4, 9999, &tm->tm_year) || *(*p)++ != '-' || !digits(p, 2, 12, &tm->tm_mon) ||
        *(*p)++ != '-' || !digits(p, 2, 31, &tm->tm_mday) || tm->tm_year < 1 || tm->tm_mon < 1)
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    struct tm day = *tm;
    timegm(&day);
    return day.tm_mday == tm->tm_mday;
}

/* RFC 3339, or a day alone for its beginning in UTC. Down to the microsecond. */
static bool read_time(struct str s, int64_t *us)
{
    struct tm tm = {0};
    int offset = 0, fraction = 0, unit = 100000;
    const char *p = s.p, *end = s.p + s.n;

    if (!read_day(&p, &tm))
        return false;
    if (p != end) {
        if (*p++ != 'T' || !digits(&p, 2, 23, &tm.tm_hour) || *p++ != ':' ||
            !digits(&p, 2, 59, &tm.tm_min) || *p++ != ':' || !digits(&p, 2, 60, &tm.tm_sec))
            return false;
        if (*p == '.')
            for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
                fraction += (*p - '0') * unit;
        if (!zone(&p, &offset) || p != end)
            return false;
    }
    *us = (timegm(&tm) - offset) * 1000000 + fraction;
    return true;
}

static bool read_text(struct parse *p, struct json_object *v, struct operand *out)
{
    struct str s = string_of(v);

    if (s.n < 1 || s.n > FILTER_TEXT)
        return refuse(p, "must have 1 to %d bytes", FILTER_TEXT);
    out->v = (struct filter_value){.kind = FILTER_STRING, .text = s};
    return true;
}

static bool read_number(struct json_object *v, struct operand *out)
{
    out->v = (struct filter_value){.kind = FILTER_NUMBER, .number = json_object_get_double(v)};
    return true;
}

static bool read_state(struct parse *p, struct json_object *v, bool stage, struct operand *out)
{
    enum task_state s = TASK_NONE;
    enum stage named;
    struct str name = string_of(v);
    bool known = task_state_parse(name, &s) && s != TASK_NONE;

    if (stage)
        known =
            known && stage_parse(name, &named); /* a task is at a stage: in the state so named */
    out->whole = s;
    return known || refuse(p, "is no %s of a task", stage ? "stage" : "state");
}

static bool read_value(
    struct parse *p, const struct field_def *def, struct json_object *v, struct operand *out)
{
    bool text = json_object_is_type(v, json_type_string);
    bool number = json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double);

    switch (def->type) {
    case OF_STATE:
    case OF_STAGE:
        return text ? read_state(p, v, def->type == OF_STAGE, out) : refuse(p, "must be a string");
    case OF_PERSON:
        out->whole = json_object_get_int64(v);
        return (json_object_is_type(v, json_type_int) && out->whole >= 1) ||
               refuse(p, "must be the id of a user");
    case OF_TEXT:
        return text ? read_text(p, v, out) : refuse(p, "must be a string");
    case OF_NUMBER:
        return number ? read_number(v, out) : refuse(p, "must be a number");
    case OF_TIME:
        return (text && read_time(string_of(v), &out->whole)) ||
               refuse(p, "must be a time such as 2026-11-24T10:00:00Z, or a day");
    case OF_FLAG:
        out->whole = json_object_get_boolean(v);
        return json_object_is_type(v, json_type_boolean) || refuse(p, "must be true or false");
    case OF_SCALAR:
        if (number)
            return read_number(v, out);
        return text ? read_text(p, v, out) : refuse(p, "must be a string or a number");
    }
    return false;
}

static bool read_values(
    struct parse *p, const struct field_def *def, struct json_object *v, struct filter_test *t)
{
    bool many = t->op == OP_IN;
    size_t n = many && json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 1;

    if (many && (!json_object_is_type(v, json_type_array) || n < 1 || n > FILTER_VALUES))
        return refuse(p, "must be an array of 1 to %d values", FILTER_VALUES);
    t->values = arena_array(p->arena, n, sizeof(*t->values));
    t->nvalues = n;
    for (size_t i = 0; i < n; i++) {
        size_t mark = many ? enter_index(p, i) : strlen(p->at);
        struct json_object *one = many ? json_object_array_get_idx(v, i) : v;
        if (!read_value(p, def, one, &t->values[i]))
            return false;
        leave(p, mark);
    }
    if (t->op == OP_PREFIX && t->values[0].v.kind != FILTER_STRING)
        return refuse(p, "must be a string");
    if ((RANGE & 1 << t->op) && def->type == OF_SCALAR && t->values[0].v.kind != FILTER_NUMBER)
        return refuse(p, "must be a number");
    return true;
}

static bool find_field(struct parse *p, struct str name, enum filter_field *out)
{
    for (int i = 0; i < FIELD_DATA; i++)
        if (str_is(name, defs[i].name)) {
            *out = (enum filter_field)i;
            return true;
        }
    *out = FIELD_DATA;
    return filter_is_path(name) || refuse(p, "is no field to search by");
}

static bool find_op(struct parse *p, struct str name, enum filter_field field, enum filter_op *out)
{
    for (int i = 0; i < OP_COUNT; i++)
        if (str_is(name, op_names[i]) && (defs[field].ops & 1u << i)) {
            *out = (enum filter_op)i;
            return true;
        }
    return refuse(p, "is no operator of this field");
}

/* What has to be known of a task to answer the condition. */
static void note_need(struct parse *p, struct filter_test *t, struct str name)
{
    struct filter *f = p->f;

    t->slot = -1;
    f->holders |= t->field == FIELD_ASSIGNEE;
    f->annotators |= t->field == FIELD_ANNOTATOR;
    f->comments |= t->field == FIELD_HAS_COMMENTS;
    f->labels |= t->field == FIELD_LABEL;
    if (t->field != FIELD_DATA && t->field != FIELD_SCORE && t->field != FIELD_AGREEMENT)
        return;
    for (t->slot = 0; t->slot < f->nslots; t->slot++)
        if (str_is(name, f->slots[t->slot]))
            return;
    f->slots[f->nslots++] = arena_copy(p->arena, name.p, name.n);
}

static bool member(
    struct parse *p, struct json_object *o, const char *name, bool text, struct json_object **v)
{
    if (!json_object_object_get_ex(o, name, v) || !*v)
        return refuse(p, "a condition has the members field, op and value");
    size_t mark = enter(p, name);
    if (text && !json_object_is_type(*v, json_type_string))
        return refuse(p, "must be a string");
    leave(p, mark);
    return true;
}

static bool read_test(struct parse *p, struct json_object *o, struct filter_test *t)
{
    struct json_object *field, *op, *value;

    if (!member(p, o, "field", true, &field) || !member(p, o, "op", true, &op) ||
        !member(p, o, "value", false, &value))
        return false;
    if (json_object_object_length(o) != 3)
        return refuse(p, "a condition has the members field, op and value, and no others");
    if (++p->tests > FILTER_TESTS)
        return refuse(p, "a filter has at most %d conditions", FILTER_TESTS);
    size_t mark = enter(p, "field");
    if (!find_field(p, string_of(field), &t->field))
        return false;
    leave(p, mark);
    enter(p, "op");
    if (!find_op(p, string_of(op), t->field, &t->op))
        return false;
    leave(p, mark);
    enter(p, "value");
    if (!read_values(p, &defs[t->field], value, t))
        return false;
    leave(p, mark);
    note_need(p, t, string_of(field));
    return true;
}

static struct filter_node *read_node(struct parse *p, struct json_object *json, int depth);

static bool read_children(
    struct parse *p, struct json_object *list, int depth, struct filter_node *node)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    if (n < 1 || n > FILTER_TESTS)
        return refuse(p, "must be an array of 1 to %d filters", FILTER_TESTS);
    node->children = arena_array(p->arena, n, sizeof(struct filter_node *));
    node->nchildren = n;
    for (size_t i = 0; i < n; i++) {
        size_t mark = enter_index(p, i);
        node->children[i] = read_node(p, json_object_array_get_idx(list, i), depth);
        if (!node->children[i])
            return false;
        leave(p, mark);
    }
    return true;
}

/* and, or, not. */
static bool read_group(struct parse *p, const char *key, struct json_object *value, int depth,
    struct filter_node *node)
{
    size_t mark = enter(p, key);

    if (depth == FILTER_DEPTH)
        return refuse(p, "and, or and not lie at most %d deep", FILTER_DEPTH);
    node->kind = key[0] == 'a' ? NODE_AND : key[0] == 'o' ? NODE_OR : NODE_NOT;
    if (node->kind != NODE_NOT) {
        if (!read_children(p, value, depth + 1, node))
            return false;
    } else {
        node->children = arena_array(p->arena, 1, sizeof(struct filter_node *));
        node->nchildren = 1;
        if (!(node->children[0] = read_node(p, value, depth + 1)))
            return false;
    }
    leave(p, mark);
    return true;
}

static struct filter_node *read_node(struct parse *p, struct json_object *json, int depth)
{
    static const char *const groups[] = {"and", "or", "not"};
    struct filter_node *node = arena_alloc(p->arena, sizeof(*node));
    struct json_object *value;

    if (!json_object_is_type(json, json_type_object)) {
        refuse(p, "a filter is an object");
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (json_object_object_get_ex(json, groups[i], &value)) {
            if (json_object_object_length(json) != 1) {
                refuse(p, "`%s` stands alone in its object", groups[i]);
                return NULL;
            }
            return read_group(p, groups[i], value, depth, node) ? node : NULL;
        }
    node->kind = NODE_TEST;
    return read_test(p, json, &node->test) ? node : NULL;
}

enum err filter_parse(
    struct filter *f, struct arena *a, struct json_object *json, struct filter_problem *problem)
{
    struct parse p = {.f = f, .arena = a, .problem = problem};

    *f = (struct filter){0};
    if (!json)
        return ERR_OK;
    f->root = read_node(&p, json, 0);
    return f->root ? ERR_OK : ERR_INVALID;
}

/* ---- matching */

static bool order_holds(enum filter_op op, int order)
{
    switch (op) {
    case OP_EQ:
    case OP_IN:
        return order == 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    case OP_GE:
        return order >= 0;
    default:
        return false;
    }
}

static bool whole_holds(const struct filter_test *t, int64_t have)
{
    for (size_t i = 0; i < t->nvalues; i++) {
        int64_t want = t->values[i].whole;
        if (order_holds(t->op, (have > want) - (have < want)))
            return true;
    }
    return false;
}

static bool number_holds(const struct filter_test *t, double have)
{
    for (size_t i = 0; i < t->nvalues; i++) {
        double want = t->values[i].v.number;
        if (t->values[i].v.kind == FILTER_NUMBER &&
            order_holds(t->op, (have > want) - (have < want)))
            return true;
    }
    return false;
}

static bool text_holds(const struct filter_test *t, struct str have)
{
    for (size_t i = 0; i < t->nvalues; i++) {
        const struct filter_value *want = &t->values[i].v;
        if (want->kind == FILTER_STRING &&
            (t->op == OP_PREFIX ? str_starts(have, want->text) : str_eq(have, want->text)))
            return true;
    }
    return false;
}

static bool any_person(const struct filter_test *t, const int64_t *people, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (whole_holds(t, people[i]))
            return true;
    return false;
}

static bool any_label(const struct filter_test *t, const struct filter_facts *f)
{
    for (size_t i = 0; i < f->nlabels; i++)
        if (text_holds(t, f->labels[i]))
            return true;
    return false;
}

static bool test_holds(const struct filter_test *t, const struct filter_facts *f)
{
    switch (t->field) {
    case FIELD_STATE:
    case FIELD_STAGE:
        return whole_holds(t, f->state);
    case FIELD_ASSIGNEE:
        return any_person(t, f->holders, f->nholders);
    case FIELD_ANNOTATOR:
        return any_person(t, f->annotators, f->nannotators);
    case FIELD_LABEL:
        return any_label(t, f);
    case FIELD_CREATED:
        return whole_holds(t, f->created_us);
    case FIELD_UPDATED:
        return whole_holds(t, f->updated_us);
    case FIELD_EXTERNAL_ID:
        return f->external_id.p && text_holds(t, f->external_id);
    case FIELD_PRIORITY:
        return number_holds(t, (double)f->priority);
    case FIELD_REWORK_COUNT:
        return number_holds(t, (double)f->rework_count);
    case FIELD_SKIP_COUNT:
        return number_holds(t, (double)f->skip_count);
    case FIELD_HAS_COMMENTS:
        return whole_holds(t, f->has_comments);
    default: /* score, agreement, data: one stored value */
        switch (f->slot[t->slot].kind) {
        case FILTER_STRING:
            return text_holds(t, f->slot[t->slot].text);
        case FILTER_NUMBER:
            return number_holds(t, f->slot[t->slot].number);
        default:
            return false;
        }
    }
}

static bool node_holds(const struct filter_node *n, const struct filter_facts *f)
{
    size_t i = 0;

    switch (n->kind) {
    case NODE_AND:
        while (i < n->nchildren && node_holds(n->children[i], f))
            i++;
        return i == n->nchildren;
    case NODE_OR:
        while (i < n->nchildren && !node_holds(n->children[i], f))
            i++;
        return i < n->nchildren;
    case NODE_NOT:
        return !node_holds(n->children[0], f);
    default:
        return test_holds(&n->test, f);
    }
}

bool filter_match(const struct filter *f, const struct filter_facts *t)
{
    return !f->root || node_holds(f->root, t);
}
