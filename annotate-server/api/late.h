/* Versions of a label that are not its head: work that came too late, and old ones that are wanted
 * again. */
#ifndef API_LATE_H
#define API_LATE_H

#include "annotate-server/http/request.h"

void late_list_handler(struct req *r);
void late_of_task_handler(struct req *r);
void late_dismiss_handler(struct req *r);

/* Each makes a new version, the head, and sends the task to review. */
void label_adopt_handler(struct req *r);
void label_merge_handler(struct req *r);
void label_restore_handler(struct req *r);

#endif
