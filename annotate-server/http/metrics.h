/* Counters of the HTTP layer. Each loop thread writes its own block, without locks; printing adds
 * them up. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "annotate-server/http/route.h"

struct metrics; /* one thread's */

/* Registers a block for this table of routes; all blocks of a process must name the same one. */
struct metrics *metrics_new(const struct route *table, size_t n);
void metrics_free(struct metrics *m);

/* A request has got its answer. route: NULL when none was found. */
void metrics_request(struct metrics *m, const struct route *route, int status, int64_t us);
void metrics_in_flight(struct metrics *m, int delta);
void metrics_connections(struct metrics *m, int delta); /* +1 also counts as accepted */
void metrics_refused(struct metrics *m);                /* over the cap, or no descriptors */

/* All blocks together, Prometheus text format. From any thread. */
void metrics_print(struct buf *out);

#endif
