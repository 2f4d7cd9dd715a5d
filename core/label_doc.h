/* A label document: the array of Label Studio result items that one person or model made of one
 * task. Here it is checked against the label config, item by item, and brought into its canonical
 * bytes, whose SHA-256 is its identity. What is unknown in an item is kept. */
#ifndef CORE_LABEL_DOC_H
#define CORE_LABEL_DOC_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/label_config.h"

enum {
    LABEL_DOC_ITEMS = 10000, /* items of a document */
    LABEL_DOC_LIST = 200,    /* labels, choices or texts of an item */
};

enum label_doc_flags {
    LABEL_DOC_PARTIAL = 1,  /* not finished (draft, pre-label): required controls may be missing */
    LABEL_DOC_GIVE_IDS = 2, /* items without id get one, the same for the same document (import, ML
                               backends); otherwise they are refused */
};

struct label_problem {
    char pointer[256]; /* JSON pointer, "/result/3/value/x" */
    char why[256];     /* names the item and the field */
};

struct label_doc_info {
    size_t items;
    size_t regions; /* distinct ids */
};

/* Checks `result` and appends its canonical bytes to out. `data` is the task's data, or NULL where
 * it is not at hand: then what depends on it (the length of a text) is not checked. With
 * LABEL_DOC_GIVE_IDS `result` itself gets the ids. ERR_LABEL_INVALID fills `problem`;
 * ERR_TOO_LARGE when the canonical bytes are over BUF_MAX_LABEL; or buf_err(out). */
enum err label_doc_canon(const struct label_config *config, struct json_object *result,
    struct json_object *data, unsigned flags, struct buf *out, struct label_doc_info *info,
    struct label_problem *problem) MUSTCHECK;

#endif
