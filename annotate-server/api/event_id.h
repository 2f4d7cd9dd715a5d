/* The id of an event on the wire, by which a client that lost its stream goes on: how much of the
 * history it has. Snapshots are PostgreSQL's, as text ("xmin:xmax:xip,xip"): `prev` alone is all
 * that prev sees; `prev/cur/seq` is besides what cur sees beyond prev, up to seq. It comes back
 * from clients, so it is read as untrusted input. Pure. */
#ifndef API_EVENT_ID_H
#define API_EVENT_ID_H

#include "base/buf.h"

enum { EVENT_ID_MAX = 8 << 10 };

struct event_id {
    struct str prev, cur; /* cur {NULL,0}: prev alone */
    int64_t seq;          /* 0 without cur */
};

/* *out borrows from text. ERR_INVALID: no id of ours; what PostgreSQL would not take is none. */
enum err event_id_parse(struct str text, struct event_id *out) MUSTCHECK;
/* Adds the line "id: ...", or nothing when the id would be longer than EVENT_ID_MAX: then the
 * client keeps the id it has, and gets events a second time rather than not at all. */
void event_id_line(struct buf *out, const struct event_id *id);
bool event_id_same(const struct event_id *a, const struct event_id *b);

#endif
