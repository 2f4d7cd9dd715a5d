/* Where everything lies in a COCO file: 24 bytes for each image and each annotation, so that a file
 * of any size and order can be read image by image. */
#ifndef FORMATS_COCO_INDEX_H
#define FORMATS_COCO_INDEX_H

#include <json-c/json.h>

#include "formats/reader.h"

/* Where one JSON value of the file lies. */
struct record {
    int64_t id; /* the image's */
    int64_t off;
    uint32_t bytes;
};

struct records {
    struct record *v;
    size_t n, cap;
};

struct category {
    int64_t id;
    struct str name;
    struct str *points; /* names of key points */
    size_t npoints;
};

struct coco {
    size_t *files; /* JSON files with annotations */
    size_t nfiles, file;
    struct str split; /* of the file at hand */
    struct records images, annotations;
    struct category *categories;
    size_t ncategories, categories_cap;
    struct arena *arena;      /* of the file at hand */
    size_t image, annotation; /* the next ones */
    struct buf text;
};

/* Reads the file c->files[c->file] from end to end. ERR_INVALID, told to the reader. */
enum err coco_index(struct reader *r) MUSTCHECK;
void coco_forget(struct coco *c);

struct str coco_file(const struct reader *r); /* its name */
/* The split is the end of the file's name: instances_train.json, person_keypoints_val2017.json. */
struct str coco_split(struct str name);
const struct category *coco_category(const struct coco *c, int64_t id); /* NULL: there is none */

/* A member; NULL when it is missing, null, or `o` no object. */
struct json_object *coco_get(struct json_object *o, const char *name);
struct str coco_text(struct json_object *o, const char *name); /* empty: it is no string */

#endif
