/* Owns project snapshots. Never asks the database: the gate and the handlers do. */
#include "annotate-server/project.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

static struct project **bucket(struct thread_ctx *c, int64_t id)
{
    return &c->projects[(uint64_t)id % PROJECT_BUCKETS];
}

static struct project **find(struct thread_ctx *c, int64_t tenant, int64_t id)
{
    struct project **p = bucket(c, id);

    while (*p && ((*p)->id != id || (*p)->tenant != tenant))
        p = &(*p)->next;
    return p;
}

struct project *project_ref(struct project *p)
{
    p->refs++;
    return p;
}

void project_unref(void *arg)
{
    struct project *p = arg;

    if (--p->refs)
        return;
    label_config_free(p->config);
    free(p->name);
    free(p->created_at);
    free(p->xml);
    free(p);
}

static void drop(struct project **at)
{
    struct project *p = *at;

    *at = p->next;
    project_unref(p);
}

struct project *project_cached(struct thread_ctx *c, int64_t tenant, int64_t id)
{
    struct project **at = find(c, tenant, id);

    if (!*at)
        return NULL;
    if ((*at)->fetched_us + PROJECT_TTL_MS * 1000 < clock_mono_us()) {
        drop(at);
        return NULL;
    }
    return *at;
}

struct project *project_remember(struct thread_ctx *c, int64_t tenant, const PGresult *row)
{
    struct project *p = calloc(1, sizeof(*p));
    char why[LABEL_CONFIG_WHY] = "", pointer[64] = "";

    BUG_ON(!p);
    p->refs = 1; /* the bucket's */
    p->tenant = tenant;
    p->fetched_us = clock_mono_us();
    p->id = db_get_int(row, 0, 0);
    p->name = strdup(db_get_str(row, 0, 1).p);
    p->salt = (uint64_t)db_get_int(row, 0, 3);
    p->paused = db_get_bool(row, 0, 4);
    p->version = db_get_int(row, 0, 5);
    p->config_version = (int)db_get_int(row, 0, 6);
    p->xml = strdup(db_get_str(row, 0, 7).p);
    p->created_at = strdup(db_get_str(row, 0, 8).p);
    p->archived = db_get_bool(row, 0, 9);
    BUG_ON(!p->name || !p->xml || !p->created_at);
    if (workflow_parse(&p->workflow, db_get_str(row, 0, 2), pointer, why) ||
        label_config_parse(str_of(p->xml), &p->config, why)) {
        log_error("project_config", "project %lld: %s %s", (long long)p->id, pointer, why);
        project_unref(p);
        return NULL;
    }
    struct project **at = find(c, tenant, p->id);
    if (*at)
        drop(at);
    p->next = *bucket(c, p->id);
    *bucket(c, p->id) = p;
    return p;
}

static void forget(struct thread_ctx *c, int64_t tenant, int64_t id, int64_t unused)
{
    struct project **at = find(c, tenant, id);

    (void)unused;
    if (*at)
        drop(at);
}

void project_forget(struct server *s, int64_t tenant, int64_t id)
{
    context_broadcast(s, forget, tenant, id, 0);
}
