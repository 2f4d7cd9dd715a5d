/* What was said, as plain text: for formats that know strings and nothing of controls. */
#ifndef FORMATS_ANSWER_H
#define FORMATS_ANSWER_H

#include "core/shape.h"

/* How many things were said: those of a list, one of anything else, none of NULL. */
size_t answer_count(struct json_object *said);
/* The i-th of them as text: a string as it is, the steps of a path (nested choices, a taxonomy)
 * with "/" between them. Empty for what is neither. Borrowed from `said` or in the arena. */
struct str answer_text(struct json_object *said, size_t i, struct arena *a);

#endif
