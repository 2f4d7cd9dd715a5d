/* The lists among what a filter asks of a task, as the database gives them: JSON arrays. */
#ifndef CORE_FILTER_FACTS_H
#define CORE_FILTER_FACTS_H

#include "core/filter.h"

/* The values of the filter's slots, in their order: strings, numbers and nulls. `fields` may be
 * NULL; the texts are borrowed from it. */
void filter_facts_slots(struct filter_facts *t, struct json_object *fields);
/* The values of a label: strings, borrowed; the list lies in the arena. */
void filter_facts_labels(struct filter_facts *t, struct arena *a, struct json_object *labels);

#endif
