/* Searching a project's tasks by a filter, and declaring the data paths to search by. */
#ifndef API_TASK_SEARCH_H
#define API_TASK_SEARCH_H

#include "annotate-server/http/request.h"

void task_search_handler(struct req *r);

void search_field_list_handler(struct req *r);
void search_field_put_handler(struct req *r);
void search_field_drop_handler(struct req *r);

#endif
