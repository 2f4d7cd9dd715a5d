/* Owns the words of the workflow and what is printed from workflow.def: names, legality, Graphviz,
 * the CHECK of `event`. Never decides. */
#include "core/workflow.h"

static const char *const state_names[TASK_STATE_COUNT] = {
    "none", "prelabel", "annotate", "review", "qa", "done", "skipped", "archived"};
static const char *const stage_names[STAGE_COUNT] = {"prelabel", "annotate", "review", "qa"};
static const char *const action_names[ACTION_COUNT] = {"import", "prelabelled", "prelabel_failed",
    "submit", "skip", "accept", "fix", "reject", "pass", "fail", "reopen", "archive", "restore",
    "claim", "expire", "release", "late", "assign", "unassign", "prioritize", "adopt", "erase",
    "erase_label"};

struct row {
    enum task_state from;
    enum action action;
    enum task_state to;
    bool moves;
};

static const struct row rows[] = {
#define MOVE(from, action, to) {TASK_##from, ACTION_##action, TASK_##to, true},
#define STAY(state, action)    {TASK_##state, ACTION_##action, TASK_##state, false},
#include "core/workflow.def"
#undef MOVE
#undef STAY
};

const char *task_state_name(enum task_state s)
{
    return state_names[s];
}

const char *stage_name(enum stage s)
{
    return stage_names[s];
}

const char *action_name(enum action a)
{
    return action_names[a];
}

/* The index of `name`, or `n`. */
static unsigned find(const char *const *names, unsigned n, struct str name)
{
    unsigned i = 0;

    while (i < n && !str_is(name, names[i]))
        i++;
    return i;
}

bool task_state_parse(struct str name, enum task_state *out)
{
    unsigned i = find(state_names, TASK_STATE_COUNT, name);

    if (i == TASK_STATE_COUNT)
        return false;
    *out = (enum task_state)i;
    return true;
}

bool stage_parse(struct str name, enum stage *out)
{
    unsigned i = find(stage_names, STAGE_COUNT, name);

    if (i == STAGE_COUNT)
        return false;
    *out = (enum stage)i;
    return true;
}

bool action_parse(struct str name, enum action *out)
{
    unsigned i = find(action_names, ACTION_COUNT, name);

    if (i == ACTION_COUNT)
        return false;
    *out = (enum action)i;
    return true;
}

bool workflow_legal(enum task_state from, enum action a, enum task_state to)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].from == from && rows[i].action == a && rows[i].to == to)
            return true;
    return false;
}

bool workflow_leaves(enum task_state from, enum action a)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].from == from && rows[i].action == a)
            return true;
    return false;
}

bool workflow_moves(enum action a)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].action == a)
            return rows[i].moves;
    return false;
}

bool workflow_stage(enum task_state s, enum stage *out)
{
    return stage_parse(str_of(state_names[s]), out); /* a stage bears the name of its state */
}

void workflow_dot(struct buf *out)
{
    buf_puts(out, "digraph workflow {\n    rankdir=LR;\n    node [shape=box];\n"
                  "    none [shape=point];\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        buf_printf(out, "    %s -> %s [label=\"%s\"%s];\n", state_names[rows[i].from],
            state_names[rows[i].to], action_names[rows[i].action],
            rows[i].moves ? "" : ", style=dashed");
    buf_puts(out, "}\n");
}

void workflow_check_sql(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        buf_printf(out, "%s'%s %s %s'", i ? ",\n" : "", state_names[rows[i].from],
            action_names[rows[i].action], state_names[rows[i].to]);
}
