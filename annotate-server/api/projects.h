/* Projects, their members and counters. */
#ifndef API_PROJECTS_H
#define API_PROJECTS_H

#include "annotate-server/http/request.h"
#include "io/db.h"

/* Answers with the project of a row of project_get, and remembers it. */
void project_reply_stored(struct req *r, const PGresult *res, int status);

void project_list_handler(struct req *r);
void project_create_handler(struct req *r);
void project_get_handler(struct req *r);
void project_update_handler(struct req *r);
void project_archive_handler(struct req *r);
void project_restore_handler(struct req *r);
void project_duplicate_handler(struct req *r);
void project_copy_handler(struct req *r);
void config_list_handler(struct req *r);
void config_get_handler(struct req *r);
void config_check_handler(struct req *r);
void config_add_handler(struct req *r);
void template_list_handler(struct req *r);
void member_list_handler(struct req *r);
void member_put_handler(struct req *r);
void member_remove_handler(struct req *r);
void progress_handler(struct req *r);

#endif
