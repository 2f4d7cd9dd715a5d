/* A label document out of a request: checked against the project's label config, canonical, hashed.
 */
#ifndef API_LABEL_BODY_H
#define API_LABEL_BODY_H

#include "annotate-server/api/transition.h"
#include "annotate-server/http/request.h"
#include "core/label_doc.h"

/* In the request's arena. `data`: the task's data or NULL. ERR_LABEL_INVALID and the like with the
 * problem filled. */
enum err label_body(struct req *r, struct json_object *result, struct json_object *data,
    unsigned flags, struct labelled **out, struct label_problem *problem) MUSTCHECK;

/* Whether a label can only be judged with its task at hand: offsets lie within a text, and a
 * question of each picture is answered for all of a list. */
bool label_needs_data(const struct label_config *c);
/* A task's data as the database gives it, in the arena. */
struct json_object *label_data(struct arena *a, struct str text);

/* The member `result` of the body, checked against the config and, where the task is text, against
 * the task's data, which is fetched first. Then calls then(r, label); a label that is refused is
 * answered instead. */
void label_body_read(struct req *r, void (*then)(struct req *r, struct labelled *label));

#endif
