/* Owns the life of an item's memory. */
#include "workers/prelabel/item.h"

#include <stdlib.h>

struct item *item_new(
    struct route *r, int64_t assignment, int64_t version, int64_t task, struct str address)
{
    struct item *i = calloc(1, sizeof(*i));

    if (!i)
        return NULL;
    i->assignment = assignment;
    i->version = version;
    i->task = task;
    i->route = route_get(r);
    if (address.p && !(i->address = strndup(address.p, address.n))) {
        item_free(i);
        return NULL;
    }
    return i;
}

void item_free(struct item *i)
{
    if (!i)
        return;
    route_put(i->route);
    free(i->address);
    free(i->tensor);
    free(i);
}

void item_fail(struct item *i, const char *error)
{
    i->fate = FATE_FAILED;
    i->error = error;
}

size_t item_bytes(const struct route *r)
{
    const struct model *m = r->lane->model;

    /* twice the tensor: its copy in the batch */
    return sizeof(struct item) + 2 * model_in(m) * sizeof(float) + model_out(m) * sizeof(float);
}
