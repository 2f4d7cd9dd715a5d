/* What people did, how well and how fast, and what waits: read from sums that upkeep keeps. */
#ifndef API_STATISTICS_H
#define API_STATISTICS_H

#include "annotate-server/http/request.h"

void people_handler(struct req *r);
void quality_handler(struct req *r);
void throughput_handler(struct req *r);
void queues_handler(struct req *r);

#endif
