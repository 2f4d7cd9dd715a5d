/* The pictures that a task shows, and what is drawn on each: what the image formats (COCO, YOLO,
 * VOC, CVAT, masks) begin from. */
#ifndef FORMATS_PICTURE_H
#define FORMATS_PICTURE_H

#include "core/shape.h"
#include "formats/format.h"

struct picture {
    const char *name, *suffix;        /* formats/media.h */
    struct str url;                   /* as the task's data says it */
    const struct export_asset *asset; /* NULL: not stored here */
    double width, height;             /* 0: nobody knows */
    const struct label_object *object;
    int64_t index;         /* item_index */
    struct shape **shapes; /* in the document's order; shapes[i]->place is i */
    size_t nshapes;
    bool unmeasured; /* there are shapes on it, and nobody knows its size */
};

struct pictures {
    struct picture *v;
    size_t n;
    struct drawing drawing; /* its answers and relations are the format's to carry or to count;
                               an answer that it carries it marks as told */
};

/* Everything in the arena. Without a label the pictures are there and nothing is drawn on them.
 * All shapes of a picture are in pixels of its one size: that of its regions, or of its file where
 * they say none or not the same. Counted as lost ("regions.TYPE") is what lies on no picture (text,
 * sound, film) or on one whose size nobody knows, and a mask that cannot be read. */
enum err pictures_read(struct exporter *x, const struct export_item *i, struct arena *a,
    struct pictures *out) MUSTCHECK;

/* The first label; counts the others as lost ("labels"), and a shape without one
 * ("regions.unlabelled"): then it is empty. */
struct str picture_label(struct exporter *x, const struct shape *s);
/* Counts a shape that the format cannot carry: "regions.TYPE". */
void picture_lost(struct exporter *x, const struct shape *s);
/* The answer is the control's and about this picture; without perItem it is about all of a list. */
bool picture_judged(const struct picture *p, const struct label_control *control,
    const struct shape_answer *answer);
/* Counts the answers that are not told ("answers.TYPE"), and relations. */
void picture_rest_lost(struct exporter *x, const struct pictures *p);
/* Tells the answers about a region: appends them as members of a JSON object, "control":said, one
 * after another with commas between. */
void picture_attributes(const struct shape *s, struct buf *out);

#endif
