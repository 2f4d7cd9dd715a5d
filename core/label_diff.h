/* What changed between two versions of a label document, by region id. */
#ifndef CORE_LABEL_DIFF_H
#define CORE_LABEL_DIFF_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends one canonical JSON object; every list is there, empty or not:
 *   added, removed   regions: {"id","labels":[...],"type"}
 *   moved            {"id","likeness":0..1,"shift":[a,b]}: likeness is the IoU of areas, the F1 of
 * the characters of spans and of the seconds of segments, 0 for others; shift is the way of the
 * centre of areas in pixels along x and y, of spans and segments that of start and end; absent for
 * others and when the kind of place changed relabelled       {"after":[...],"before":[...],"id"}
 *   changed          answers and other fields of what both have, and answers that came or went:
 *                    {"after","before","control","field","id"}; null: not there
 *   linked, unlinked relations: {"from_id","to_id"}; one that says something else is in both
 * The order of items, and how they came about (origin, score, lead_time), is no change. ERR_INVALID
 * when a document is no array of objects; else buf_err(out). */
enum err label_diff(struct str before, struct str after, struct buf *out) MUSTCHECK;

#endif
