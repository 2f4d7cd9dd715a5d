/* Walking JSON text that the strict scan has passed, without building it: an object's members, a
 * text without its blanks. On text that has not been scanned the answers mean nothing, but nothing
 * is read beyond its end. */
#ifndef BASE_JSON_WALK_H
#define BASE_JSON_WALK_H

#include "base/buf.h"
#include "base/str.h"

/* One member; both parts borrowed from the text. */
struct json_member {
    struct str key;   /* between its quotes, escapes and all */
    struct str value; /* without blanks around it */
};

/* Takes the next member off *rest, which starts as the text of an object, blanks before it
 * allowed. False after the last. */
bool json_walk(struct str *rest, struct json_member *m);

/* Appends the text without the blanks between its tokens. */
void json_compact(struct str text, struct buf *out);

#endif
