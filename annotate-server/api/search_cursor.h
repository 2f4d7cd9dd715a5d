/* Where a search goes on: the last task that was looked at, and the value by which it was found
 * when the walk is not in the order of ids. As text: "<id>" or "<id>.<base64url of the value>". */
#ifndef API_SEARCH_CURSOR_H
#define API_SEARCH_CURSOR_H

#include "base/arena.h"
#include "base/buf.h"

struct search_cursor {
    int64_t id;
    struct str value; /* p NULL: none */
};

/* False when the text is no cursor, or has a value where the walk wants none, or the other way. */
bool search_cursor_parse(
    struct str text, bool with_value, struct arena *a, struct search_cursor *out);
/* Appends it as a JSON string. */
void search_cursor_put(struct buf *out, const struct search_cursor *c);

#endif
