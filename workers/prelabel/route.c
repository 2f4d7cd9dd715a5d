/* Owns matching label configs with models. */
#include "workers/prelabel/route.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/label_config.h"

static bool offers_all(const struct label_control *c, const struct model *m)
{
    for (int i = 0; i < m->nlabels; i++)
        if (!label_value_find(c, NULL, str_of(m->labels[i])))
            return false;
    return true;
}

static struct lane *lane_for(const struct label_control *c, const struct lanes *lanes)
{
    struct lane *best = NULL;

    for (size_t i = 0; i < lanes->n; i++) {
        struct lane *l = &lanes->v[i];
        if (offers_all(c, l->model) && (!best || l->model->version > best->model->version))
            best = l;
    }
    return best;
}

static bool usable(const struct label_control *c)
{
    const struct label_object *o = c->to ? c->to->object : NULL;

    return str_ieq(c->type, STR("Choices")) && !c->dynamic && !c->per_region && !c->per_item &&
           !c->name.indexed && o && !c->to->next && str_ieq(o->type, STR("Image")) &&
           !o->name.indexed && o->field.n > 0;
}

static bool copy(char *out, struct str s)
{
    if (s.n > ROUTE_NAME)
        return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

static struct route *draw(const struct label_control *c, int64_t project, struct lane *lane)
{
    struct route *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->users = 1;
    r->project = project;
    r->lane = lane;
    if (copy(r->field, c->to->object->field) && copy(r->from_name, c->name.text) &&
        copy(r->to_name, c->to->object->name.text))
        return r;
    free(r);
    return NULL;
}

enum err route_find(struct str label_config, int64_t project, const struct lanes *lanes,
    struct route **out, char *why)
{
    struct label_config *config = NULL;
    struct lane *lane = NULL;

    *out = NULL;
    enum err e = label_config_parse(label_config, &config, why);
    if (e)
        return e;
    const struct label_control *c = config->controls;
    for (; c; c = c->next)
        if (usable(c) && (lane = lane_for(c, lanes)) != NULL)
            break;
    if (c)
        *out = draw(c, project, lane);
    else
        snprintf(
            why, LABEL_CONFIG_WHY, "no <Choices> over an <Image> offers all labels of a model");
    label_config_free(config);
    return *out ? ERR_OK : c ? ERR_NO_MEMORY : ERR_NOT_FOUND;
}

struct route *route_get(struct route *r)
{
    atomic_fetch_add(&r->users, 1);
    return r;
}

void route_put(struct route *r)
{
    if (r && atomic_fetch_sub(&r->users, 1) == 1)
        free(r);
}
