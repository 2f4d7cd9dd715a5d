/* A JSON file of a source, cut into values as it is read: memory is that of its largest value, not
 * of the file. Every value has passed the strict scan. */
#ifndef FORMATS_JSON_FILE_H
#define FORMATS_JSON_FILE_H

#include "formats/reader.h"

enum {
    JSON_FILE_VALUE = 32 << 20, /* bytes of one value */
    JSON_FILE_DEPTH = 30,       /* inside one another, within what json-c takes */
};

struct json_file {
    struct reader *r;
    size_t file;
    struct buf in;
    size_t at;    /* of what has been taken from `in` */
    int64_t base; /* where in the file `in` begins */
    bool ended;
};

void json_file_open(struct json_file *f, struct reader *r, size_t file);
void json_file_close(struct json_file *f);
/* The next byte that is no white space, not taken; 0 at the end. ERR_INVALID, told to the reader.
 */
enum err json_file_peek(struct json_file *f, char *c) MUSTCHECK;
/* The same byte must be one of these, and is taken. */
enum err json_file_take(struct json_file *f, const char *any, char *c) MUSTCHECK;
/* The next value, borrowed until the next call; *off is where in the file it begins. */
enum err json_file_value(struct json_file *f, struct str *text, int64_t *off) MUSTCHECK;
/* There is nothing behind it. */
enum err json_file_end(struct json_file *f) MUSTCHECK;

/* A key or a string as it stands in scanned text, quotes left out, decoded; in the arena. */
struct str json_file_string(struct arena *a, struct str text);

#endif
