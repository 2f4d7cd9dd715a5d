/* Who last changed each region of a label: a walk from one version back through those it was made
 * from. A version is to blame for what none of its parents holds as it does. Pure: the caller
 * brings the documents, one at a time. */
#ifndef CORE_LABEL_BLAME_H
#define CORE_LABEL_BLAME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct label_blame;

/* One version of a task's label; the parents of it are given by their places in the list. */
struct blame_version {
    const size_t *parents; /* places of earlier versions, in any order */
    size_t nparents;
};

enum { BLAME_VERSIONS = 1024 };

/* `versions` are in the order they were made, at most BLAME_VERSIONS; the last one is the label
 * whose document `head` is. They are borrowed. ERR_INVALID when `head` is no array of objects. */
enum err label_blame_new(const struct blame_version *versions, size_t n, struct str head,
    struct label_blame **out) MUSTCHECK;
void label_blame_free(struct label_blame *b); /* NULL is fine */

/* The place of the version whose document is wanted next: false when all is known. They come from
 * the newest to the oldest, each at most once, and only those that may be to blame. */
bool label_blame_next(struct label_blame *b, size_t *version);
/* The document of the version that label_blame_next() named. ERR_INVALID when it is no array of
 * objects. A version that is not read, or cannot be, counts as if it held nothing. */
enum err label_blame_read(struct label_blame *b, struct str document) MUSTCHECK;

/* What is blamed: all items of one id that make a region or are about it; an answer about the whole
 * object; a relation. */
struct blamed {
    enum { BLAME_REGION, BLAME_ANSWER, BLAME_RELATION } what;
    struct str id;      /* of a relation: from_id */
    struct str to_id;   /* of a relation; else empty */
    struct str control; /* of an answer: from_name; of a region, the control that made it */
    struct str type;
    size_t version; /* the place of the version that last changed it */
};

/* All things of the head, in the order of its document; the list in `mem`, its strings the
 * blame's. */
size_t label_blame_list(const struct label_blame *b, struct arena *mem, const struct blamed **out);

#endif
