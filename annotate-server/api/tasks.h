/* Tasks, their labels and history. */
#ifndef API_TASKS_H
#define API_TASKS_H

#include "annotate-server/http/request.h"

void task_import_handler(struct req *r);
void import_list_handler(struct req *r);
void task_list_handler(struct req *r);
void task_get_handler(struct req *r);
void task_events_handler(struct req *r);
void task_reopen_handler(struct req *r);
void task_archive_handler(struct req *r);
void task_restore_handler(struct req *r);
void label_list_handler(struct req *r);
void label_get_handler(struct req *r);
void label_diff_handler(struct req *r);
void label_blame_handler(struct req *r);

#endif
