/* Tells the other servers that work has opened, and hears it from them and from upkeep, so that
 * claims parked anywhere are woken. A hint: who misses it looks once a second (api/park.h). */
#ifndef SERVER_WAKE_H
#define SERVER_WAKE_H

#include "annotate-server/context.h"
#include "core/workflow.h"

enum { WAKE_NOTIFY_MS = 50 };

/* Listens on the first thread's loop, which must be there and not run yet. conninfo: borrowed. */
void wake_init(struct server *s, const char *conninfo);

/* From any thread: at most one notification in WAKE_NOTIFY_MS goes out, with all that opened since
 * the last. */
void wake_tell(struct server *s, int64_t tenant, int64_t project, enum stage stage);

/* The same of a tenant's events (api/events.h). */
void wake_tell_events(struct server *s, int64_t tenant);

#endif
