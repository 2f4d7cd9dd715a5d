/* Erasure of a task's or a person's content: ordered here, carried out by annotate-upkeep. */
#ifndef API_ERASURES_H
#define API_ERASURES_H

#include "annotate-server/http/request.h"

void task_erase_handler(struct req *r);
void user_erase_handler(struct req *r);
void erasure_get_handler(struct req *r);
void erasure_list_handler(struct req *r);

#endif
