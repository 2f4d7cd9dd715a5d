/* Checking one JSON value against rules and saying where it fails: the tools that label_doc.c,
 * label_value.c and label_shape.c share. A check returns true when all is well; the first false
 * fills the problem and ends the work. */
#ifndef CORE_LABEL_CHECK_H
#define CORE_LABEL_CHECK_H

#include "core/json_tree.h"
#include "core/label_doc.h"

/* Percentages are sums of floating point: this much over the edge is still on it. */
#define LABEL_EPSILON 1e-6

struct label_check {
    const struct label_config *config;
    struct json_object *data; /* of the task; may be NULL */
    struct label_problem *problem;
    char path[192]; /* JSON pointer of the value being looked at */
    size_t path_n;

    /* the item at hand */
    size_t index;
    struct json_object *item;
    struct str type, id;
    const struct label_control *control;
    const struct label_object *object;

    struct arena *scratch;     /* for as long as the document is looked at */
    struct label_texts *texts; /* the lengths of the texts that objects show, in the scratch */
};

enum member_kind {
    MEMBER_NUMBER,
    MEMBER_INTEGER,
    MEMBER_STRING,
    MEMBER_BOOLEAN,
    MEMBER_OBJECT,
    MEMBER_ARRAY,
    MEMBER_MOMENT, /* number or string */
};

/* Where a member has a least value only. */
#define NO_MAX 9007199254740991.0

/* One member of an object. `must`: it may not be missing. null counts as missing. */
struct label_member {
    const char *name;
    enum member_kind kind;
    bool must;
    double min, max; /* numbers only; both 0: any */
};

/* The members that are in the table are as it says; others are not looked at. */
bool check_members(struct label_check *c, struct json_object *o, const struct label_member *members,
    size_t n) MUSTCHECK;

/* What the task's data holds for the object; NULL when it is not at hand. */
struct json_object *label_data_of(const struct label_check *c, const struct label_object *object);

/* Goes one step down; the return value is for check_up(). */
size_t check_down(struct label_check *c, const char *member);
size_t check_down_at(struct label_check *c, size_t index);
void check_up(struct label_check *c, size_t mark);

/* Always false. `member` is put behind the path (NULL: the value itself). */
bool check_fail(struct label_check *c, const char *member, const char *fmt, ...) PRINTF(3, 4);

bool is_number(struct json_object *v, double *out);
/* 3 and 3.0, which are one value in JSON, and in the canonical form one text. */
bool is_integer(struct json_object *v);

/* A shape: where a region lies. NULL when `value` says nothing of the place. */
struct label_shape;
extern const struct label_shape label_shape_rectangle, label_shape_ellipse, label_shape_polygon,
    label_shape_keypoint, label_shape_brush, label_shape_bitmask, label_shape_vector,
    label_shape_span, label_shape_hypertext, label_shape_paragraphs, label_shape_audio,
    label_shape_series, label_shape_video, label_shape_video_vector, label_shape_timeline,
    label_shape_ocr;
/* `object` NULL: not known, so that the members alone say it, as on a picture. */
const struct label_shape *label_shape_guess(
    const struct label_object *object, struct json_object *value);
bool label_shape_check(
    struct label_check *c, const struct label_shape *shape, struct json_object *value) MUSTCHECK;

/* What a result type means. */
struct label_type {
    const char *name;                /* "rectanglelabels" */
    const struct label_shape *shape; /* NULL: as the object and the members say */
    const char *key;                 /* the member that carries what was said; NULL: none */
    bool (*said)(struct label_check *c, struct json_object *said);
    enum {
        LABEL_REGION,  /* makes a region */
        LABEL_ABOUT,   /* is said about a region (perRegion) or the whole object */
        LABEL_ABOUT_1, /* the same, and of the whole object only once */
    } role;
};

const struct label_type *label_type_find(struct str name);
/* The value of the item at hand. */
bool label_value_check(struct label_check *c, const struct label_type *type) MUSTCHECK;

#endif
