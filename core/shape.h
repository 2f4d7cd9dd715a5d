/* What a label document draws on pictures, in pixels: for formats that know pixels and labels and
 * nothing of Label Studio. Percentages become pixels first and are turned after: a picture that is
 * not square does not turn in percentages. */
#ifndef CORE_SHAPE_H
#define CORE_SHAPE_H

#include <json-c/json.h>

#include "base/lookup.h"
#include "core/brush.h"
#include "core/polygon.h"

enum shape_kind {
    SHAPE_BOX,
    SHAPE_ELLIPSE,
    SHAPE_POLYGON, /* closed, of three points or more */
    SHAPE_LINE,    /* open polygons and vectors, and what of them has less than three points */
    SHAPE_POINT,
    SHAPE_MASK,
    SHAPE_OTHER, /* a region that lies elsewhere: text, sound, film; or cannot be read */
};

struct shape_answer;

struct shape {
    enum shape_kind kind;
    struct str id, parent;  /* parentID; empty: none */
    struct str type;        /* of the item that says where: "rectanglelabels" */
    struct str control, to; /* from_name of the item that labels it, to_name */
    int64_t picture;        /* item_index, of several pictures */
    struct str *labels;     /* in the document's order; without labels there is none */
    size_t nlabels;
    double x, y, w, h; /* BOX: its first corner and sides; ELLIPSE: centre and radii; POINT: x, y */
    double rotation;   /* degrees clockwise: BOX about its first corner, ELLIPSE about its centre */
    const struct point *v; /* POLYGON, LINE */
    size_t n;
    bool curved;          /* of Bézier curves: the control points are left out */
    double width, height; /* of the picture; both 0: the item does not say, so that all of the
                             above is percent, and shape_resize() makes pixels of it */
    size_t columns, rows; /* MASK: as it is packed; 0: as the picture */
    struct shape_answer *answers; /* about it, in the document's order */
    const struct shape *within;   /* that `parent` names; NULL: there is none */
    size_t place;                 /* free for the caller */
    double score;                 /* negative: none */
    size_t at;                    /* place of the item in the document */
    struct json_object *item;     /* that says where; borrowed from the drawing */
};

/* An answer about a region (per region) or a whole picture: choices, texts, numbers. */
struct shape_answer {
    struct str id; /* of the region; of none: about the whole */
    struct str control, to, type;
    int64_t picture;
    struct json_object *said;   /* the member of the value that carries it */
    const struct shape *region; /* that `id` names; NULL: about the whole */
    struct shape_answer *next;  /* about the same region */
    bool told;                  /* free for the caller: false */
};

struct drawing {
    struct json_object *doc;
    struct shape *shapes; /* in the document's order, one a region */
    size_t nshapes;
    struct shape_answer *answers;
    size_t nanswers;
    size_t relations;  /* how many */
    struct lookup ids; /* of shapes: their places */
};

/* Everything in the arena, the document released with it. ERR_INVALID when `text` is no label
 * document. */
enum err drawing_read(struct arena *a, struct str text, struct drawing *d) MUSTCHECK;

/* Onto a picture of that size, in pixels above 0: what is percent becomes pixels, what was drawn on
 * another size is stretched. A picture that is taller or wider does not turn a box. */
void shape_resize(struct arena *a, struct shape *s, double width, double height);

/* The corners of a turned box, clockwise from its first. */
void shape_corners(const struct shape *s, struct point corners[4]);
/* So many points of an ellipse, clockwise. */
void shape_ellipse(const struct shape *s, struct point *v, size_t sides);
/* Its outline as a polygon: corners of a box, SHAPE_SIDES points of an ellipse, the points
 * themselves. n 0 for what has no outline. */
enum { SHAPE_SIDES = 64 };
struct polygon shape_outline(struct arena *a, const struct shape *s);
/* The upright box around it, cut to the picture when its size is known; false when there is none
 * (SHAPE_OTHER, an empty mask). A mask is decoded for it. */
bool shape_bound(struct arena *a, const struct shape *s, struct point *low, struct point *high);
/* The mask of a SHAPE_MASK, in the picture's size. ERR_INVALID, ERR_TOO_LARGE. */
enum err shape_mask(struct arena *a, const struct shape *s, struct mask *m) MUSTCHECK;
/* Whether shape_mask() would give one, in no memory. */
bool shape_mask_good(const struct shape *s);
/* The shoelace sum. */
double polygon_area(const struct polygon *p);

#endif
