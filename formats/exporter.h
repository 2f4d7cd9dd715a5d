/* The exporter: drives a format over the items of an export and puts its files into a container.
 * Its memory does not grow with the export (I9): files that must wait lie in spools, media pass
 * through in pieces. It blocks on disk and blobs: use it off the loop.
 *
 * begin; then for each item: item, pump until idle; then end, pump until idle; then the counts
 * stand. The functions return the first error, and go on returning it. */
#ifndef FORMATS_EXPORTER_H
#define FORMATS_EXPORTER_H

#include "formats/container.h"
#include "formats/format.h"

/* Where the bytes go. Called with up to a few MiB at a time, in order. */
struct export_sink {
    enum err (*write)(void *arg, struct str bytes);
    void *arg;
};

/* Where media come from: appends up to n bytes of the asset, from off on. ERR_NOT_FOUND: it is
 * listed as missing, and the export goes on. */
struct export_media_source {
    enum err (*read)(
        void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out);
    void *arg;
};

struct export_options {
    const struct format *format;
    enum container_kind container;     /* CONTAINER_FILE: the bare file */
    const struct label_config *config; /* NULL: not at hand */
    struct export_media_source media;  /* read NULL: annotations only */
    bool labelled_only;                /* leave out tasks whose label draws and answers nothing */
    struct str name;                   /* of the release; borrowed for the exporter's life */
    struct str root;                   /* its Merkle root in hex; empty outside of a release */
    int64_t release;                   /* 0: none */
};

enum { EXPORT_SPLITS = 17, EXPORT_SPLIT_NAME = 65, EXPORT_WHY = 200 };

struct export_lost_row {
    char name[EXPORT_LOSS_NAME];
    int64_t times;
};

struct export_waiting;

struct exporter {
    struct export_options options;
    struct export_sink sink;
    struct arena *arena;
    struct container *container;
    struct buf out;                       /* not handed to the sink yet */
    struct spool text;                    /* of a bare format inside an archive */
    struct spool missing;                 /* media that were not there, a JSON line each */
    struct sha256_ctx *hash;              /* of all bytes handed on */
    struct sha256 sha256;                 /* of all bytes; stands after the end */
    struct export_waiting *first, **last; /* files to be written by pump */
    void *state;                          /* the format's */
    int64_t items, erased, labels, files, media, absent, bytes;
    size_t nlost, nsplits;
    struct export_lost_row lost[EXPORT_LOSSES];
    struct {
        char name[EXPORT_SPLIT_NAME];
        int64_t items;
    } splits[EXPORT_SPLITS];
    enum { EXPORT_OPEN, EXPORT_ENDING, EXPORT_REPORTED, EXPORT_ENDED } phase;
    enum err err;         /* of the first failure; nothing is written after it */
    char why[EXPORT_WHY]; /* of a refusal by exporter_begin */
};

/* What an export needs at least, and gets when nobody says: a zip when it is several files, else
 * the bare file. */
enum container_kind export_container(const struct format *f, bool media);

/* ERR_INVALID with `why` when the options do not go together. Released in any case. */
enum err exporter_begin(
    struct exporter *x, const struct export_options *o, struct export_sink sink) MUSTCHECK;
/* ERR_INVALID for more splits than a release may have, ERR_FULL for an item beyond all limits. */
enum err exporter_item(struct exporter *x, const struct export_item *i) MUSTCHECK;
/* An item whose label was erased: it is left out, and counted. */
void exporter_erased(struct exporter *x);
enum err exporter_end(struct exporter *x) MUSTCHECK;
/* Writes about EXPORT_PUMP bytes of what waits. *idle: nothing waits any more. */
enum { EXPORT_PUMP = 1 << 20 };
enum err exporter_pump(struct exporter *x, bool *idle) MUSTCHECK;
void exporter_release(struct exporter *x);

/* EXPORT.json: what the export holds, of what, and what the format could not carry. Canonical JSON
 * and a newline. An archive has it as its last file; beside a bare file it is printed after the
 * end, with the file's SHA-256. */
void export_report_print(const struct exporter *x, struct buf *out);

#endif
