/* How a project's tasks become pre-labels: which field holds the picture, which model looks at it,
 * which control takes the answer. Drawn from the project's label config. Immutable but for its
 * count of users. */
#ifndef PRELABEL_ROUTE_H
#define PRELABEL_ROUTE_H

#include <stdatomic.h>

#include "workers/prelabel/lane.h"

enum { ROUTE_NAME = 255 };

struct route {
    atomic_int users;
    int64_t project;
    struct lane *lane;
    char field[ROUTE_NAME + 1]; /* of task.data */
    char from_name[ROUTE_NAME + 1], to_name[ROUTE_NAME + 1];
};

/* The first Choices over an image that offers all labels of a model; of several such models the
 * one of the highest version. ERR_NOT_FOUND when there is none, ERR_INVALID for a config that does
 * not parse; `why` (>= LABEL_CONFIG_WHY bytes) says it. *out has one user: the caller. */
enum err route_find(struct str label_config, int64_t project, const struct lanes *lanes,
    struct route **out, char *why) MUSTCHECK;

struct route *route_get(struct route *r);
void route_put(struct route *r); /* NULL is fine */

#endif
