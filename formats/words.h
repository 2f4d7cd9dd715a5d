/* Words of a text, for formats that label word by word. A word is a run of letters and digits (and
 * the marks on them), or one other character that is no space; the same in every locale and
 * version, as it is by ranges of code points and not by a library's tables: ASCII letters and
 * digits, and all beyond U+00A0 but spaces, the punctuation and symbols of the blocks U+00A1..BF,
 * U+2000..2BFF, U+3000..303F, U+FE30..FE4F, U+FF00..FF65 (letters and digits apart), U+1F000.. */
#ifndef FORMATS_WORDS_H
#define FORMATS_WORDS_H

#include "base/str.h"

struct word {
    struct str text;    /* in UTF-8, part of the whole */
    int64_t start, end; /* in code points of the whole; end is behind the last */
    bool after_line;    /* a line ended between the word before and this one */
};

/* Where the next word is looked for; begins as {.rest = the whole}. */
struct word_reader {
    struct str rest;
    int64_t at; /* code points before rest */
    bool began;
};

/* The next word; false after the last. What is no UTF-8 is passed over as space. */
bool word_next(struct word_reader *r, struct word *w);

#endif
