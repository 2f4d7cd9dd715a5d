/* The checked tree of a filter: shared by its parser, its matcher and its planner; nobody else's.
 */
#ifndef CORE_FILTER_TREE_H
#define CORE_FILTER_TREE_H

#include "core/filter.h"

enum filter_op { OP_EQ, OP_IN, OP_PREFIX, OP_LT, OP_LE, OP_GT, OP_GE, OP_COUNT };

enum filter_field {
    FIELD_STATE,
    FIELD_STAGE,
    FIELD_ASSIGNEE,
    FIELD_ANNOTATOR,
    FIELD_LABEL,
    FIELD_SCORE,
    FIELD_AGREEMENT,
    FIELD_CREATED,
    FIELD_UPDATED,
    FIELD_EXTERNAL_ID,
    FIELD_PRIORITY,
    FIELD_REWORK_COUNT,
    FIELD_SKIP_COUNT,
    FIELD_HAS_COMMENTS,
    FIELD_DATA, /* any path below data */
    FIELD_COUNT
};

/* A value of a condition: a state, an id or a time in `whole`; a number; a text. */
struct operand {
    int64_t whole;
    struct filter_value v;
};

struct filter_test {
    enum filter_field field;
    enum filter_op op;
    struct operand *values; /* nvalues >= 1; more than one only with OP_IN */
    size_t nvalues;
    int slot; /* in filter.slots; -1: none */
};

struct filter_node {
    enum { NODE_AND, NODE_OR, NODE_NOT, NODE_TEST } kind;
    struct filter_node **children; /* AND, OR: 1 or more; NOT: 1 */
    size_t nchildren;
    struct filter_test test;
};

#endif
