/* What managers do to the queue: reserve work for a person, take it away, raise its priority. */
#ifndef API_QUEUE_H
#define API_QUEUE_H

#include "annotate-server/http/request.h"

void queue_assign_handler(struct req *r);
void queue_unassign_handler(struct req *r);
void queue_prioritize_handler(struct req *r);
void task_update_handler(struct req *r); /* PATCH: the priority of one task */

#endif
