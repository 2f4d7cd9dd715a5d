/* The classes of an export: the labels of the config that regions can have, numbered from 0. Their
 * order is that of the `category` attribute where labels have one, then the config's; a label that
 * the config does not know (it came from task data) is put at the end when it is first met, so the
 * same export numbers it the same. */
#ifndef FORMATS_CLASSES_H
#define FORMATS_CLASSES_H

#include "base/lookup.h"
#include "core/label_config.h"

enum { CLASSES_MAX = 20000 };

struct classes {
    struct arena *arena;
    struct str *names;
    size_t n, cap;
    struct lookup numbers; /* of names */
};

/* Which controls' values are classes. */
bool classes_of_regions(const struct label_control *control);   /* but not of key points */
bool classes_of_keypoints(const struct label_control *control); /* the names of key points */
bool classes_of_choices(const struct label_control *control);   /* choices and taxonomies */

/* In the arena: the values of all controls that `of` accepts. */
void classes_init(struct classes *c, struct arena *a, const struct label_config *config,
    bool (*of)(const struct label_control *control));
/* The number of that label; a new one for a new label, SIZE_MAX when there are too many. */
size_t classes_find(struct classes *c, struct str label);
/* The same of a label that has one; else SIZE_MAX. */
size_t classes_known(const struct classes *c, struct str label);

#endif
