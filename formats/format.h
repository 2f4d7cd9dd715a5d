/* Export formats: each one file and one row of a table, printing one task after another. An
 * exporter streams them into a sink in constant memory; the same tasks in the same order give the
 * same bytes, always. */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

/* Where the bytes go. Called with up to a few MiB at a time, in order. */
struct export_sink {
    enum err (*write)(void *arg, struct str bytes);
    void *arg;
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
    struct export_label label;
};

/* What a format may be unable to carry; counted for the loss report. */
enum export_loss { LOST_SPLIT, LOST_EXTERNAL_ID, LOST_LABEL_SHA256, LOST_MODEL, LOST_COUNT };

struct exporter;

struct format {
    const char *name;       /* of ?format= and --format */
    const char *media_type; /* of the HTTP answer */
    const char *extension;  /* ".jsonl" */
    void (*begin)(struct buf *out);
    void (*item)(struct exporter *x, const struct export_item *i, struct buf *out);
    void (*end)(struct buf *out);
};

extern const struct format format_jsonl, format_label_studio;

const struct format *format_find(struct str name); /* NULL: there is none */
/* The i-th row, NULL behind the last: for lists and help. */
const struct format *format_at(size_t i);

enum { EXPORT_SPLITS = 17, EXPORT_SPLIT_NAME = 65 };

struct exporter {
    const struct format *format;
    struct export_sink sink;
    struct buf out; /* not written yet */
    struct sha256_ctx *hash;
    struct sha256 sha256; /* of all bytes, once ended */
    int64_t items, labels, bytes;
    int64_t lost[LOST_COUNT];
    size_t nsplits;
    struct {
        char name[EXPORT_SPLIT_NAME];
        int64_t items;
    } splits[EXPORT_SPLITS];
    enum err err; /* of the first failure; nothing is written after it */
};

/* An exporter is begun, given items and ended; then the counts stand and it is released (at any
 * time). The functions return the first error of the sink, ERR_FULL for an item beyond all limits,
 * ERR_INVALID for more splits than a release may have. */
enum err exporter_begin(
    struct exporter *x, const struct format *format, struct export_sink sink) MUSTCHECK;
enum err exporter_item(struct exporter *x, const struct export_item *i) MUSTCHECK;
enum err exporter_end(struct exporter *x) MUSTCHECK;
void exporter_release(struct exporter *x);

/* EXPORT.json, the paper beside an export: what it holds, of what, and what the format could not
 * carry. Canonical JSON and a newline. `root`: the release's Merkle root in hex, empty outside of
 * a release. After exporter_end. */
struct export_report {
    int64_t release; /* 0: none */
    struct str name; /* of the release */
    struct str root;
};
void export_report_print(const struct export_report *r, const struct exporter *x, struct buf *out);

/* For formats. */
void export_lost(struct exporter *x, enum export_loss what);
/* JSON without white space between its tokens. */
void export_json(struct buf *out, struct str json);
/* The number, or null when it is negative. */
void export_seconds(struct buf *out, double seconds);
void export_id(struct buf *out, int64_t id); /* null for 0 */

#endif
