/* Snapshots of projects: settings, workflow and parsed label config, as one loop thread last read
 * them. A snapshot is immutable and counted; a request holds the one it began with. Other servers'
 * changes are seen within PROJECT_TTL_MS, this server's at once. */
#ifndef SERVER_PROJECT_H
#define SERVER_PROJECT_H

#include "annotate-server/context.h"
#include "core/label_config.h"
#include "core/workflow.h"

enum { PROJECT_TTL_MS = 2000 };

struct project {
    struct project *next; /* in its bucket */
    int refs;
    int64_t tenant, id, version, fetched_us;
    char *name, *created_at; /* created_at: a JSON string with its quotes */
    char *xml;
    struct workflow workflow;
    uint64_t salt;
    bool paused, archived;
    int config_version;
    struct label_config *config;
};

/* The fresh snapshot, or NULL: then it has to be read. Borrowed; ref it to keep it. */
struct project *project_cached(struct thread_ctx *c, int64_t tenant, int64_t id);
/* From a row of project_get; replaces an older one. NULL when the stored config does not parse. */
struct project *project_remember(struct thread_ctx *c, int64_t tenant, const PGresult *row);
struct project *project_ref(struct project *p);
void project_unref(void *p); /* void *: an arena_defer function */

/* A project changed: forget its snapshot in every thread. */
void project_forget(struct server *s, int64_t tenant, int64_t id);

#endif
