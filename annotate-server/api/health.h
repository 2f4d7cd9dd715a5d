/* What operators and load balancers ask. */
#ifndef API_HEALTH_H
#define API_HEALTH_H

#include "annotate-server/http/request.h"

void health_handler(struct req *r);
void ready_handler(struct req *r);
void metrics_handler(struct req *r);
void openapi_handler(struct req *r);

#endif
