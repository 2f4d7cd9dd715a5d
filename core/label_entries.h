/* The items of a label document as far as their neighbours matter: what label_doc.c lists and
 * label_complete.c asks of a document as a whole. */
#ifndef CORE_LABEL_ENTRIES_H
#define CORE_LABEL_ENTRIES_H

#include "core/label_check.h"

struct label_entry {
    struct str id, from, to;
    size_t at;          /* in the document */
    int64_t item_index; /* of a multi-image object; else 0 */
    const struct label_control *control;
    const struct label_object *object;
    const struct label_type *type;
};

struct label_entries {
    struct json_object *items;
    struct label_entry *v; /* all but relations; sorted by id, then from, then at */
    size_t n, regions;
};

/* Points a problem at an item that has been checked before. */
void label_look_at(
    struct label_check *c, const struct label_entries *d, const struct label_entry *e);

/* What a finished document must hold: an answer to each question that is required where it is
 * shown, and no label more often than its maxUsages. False after filling the problem. */
bool label_complete(struct label_check *c, const struct label_entries *d) MUSTCHECK;

#endif
