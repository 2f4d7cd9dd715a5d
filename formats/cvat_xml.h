/* What CVAT's XML has for images and for video alike. Boxes turn about their centre there, ours
 * about their first corner. Source: CVAT's documentation, xml_format. */
#ifndef FORMATS_CVAT_XML_H
#define FORMATS_CVAT_XML_H

#include "core/shape.h"
#include "formats/classes.h"
#include "formats/format.h"

enum { CVAT_DIGITS = 4 };

/* Attributes of an element: a blank, the name, the value in quotes. */
void cvat_number(struct buf *out, const char *name, double v);
void cvat_text(struct buf *out, const char *name, struct str s);
/* None when it is a whole turn. */
void cvat_rotation(struct buf *out, const struct shape *s);
/* Place and rotation of a SHAPE_BOX. */
void cvat_box(struct buf *out, const struct shape *s);
/* <attribute> elements of what was said about the region; marks it as told. */
void cvat_attributes(struct buf *out, const struct shape *s);
/* <label> elements, each with the config's controls about regions as attributes. */
void cvat_labels(const struct classes *names, const char *type, const struct label_config *config,
    struct buf *out);

#endif
