/* A row of release_page as what a format is given. */
#ifndef FORMATS_EXPORT_ROW_H
#define FORMATS_EXPORT_ROW_H

#include "formats/format.h"
#include "io/db.h"

/* content_locate()'s four columns begin here. */
enum { EXPORT_ROW_SHA = 12 };

/* `result`: the label's document. Borrows from the row and from `result`; the rest is in the arena.
 * ERR_CORRUPT when the row cannot be read. */
enum err export_row_read(const PGresult *res, int row, struct str result, struct arena *a,
    struct export_item *out) MUSTCHECK;

#endif
