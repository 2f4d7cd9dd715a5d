/* The filter of a search: what is taken gives a plan, and matches or does not. */
#include "core/filter.h"
#include "core/json_tree.h"
#include "fuzz.h"

void fuzz(struct str input)
{
    struct json_object *json = NULL;
    struct filter_problem problem = {"", ""};
    struct filter_facts facts = {.state = TASK_REVIEW, .external_id = STR("a")};
    struct filter_plan plan;
    struct filter f;

    if (json_tree_parse(input, JSON_DEPTH_REQUEST, &json, NULL))
        return;
    struct arena *a = arena_new();
    if (filter_parse(&f, a, json, &problem)) {
        CLAIM(*problem.why);
    } else {
        CLAIM(f.nslots <= FILTER_TESTS);
        filter_plan(&f, a, true, &plan);
        CLAIM(plan.by_id);
        filter_plan(&f, a, false, &plan);
        /* what matches is in a state that the walk may see */
        if (filter_match(&f, &facts))
            CLAIM(plan.states & 1U << facts.state);
    }
    arena_free(a);
    json_object_put(json);
}
