/* The API as a command sees it: io/http_client with the common options --server and --token-file,
 * answers as JSON trees, failures as sentences. */
#ifndef CLI_API_H
#define CLI_API_H

#include <json-c/json.h>

#include "io/http_client.h"

struct api {
    struct http_client *http;
    struct http_answer answer; /* of the last call */
};

/* False after saying why not. Close in both cases. Each thread has its own. */
bool api_open(struct api *a) MUSTCHECK;
/* The same for transfers that may stand still for so long. */
bool api_open_patient(struct api *a, int stall_s) MUSTCHECK;
void api_close(struct api *a);

/* One call; body NULL = none. The answer's JSON is the caller's (json_object_put); NULL after
 * saying why there is none. */
struct json_object *api_call(
    struct api *a, const char *method, const char *path, struct json_object *body) MUSTCHECK;

/* For calls made on a->http directly: says why when `e` or the answer's status is a failure.
 * `what` begins the sentence: "the export". */
bool api_ok(struct api *a, enum err e, const char *what) MUSTCHECK;
/* Busy or unreachable: what is safe to repeat is worth another try. */
bool api_may_pass(const struct api *a, enum err e);
/* The JSON of the last answer, under the same rules as api_call()'s. */
struct json_object *api_json(struct api *a) MUSTCHECK;

/* Members of an answer; 0 and "" when they are not there. Borrowed from the object. */
int64_t api_int(struct json_object *o, const char *key);
const char *api_text(struct json_object *o, const char *key);

#endif
