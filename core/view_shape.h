/* Where a region lies, as geometry. */
#ifndef CORE_VIEW_SHAPE_H
#define CORE_VIEW_SHAPE_H

#include "core/label_view.h"

/* Sets kind, area, low, high and box of `r` from an item's value. False, and r is VIEW_SAME still,
 * when the place is none that can be measured. */
bool view_shape_read(struct arena *arena, struct json_object *item, struct view_region *r);

#endif
