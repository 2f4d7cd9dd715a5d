/* One item of a release: its line in the manifest and in the stream, canonical JSON with the keys
 * sorted. The line is what the release's root hash covers (core/merkle.h: merkle_leaf(line) in a
 * release_tree), so whoever builds a release and whoever checks one print it by this one function.
 */
#ifndef CORE_RELEASE_ITEM_H
#define CORE_RELEASE_ITEM_H

#include "base/buf.h"
#include "base/hash.h"

struct release_item {
    struct str key;      /* "k": of the task, by the schema's release_key(): no two share one */
    int64_t label_id;    /* "lv" */
    struct sha256 label; /* "l": of the label document */
    const struct sha256 *assets; /* "a": in the task's order; borrowed */
    size_t nassets;
    struct str split; /* "s" */
};

/* Appends {"a":["<sha256>",…],"k":"…","l":"<sha256>","lv":12,"s":"train"}, without a newline. key
 * and split must be valid UTF-8. */
void release_item_line(const struct release_item *i, struct buf *out);

#endif
