/* Canonical JSON (RFC 8785, JCS): one byte string for one value, so that equal labels have equal
 * SHA-256. Object members are sorted by UTF-16 code units, numbers printed as ECMAScript prints
 * them, strings escaped as little as JSON allows. */
#ifndef CORE_CANON_H
#define CORE_CANON_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/json_scan.h"

/* Appends `value` (NULL = null). ERR_INVALID for what JSON cannot say (NaN, infinity) and nesting
 * deeper than CANON_MAX_DEPTH; else buf_err(out), also when it was set before. */
enum { CANON_MAX_DEPTH = 128 };
enum err canon_value(struct json_object *value, struct buf *out) MUSTCHECK;

/* Scans, parses and appends in canonical form; ERR_BAD_JSON fills `error` (NULL: not wanted). */
enum err canon_text(
    struct str text, int max_depth, struct buf *out, struct json_error *error) MUSTCHECK;

/* Appends a finite number: the shortest digits that read back as `v`, laid out as ECMAScript does;
 * -0 is 0. */
void canon_number(double v, struct buf *out);

/* <0, 0, >0: the order of member names, by UTF-16 code units. Both valid UTF-8. */
int canon_key_cmp(struct str a, struct str b);

#endif
