/* The strict JSON scanner that runs over every untrusted text before json-c does. One pass; memory
 * is bounded by JSON_MAX_KEYS. It refuses what json-c lets through or repairs in silence: invalid
 * UTF-8, raw control characters, \u0000, lone surrogates, equal keys in one object, NaN and
 * Infinity, integers outside +-(2^53-1) (1e20 is one; from 1e21 on a number is a double in
 * canonical form too), numbers beyond a double, bytes after the value. It builds nothing. */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum {
    JSON_DEPTH_REQUEST = 32, /* arrays and objects inside one another */
    JSON_DEPTH_IMPORT = 64,
    JSON_DEPTH_MAX = 64,
    JSON_MAX_KEYS = 65536, /* keys of all open objects together */
    JSON_MAX_NUMBER = 128, /* characters of one number */
    JSON_POINTER_SIZE = 256,
};

#define JSON_INT_MAX 9007199254740991 /* 2^53-1: what every reader of JSON holds exactly */

struct json_error {
    size_t at;                       /* byte offset in the text */
    const char *why;                 /* a fixed text */
    char pointer[JSON_POINTER_SIZE]; /* RFC 6901, of the value it lies in; "" = the whole text; cut
                                        at a whole segment when it is too long */
};

/* One value with nothing but white space around it. ERR_BAD_JSON fills `error` (NULL: not wanted);
 * ERR_NO_MEMORY. 0 < max_depth <= JSON_DEPTH_MAX. */
enum err json_scan(struct str text, int max_depth, struct json_error *error) MUSTCHECK;

enum json_cut {
    JSON_COMPLETE, /* a good value; *length bytes, white space before it included */
    JSON_MORE,     /* good as far as it goes */
    JSON_BAD,      /* no continuation makes it good; `error` says why */
};

/* The first value of `text`, to cut a stream (NDJSON, the inside of an array) into items. `last`
 * says that no bytes follow, so that a number at the very end is complete; what is unfinished is
 * JSON_BAD then, but a text of white space only is JSON_MORE, with its *length (0 for all else that
 * is not complete). The scan starts at text.p each time: call again when the buffer has doubled,
 * not for each few bytes. */
enum json_cut json_scan_value(
    struct str text, bool last, int max_depth, size_t *length, struct json_error *error) MUSTCHECK;

/* Appends "/key" to the JSON pointer in out (NUL-terminated, `size` bytes), with '~' and '/'
 * escaped. False, and nothing appended, when it does not fit: a pointer is cut between segments
 * only. */
bool json_pointer_add(char *out, size_t size, struct str key);

#endif
