/* An export that the system makes and keeps, waited for. */
#ifndef CLI_EXPORT_JOB_H
#define CLI_EXPORT_JOB_H

#include "cli/api.h"

/* Orders the export of the release that `wishes` describes (format, container, media, labelled), or
 * finds it made, and shows how far it is until it is done. Its number, or 0 after saying why there
 * is none. */
int64_t export_job_wait(struct api *a, int64_t release, struct json_object *wishes) MUSTCHECK;

#endif
