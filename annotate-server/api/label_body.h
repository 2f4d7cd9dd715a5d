/* A label document out of a request: checked against the project's label config, canonical, hashed.
 */
#ifndef API_LABEL_BODY_H
#define API_LABEL_BODY_H

#include "annotate-server/api/transition.h"
#include "annotate-server/http/request.h"
#include "core/label_doc.h"

/* In the request's arena. ERR_LABEL_INVALID and the like with the problem filled. */
enum err label_body(struct req *r, struct json_object *result, unsigned flags,
    struct labelled **out, struct label_problem *problem) MUSTCHECK;

/* The member `result` of the body. false: already answered. */
bool label_body_required(struct req *r, struct labelled **out);

#endif
