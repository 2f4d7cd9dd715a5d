/* A label document as what it says: regions with their place as geometry, answers about them or the
 * whole object, relations. For comparing and merging documents that have been validated before; of
 * one that has not it makes the best it can. */
#ifndef CORE_LABEL_VIEW_H
#define CORE_LABEL_VIEW_H

#include <json-c/json.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "core/polygon.h"

enum view_kind {
    VIEW_AREA,     /* boxes, turned ones too, ellipses (as polygons of 128 sides), polygons */
    VIEW_SPAN,     /* of a text, in code points; of a time series, in its own unit */
    VIEW_SEGMENT,  /* of sound, in seconds; of a film's timeline, in frames */
    VIEW_SAME,     /* regions that are equal or not: brushes, key points, boxes in a film, ... */
    VIEW_CHOICES,  /* sets: choices, taxonomy, pairwise */
    VIEW_TEXT,     /* textarea */
    VIEW_NUMBER,   /* rating, number */
    VIEW_OTHER,    /* answers that are equal or not: datetime, ranker, ... */
    VIEW_RELATION, /* between regions */
    VIEW_KINDS,
};

#define VIEW_NONE SIZE_MAX

/* All items with one id, of which at least one says where. */
struct view_region {
    enum view_kind kind; /* VIEW_AREA .. VIEW_SAME */
    struct str id;
    struct str from, to; /* control and object */
    int64_t index;       /* item_index, of several pictures */
    int64_t channel;     /* of sound; else 0 */
    struct str labels;   /* canonical JSON, sorted: "[\"Cat\",\"Dog\"]" */
    struct polygon area; /* VIEW_AREA: in pixels of original_width and _height, or in percent */
    double low, high;    /* VIEW_AREA: its extent along x; VIEW_SPAN, VIEW_SEGMENT: start, end */
    bool box;            /* x, y, width, height, rotation; or x, y, radiusX, radiusY, rotation */
    bool frames;         /* VIEW_SEGMENT: low and high are frames, not seconds */
    struct sha256 same;  /* VIEW_SAME: of its value */
    size_t at;           /* the item that says where */
    size_t control;      /* free for the caller */
};

struct view_answer {
    enum view_kind kind; /* VIEW_CHOICES .. VIEW_OTHER */
    struct str id, from, to;
    int64_t index;
    size_t region;   /* VIEW_NONE: about the whole object */
    struct str said; /* canonical JSON; of choices: sorted */
    struct str *set; /* VIEW_CHOICES: canonical JSON of each, sorted */
    size_t nset;
    struct str text; /* VIEW_TEXT: its texts, a line each */
    double number;   /* VIEW_NUMBER */
    bool rating;     /* of 0..5 or more */
    size_t at;
    size_t control;
};

struct view_relation {
    size_t from, to; /* regions; VIEW_NONE: not one */
    struct str said; /* direction and labels */
    size_t at;
};

struct label_view {
    struct arena *arena;         /* everything lives in it but the document */
    struct json_object *doc;     /* NULL: dropped */
    struct view_region *regions; /* by id */
    size_t nregions;
    struct view_answer *answers; /* in the order of the document */
    size_t nanswers;
    struct view_relation *relations;
    size_t nrelations;
};

/* ERR_INVALID when `text` is no JSON array of objects. */
enum err label_view_new(struct str text, struct label_view **out) MUSTCHECK;
void label_view_free(struct label_view *v); /* NULL is fine */
/* Lets go of the document, by far the largest part of a view; the rest stays. */
void label_view_drop(struct label_view *v);

/* The region of that id; VIEW_NONE when there is none. */
size_t label_view_find(const struct label_view *v, struct str id);

/* Canonical JSON in `arena`; "null" for what has none (it is too large or nested too deep). */
struct str view_canon(struct arena *arena, struct json_object *value);

#endif
