/* The closed grammar of a search for tasks, pure: JSON -> a checked tree, the walk along an index
 * that serves it, and whether a task matches. No SQL is ever made of it: a plan picks one of a
 * fixed set of statements, and what that does not decide filter_match() does.
 *
 *   filter = {"and": [filter, ...]} | {"or": [filter, ...]} | {"not": filter}
 *          | {"field": name, "op": op, "value": value}
 *
 * Two-valued: a condition on what a task does not have is false, so its `not` is true. */
#ifndef CORE_FILTER_H
#define CORE_FILTER_H

#include <json-c/json.h>

#include "base/arena.h"
#include "core/workflow.h"

enum {
    FILTER_DEPTH = 4,     /* and, or, not inside one another */
    FILTER_TESTS = 20,    /* conditions */
    FILTER_VALUES = 100,  /* of an `in` */
    FILTER_TEXT = 1000,   /* bytes of a text value */
    FILTER_PATH = 200,    /* bytes of a data path */
    FILTER_PATH_KEYS = 8, /* keys behind "data" */
    FILTER_POINTER = 256,
    FILTER_WHY = 160,
};

struct filter_node;

struct filter {
    const struct filter_node *root;  /* NULL: everything matches */
    const char *slots[FILTER_TESTS]; /* stored fields with one value that it asks for: score,
                                        agreement, data.… */
    int nslots;
    bool holders, annotators, comments, labels; /* what else it needs to know */
};

struct filter_problem {
    char pointer[FILTER_POINTER]; /* from the filter on: "/and/0/value" */
    char why[FILTER_WHY];
};

/* NULL `json` is the filter that takes all. The tree lives in the arena and borrows the strings of
 * `json`. ERR_INVALID fills `problem`. */
enum err filter_parse(struct filter *f, struct arena *a, struct json_object *json,
    struct filter_problem *problem) MUSTCHECK;

/* "data.a.b": what a stored field may be called that data is searched by. */
bool filter_is_path(struct str path);

/* What a task is, as far as filters ask. Lists that the filter does not need may be left empty. */
struct filter_value {
    enum { FILTER_ABSENT, FILTER_STRING, FILTER_NUMBER } kind;
    struct str text;
    double number;
};
struct filter_facts {
    enum task_state state;
    int64_t priority, rework_count, skip_count;
    int64_t created_us, updated_us;
    struct str external_id; /* p NULL: none */
    const int64_t *holders, *annotators;
    size_t nholders, nannotators;
    bool has_comments;
    const struct str *labels;
    size_t nlabels;
    struct filter_value slot[FILTER_TESTS]; /* by filter.slots */
};
bool filter_match(const struct filter *f, const struct filter_facts *t);

/* The index to walk: every task that matches lies on it, within its bounds. */
enum filter_walk {
    FILTER_BY_STATE,     /* states; in the order of id */
    FILTER_BY_EXTERNAL,  /* low..high; in the order of external_id */
    FILTER_BY_HOLDER,    /* users; by id */
    FILTER_BY_ANNOTATOR, /* users[0]; by id */
    FILTER_BY_TEXT,      /* field, low..high; by text, then id */
    FILTER_BY_NUMBER,    /* field, least..most; by number, then id */
};
struct filter_plan {
    enum filter_walk walk;
    bool by_id;                  /* what the walk gives comes in the order of id */
    unsigned states;             /* bits 1 << TASK_…: all that a match can be in */
    struct str field, low, high; /* high: inclusive */
    double least, most;
    const int64_t *users;
    size_t nusers;
};
/* by_id: only a walk in the order of id will do. Bounds live in the arena. */
void filter_plan(const struct filter *f, struct arena *a, bool by_id, struct filter_plan *plan);

#endif
