/* From what happened to the records that say so: CloudEvents 1.0 in Kafka's binary mode.
 *
 *   PREFIX.events    every event; key: the task (or release/N, project/N)
 *   PREFIX.labels    compacted; key: the task; the label of a task that became done, a tombstone
 *                    when it is so no longer
 *   PREFIX.releases  key: the release; begin, every item's line (core/release_item.h), end
 *
 * Everything is a function of the event and what it names, so the same event always has the same
 * ce_id ("<system>-<seq>", with what makes it unique behind it), and a consumer may tell a repeat.
 * Pure: reads nothing. */
#ifndef WORKERS_STREAM_ENVELOPE_H
#define WORKERS_STREAM_ENVELOPE_H

#include "core/record.h"
#include "workers/stream/source.h"

/* A label document up to this size travels in its record; a larger one is named there (CloudEvents
 * dataref) and fetched from the API. */
enum { LABEL_INLINE_MAX = 256 << 10 };

/* The text that records borrow: one record at a time. */
struct envelope {
    const char *system; /* the database's identifier; borrowed */
    struct buf value;
    char key[32], id[128], source[64], type[96], subject[48], sequence[24], dataref[48], size[24],
        sha256[SHA256_HEX + 1];
};

void envelope_init(struct envelope *e, const char *system);
void envelope_release(struct envelope *e);

/* What an event means beside itself. */
enum effect {
    EFFECT_NONE,
    EFFECT_LABEL,    /* its task became done */
    EFFECT_WITHDRAW, /* its task is done no longer */
    EFFECT_RELEASE,  /* a release became ready */
};
enum effect envelope_effect(const struct source_row *row);

/* Each fills *out, good until the next call. ERR_FULL: the value is too large for a record. */
enum err envelope_event(
    struct envelope *e, const struct source_row *row, struct record *out) MUSTCHECK;
/* doc: the label document, or "" when it is over LABEL_INLINE_MAX or there is none. */
enum err envelope_label(struct envelope *e, const struct source_row *row,
    const struct source_label *label, struct str doc, struct record *out) MUSTCHECK;
void envelope_tombstone(struct envelope *e, const struct source_row *row, struct record *out);
enum err envelope_release_begin(struct envelope *e, const struct source_row *row,
    const struct source_release *release, struct record *out) MUSTCHECK;
enum err envelope_release_item(struct envelope *e, const struct source_row *row, int64_t number,
    const struct release_item *item, struct record *out) MUSTCHECK;
enum err envelope_release_end(struct envelope *e, const struct source_row *row,
    const struct source_release *release, struct record *out) MUSTCHECK;

#endif
