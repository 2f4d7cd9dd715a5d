/* The recordings that a task plays, and what is marked on each: what the formats for speech (ASR
 * manifest, RTTM) begin from. */
#ifndef FORMATS_RECORDING_H
#define FORMATS_RECORDING_H

#include "core/shape.h"
#include "formats/media.h"

/* A stretch of a recording. */
struct segment {
    const struct shape *shape;
    double start, end; /* seconds, 0 <= start < end */
    int64_t channel;   /* from 0; negative: it does not say */
    struct str label;  /* its first; empty: none */
};

struct recording {
    const struct media *media;
    double seconds;           /* 0: nobody knows how long it is */
    struct segment *segments; /* by start, then end, then place in the document */
    size_t n;
};

struct recordings {
    struct recording *v;
    size_t n;
    struct drawing drawing; /* an answer that the format carries it marks as told */
};

/* ERR_INVALID with the reason when the config plays nothing; for begin(). */
enum err recordings_wanted(struct exporter *x) MUSTCHECK;
/* Everything in the arena. What lies on no recording, has no length or a second label is counted as
 * lost. */
enum err recordings_read(struct exporter *x, const struct export_item *i, struct arena *a,
    struct recordings *out) MUSTCHECK;
/* Counts the answers that were not told ("answers.TYPE"), and relations. */
void recordings_rest_lost(struct exporter *x, const struct recordings *r);

#endif
