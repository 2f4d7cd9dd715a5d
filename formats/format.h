/* Export formats: each one file and one row of a table, writing one task after another. An exporter
 * (formats/exporter.h) drives them, in constant memory; the same tasks in the same order give the
 * same bytes, always. What a format cannot carry it counts by name (export_lost): the loss report.
 */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "core/label_config.h"
#include "formats/spool.h"

/* A stored file that a task shows. */
struct export_asset {
    struct str field; /* the key of the task's data that names it */
    struct sha256 sha256;
    struct str media_type; /* "image/jpeg" */
    int64_t bytes;
    int64_t width, height; /* 0: not known */
    int64_t duration_ms;   /* 0: not known */
};

struct export_label {
    int64_t id; /* 0: the task has no label */
    int64_t seq;
    int64_t author;        /* 0: a model */
    struct str kind;       /* "submission" */
    struct str model;      /* empty: a person */
    double lead_time;      /* seconds; negative: not known */
    struct str created_at; /* RFC 3339 */
    struct str sha256;     /* hex, of the result */
    int64_t regions;
    struct str result; /* the stored canonical bytes, passed through as they are */
};

/* One task and its label. All borrowed, until the call returns. JSON texts are valid (they come
 * from json columns); white space in them is dropped, every digit kept. */
struct export_item {
    int64_t project, task;
    struct str external_id;            /* empty: none */
    struct str data, meta;             /* JSON; meta empty: none */
    struct str created_at, updated_at; /* RFC 3339 */
    struct str split;                  /* "train"; empty: none */
    int64_t predictions;               /* how many the task has */
    const struct export_asset *assets; /* in the order of the data's keys */
    size_t nassets;
    struct export_label label;
};

struct exporter;

struct format {
    const char *name;       /* of ?format= and --format */
    const char *about;      /* one line for people */
    const char *media_type; /* of the one file */
    const char *extension;  /* of the one file: ".jsonl" */
    bool tree;              /* several files: it needs a container */
    bool media;             /* it is made of media: it needs them */
    bool classes;           /* it numbers the labels: it needs the label config */
    /* Each returns ERR_OK or what the functions below said. begin and end may be NULL. */
    enum err (*begin)(struct exporter *x);
    enum err (*item)(struct exporter *x, const struct export_item *i);
    enum err (*end)(struct exporter *x);
};

extern const struct format format_jsonl, format_label_studio, format_coco, format_yolo,
    format_yolo_segment, format_yolo_obb, format_yolo_pose, format_voc, format_cvat,
    format_label_studio_min, format_csv, format_conll, format_asr, format_rttm,
    format_yolo_classify, format_image_folder, format_masks, format_webdataset, format_cvat_video;

const struct format *format_find(struct str name); /* NULL: there is none */
/* The i-th row, NULL behind the last: for lists and help. */
const struct format *format_at(size_t i);

/* ---- what formats write with */

/* A format's own state: `size` zeroed bytes that live as long as the export, the same ones each
 * time. */
void *export_state(struct exporter *x, size_t size);
struct arena *export_arena(
    struct exporter *x); /* of the whole export: never for what an item needs */
const struct label_config *export_config(const struct exporter *x);
int64_t export_count(const struct exporter *x); /* items before the one at hand */

/* The one file of a format that is no tree: append, it is written on as it grows. */
struct buf *export_text(struct exporter *x);
/* A small file, written now. The path: formats/container.h. */
enum err export_file(struct exporter *x, const char *path, struct str bytes) MUSTCHECK;
/* A file that grows until the end: append to the spool's tail, call spool_settle() after each
 * record, hand all of its pieces over with export_join() in end(). */
struct spool *export_spool(struct exporter *x);
enum { EXPORT_PIECES = 4 };
enum err export_join(
    struct exporter *x, const char *path, struct spool *const *pieces, size_t n) MUSTCHECK;
/* The bytes of an asset, as a file, when media are wanted; the driver's turn to read them comes
 * after the call. */
enum err export_media(
    struct exporter *x, const char *path, const struct export_asset *asset) MUSTCHECK;

/* A file of its own put together; the bundle is the exporter's from here on, also when this fails.
 * `packed`: compressed already. NULL: ERR_NO_MEMORY. */
struct bundle;
enum err export_bundle(
    struct exporter *x, const char *path, struct bundle *bundle, bool packed) MUSTCHECK;
/* Whether the asset is there to be read, for bundles; one that is not is listed as missing. */
enum err export_media_find(
    struct exporter *x, const char *path, const struct export_asset *asset, bool *found) MUSTCHECK;

/* Counts one loss of that name ("rotation", "regions.brushlabels"); names beyond EXPORT_LOSSES are
 * counted as "other". */
enum { EXPORT_LOSSES = 64, EXPORT_LOSS_NAME = 48 };
void export_lost(struct exporter *x, const char *what);
/* The same of "what.type". */
void export_lost_type(struct exporter *x, const char *what, struct str type);
/* Why begin() refuses, for a person. Returns ERR_INVALID. */
enum err export_refuse(struct exporter *x, const char *fmt, ...) PRINTF(2, 3) MUSTCHECK;

/* ---- small things most formats print */

/* The task with its label, nothing left out: a line of jsonl, without its end. */
void export_item_json(const struct export_item *i, struct buf *out);
/* The number, or null when it is negative. */
void export_seconds(struct buf *out, double seconds);
void export_id(struct buf *out, int64_t id); /* null for 0 */
/* With at most `digits` decimals, none of them a closing zero; no -0. */
void export_decimal(struct buf *out, double v, int digits);
/* The strings at a key of the task's data, decoded, in the arena: one, or those of a list. */
size_t export_data(
    const struct export_item *i, struct str key, struct arena *a, struct str **strings);
/* Splits as directories: "train"; "all" for none. In the arena when it must be cleaned. */
const char *export_split(const struct export_item *i, struct arena *a);

#endif
