/* Owns waiting for an export that is made in the background. Never fetches it. */
#include "cli/export_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/progress.h"
#include "cli/say.h"

enum { POLL_S = 1 };

static bool is_open(struct json_object *job)
{
    const char *state = api_text(job, "state");

    return strcmp(state, "waiting") == 0 || strcmp(state, "running") == 0;
}

/* Until it has ended; *job is replaced by its last state, NULL when that cannot be known. */
static bool wait_for(struct api *a, struct json_object **job)
{
    struct progress p;
    char path[64];

    snprintf(path, sizeof(path), "/v1/exports/%" PRId64, api_int(*job, "id"));
    progress_begin(&p, "items", api_int(*job, "items"));
    while (is_open(*job)) {
        progress_show(&p, api_int(*job, "done"), api_int(*job, "items"));
        sleep(POLL_S);
        json_object_put(*job);
        if (!(*job = api_call(a, "GET", path, NULL)))
            return false;
    }
    if (strcmp(api_text(*job, "state"), "done") != 0) {
        fail("the export is %s. %s", api_text(*job, "state"), api_text(*job, "error"));
        return false;
    }
    progress_end(&p, api_int(*job, "done"));
    return true;
}

int64_t export_job_wait(struct api *a, int64_t release, struct json_object *wishes)
{
    struct json_object *job;
    char path[64];

    snprintf(path, sizeof(path), "/v1/releases/%" PRId64 "/exports", release);
    job = api_call(a, "POST", path, wishes);
    int64_t id = job && wait_for(a, &job) ? api_int(job, "id") : 0;
    json_object_put(job);
    return id;
}
