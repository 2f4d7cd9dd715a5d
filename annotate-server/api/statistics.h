/* What people did, how well and how fast, and what waits: read from sums that upkeep keeps. */
#ifndef API_STATISTICS_H
#define API_STATISTICS_H

#include "annotate-server/http/request.h"
#include "io/db.h"

void people_handler(struct req *r);
void quality_handler(struct req *r);
void throughput_handler(struct req *r);
void queues_handler(struct req *r);

/* "as_of": when the sums were true, from the first row's column; null when there is none. */
void put_as_of(struct buf *out, const PGresult *res, int col);

#endif
