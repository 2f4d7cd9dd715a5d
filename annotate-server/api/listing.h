/* A keyset-paged list as an answer: a statement whose columns are members of the list's objects. */
#ifndef API_LISTING_H
#define API_LISTING_H

#include "annotate-server/api/query.h"

struct column { /* member name and how it is written */
    const char *name;
    void (*put)(struct buf *out, const PGresult *res, int row, int col);
};

/* {"<title>":[{…},…],"next":…}; the first column is the key of the page. Bind the statement's
 * parameters, then query_run. `columns` is static; `limit` is that of the page; 0: the list is
 * short and whole, and has no "next". */
struct query *listing_new(struct req *r, enum statement s, const char *title,
    const struct column *columns, size_t ncolumns, int64_t limit);
/* One row as an object, from the column `col` of the result on. */
void listing_put(struct buf *out, const struct column *columns, size_t ncolumns,
    const PGresult *res, int row, int col);

#endif
