/* A manager's acceptance of many tasks at once. */
#ifndef API_BULK_H
#define API_BULK_H

#include "annotate-server/http/request.h"

void bulk_accept_handler(struct req *r);

#endif
