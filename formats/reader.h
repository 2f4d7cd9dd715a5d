/* Readers: the other way round than formats/format.h. Each is one file and one row of a table, and
 * takes a data set apart into pictures with what is drawn on them, or into tasks. A reader is
 * opened, then asked for one item after another; its memory is that of an item, and what it says of
 * its index. What it reads is hostile: every number, name and size is checked. Blocking. */
#ifndef FORMATS_READER_H
#define FORMATS_READER_H

#include "base/arena.h"
#include "core/label_config.h"
#include "core/shape.h"
#include "formats/file_set.h"

enum {
    READER_WHY = 400,
    READER_WHERE = 160,
    READER_NOTES = 64,
    READER_NOTE = 48,
    READER_MARKS = 10000,
    READER_MASKS = 256 << 20, /* bytes of all masks of a picture, a bit a pixel each */
};

/* What the data set says about a region beside its label; `text` as it is written there. */
struct mark_said {
    struct str name, text;
};

/* Something drawn on a picture, in pixels of the picture. */
struct mark {
    struct shape shape; /* kind, geometry, labels[0] */
    size_t owner;       /* of a point: 1 + the place of the mark it belongs to; 0: none */
    struct mask mask;   /* SHAPE_MASK */
    bool has_bound;     /* of a polygon: the box that the data set says is around it */
    struct point low, high;
    const struct mark_said *said;
    size_t nsaid;
    const char *where; /* "annotation 7": behind the file's name in a sentence */
};

struct reader_item {
    struct str name; /* what its external id is: the picture's path in the source */
    size_t file;     /* the picture in the source; SIZE_MAX: it lies at `url` */
    struct str url;
    struct str split; /* empty: none */
    double width, height;
    bool labelled; /* the data set says what is on it, if only that it is nothing */
    struct mark *marks;
    size_t nmarks;
    size_t mask_bytes;      /* of all marks */
    const struct str *tags; /* labels of the whole picture */
    size_t ntags;
    struct str task;  /* Label Studio: the task as it is, instead of all that */
    struct str about; /* file that says it, for sentences */
};

struct reader_note {
    char name[READER_NOTE];
    int64_t times;
};

struct reader {
    struct file_set *source;
    const struct label_config *config;
    struct str split; /* only this one; empty: all */
    const struct format_reader *format;
    struct arena *arena;                      /* of the whole import */
    void *state;                              /* the format's */
    char where[FILE_SET_NAME + READER_WHERE]; /* of the last error: file, line or number */
    char why[READER_WHY];                     /* a sentence without its end */
    bool over;                                /* after this error no item can be read any more */
    struct reader_note notes[READER_NOTES];   /* what could not be taken as it was, how often */
    size_t nnotes;
};

struct format_reader {
    const char *name; /* of --format */
    const char *about;
    /* Looks the whole data set over; ERR_INVALID with where and why. */
    enum err (*open)(struct reader *r);
    /* The next item, everything in `a`. *got false: there is none left. ERR_INVALID: this one is
     * bad; ask for the next unless r->over. */
    enum err (*next)(struct reader *r, struct arena *a, struct reader_item *out, bool *got);
    void (*close)(struct reader *r); /* may be NULL; the arena goes by itself */
};

extern const struct format_reader reader_coco, reader_yolo, reader_yolo_segment, reader_yolo_obb,
    reader_yolo_pose, reader_voc, reader_cvat, reader_label_studio;

const struct format_reader *reader_find(struct str name); /* NULL: there is none */
const struct format_reader *reader_at(size_t i);          /* NULL behind the last */

/* source and config are borrowed. reader_close() in any case. */
enum err reader_open(struct reader *r, const struct format_reader *format, struct file_set *source,
    const struct label_config *config, struct str split) MUSTCHECK;
enum err reader_next(
    struct reader *r, struct arena *a, struct reader_item *out, bool *got) MUSTCHECK;
void reader_close(struct reader *r);

/* ---- what the formats read with */

/* Fills where and why, returns ERR_INVALID. */
enum err reader_bad(struct reader *r, struct str file, const char *where, const char *fmt, ...)
    PRINTF(4, 5) MUSTCHECK;
/* The same for an error of reading a file. */
enum err reader_failed(struct reader *r, struct str file, enum err e) MUSTCHECK;
/* Counts what was not taken as it was. */
void reader_note(struct reader *r, const char *name);

/* The picture a data set calls `name`: the file at dir/split/name, dir/name or split/name next to
 * `beside`, or else the only one whose path ends so. SIZE_MAX when there is none. */
size_t reader_picture(const struct reader *r, struct str beside, struct str dir, struct str split,
    struct str name, bool *several);
/* Does a name end as that of a picture does? *stem is what comes before. */
bool reader_is_picture(struct str name, struct str *stem);
const char *reader_suffix(size_t i); /* ".jpg"; NULL behind the last */
/* Sides from the first bytes of the file, 0 when they say nothing. */
void reader_sides(struct reader *r, size_t file, double *width, double *height);
/* "train" of ".../train/...", the segment behind `dir`; empty when there is none. */
struct str reader_split(struct str path, struct str dir);
bool reader_wants(const struct reader *r, struct str split);
/* A finite decimal number and nothing else. */
bool reader_number(struct str text, double *out);
/* One more mark, zeroed; NULL beyond READER_MARKS. */
struct mark *reader_mark(
    struct reader_item *item, struct arena *a, enum shape_kind kind, struct str label);
/* The mark's mask, clear, of the picture's size. ERR_TOO_LARGE beyond mask_new()'s limits, or
 * beyond READER_MASKS with those of the other marks. */
enum err reader_mask(struct reader_item *item, struct arena *a, struct mark *m) MUSTCHECK;
/* A box turned so that these are its corners; how many pixels the farthest lies beside it. */
double reader_quad(const struct point corners[4], struct shape *s);

#endif
