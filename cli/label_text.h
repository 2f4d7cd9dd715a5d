/* Versions of a label as lines for people: coloured on a terminal, plain elsewhere. */
#ifndef CLI_LABEL_TEXT_H
#define CLI_LABEL_TEXT_H

#include <json-c/json.h>

/* A version on one line: id, number, kind, who or which model, when, regions. */
void label_text_version(struct json_object *version);
/* The answer of /v1/labels/A/diff/B. */
void label_text_diff(struct json_object *answer);
/* The answer of /v1/tasks/ID/blame. */
void label_text_blame(struct json_object *answer);

#endif
