/* What a YOLO data set says of itself: the names of its classes and key points, from data.yaml, or
 * from a list with a name a line (classes.txt, obj.names). Only the YAML that data sets are written
 * in: scalars, and lists and maps of scalars. */
#ifndef FORMATS_YOLO_NAMES_H
#define FORMATS_YOLO_NAMES_H

#include "formats/reader.h"

enum { YOLO_NAMES = 20000 };

struct yolo_list {
    struct str *v; /* v[i] empty: the map does not name i */
    size_t n, cap;
};

struct yolo_names {
    struct yolo_list classes, points;
    size_t npoints, dims; /* kpt_shape; 0: it is not said */
};

/* In r->arena. ERR_INVALID, told to the reader. */
enum err yolo_names_read(struct reader *r, struct yolo_names *out) MUSTCHECK;

#endif
