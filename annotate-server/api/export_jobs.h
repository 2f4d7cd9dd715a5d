/* Exports of releases as jobs: ordered here, made by annotate-export, fetched here. */
#ifndef API_EXPORT_JOBS_H
#define API_EXPORT_JOBS_H

#include "annotate-server/http/request.h"

void export_job_create_handler(struct req *r);
void export_job_list_handler(struct req *r);
void export_job_get_handler(struct req *r);
void export_job_cancel_handler(struct req *r);
void export_job_content_handler(struct req *r);

#endif
