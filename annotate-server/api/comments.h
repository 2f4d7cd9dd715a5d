/* Comments on a task, in threads: anchored to a region or to the task as a whole, open or resolved.
 */
#ifndef API_COMMENTS_H
#define API_COMMENTS_H

#include "annotate-server/http/request.h"

enum { COMMENT_MAX = 10000, COMMENT_REGION_MAX = 200 }; /* bytes */

void comment_list_handler(struct req *r);
void comment_add_handler(struct req *r);
void comment_resolve_handler(struct req *r);
void comment_history_handler(struct req *r);

#endif
