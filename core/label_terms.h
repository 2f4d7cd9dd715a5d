/* The terms of a label document: the labels and choices that its items carry, each once. They are
 * what a task is found by. Free text, numbers and geometry are none. */
#ifndef CORE_LABEL_TERMS_H
#define CORE_LABEL_TERMS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    LABEL_TERMS_MAX = 1000,  /* of one document; what comes behind them is not found */
    LABEL_TERM_BYTES = 1000, /* longer ones are left out */
};

struct label_terms {
    struct str *v; /* in the arena, sorted by bytes */
    size_t n;
};

/* `document`: a label document's text. ERR_BAD_JSON when it is none, ERR_NO_MEMORY. */
enum err label_terms_read(struct str document, struct arena *a, struct label_terms *out) MUSTCHECK;

#endif
