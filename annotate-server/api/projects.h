/* Projects, their members and counters. */
#ifndef API_PROJECTS_H
#define API_PROJECTS_H

#include "annotate-server/http/request.h"

void project_list_handler(struct req *r);
void project_create_handler(struct req *r);
void project_get_handler(struct req *r);
void project_update_handler(struct req *r);
void member_list_handler(struct req *r);
void member_put_handler(struct req *r);
void member_remove_handler(struct req *r);
void progress_handler(struct req *r);

#endif
