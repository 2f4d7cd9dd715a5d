/* A record of the outgoing stream: what a Kafka message holds, as a value of its own, so that the
 * relay, the file log and `annotate consume` speak of the same thing. All text is borrowed. */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/err.h"

enum topic { TOPIC_EVENTS, TOPIC_LABELS, TOPIC_RELEASES, TOPIC_COUNT };

const char *topic_name(enum topic t); /* "events": a topic is PREFIX.events */
bool topic_parse(struct str name, enum topic *out);

struct header {
    struct str name, value;
};

enum { RECORD_HEADERS = 20 };

struct record {
    enum topic topic;
    bool tombstone; /* no value at all: the key is withdrawn */
    size_t nheaders;
    struct str key, value; /* value: JSON on one line */
    struct header headers[RECORD_HEADERS];
};

/* Makes it empty; the headers are added one by one, at most RECORD_HEADERS. */
void record_init(struct record *r, enum topic topic, struct str key);
void record_header(struct record *r, const char *name, struct str value);
/* "" when there is none of that name. */
struct str record_get(const struct record *r, const char *name);

/* Appends {"topic":"events","key":"12","headers":{…},"value":…}, without a newline. The value's
 * bytes are kept as they are. ERR_INVALID when the value holds a newline. */
enum err record_print(const struct record *r, struct buf *out) MUSTCHECK;

/* Reads such a line. *tree holds what the record borrows besides the line itself: put it
 * (json_object_put) when done with the record. ERR_INVALID for any other text. */
enum err record_parse(struct str line, struct record *r, struct json_object **tree) MUSTCHECK;

#endif
