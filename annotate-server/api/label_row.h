/* A row of label_version as the API shows it, and where its content lies. */
#ifndef API_LABEL_ROW_H
#define API_LABEL_ROW_H

#include "annotate-server/api/content.h"

/* The columns that label_list, label_get, label_pair and label_ancestry begin with; then, where the
 * content is read, pack and pack_off. */
enum label_column {
    LABEL_ID,
    LABEL_TASK,
    LABEL_SEQ,
    LABEL_STAGE,
    LABEL_KIND,
    LABEL_AUTHOR,
    LABEL_MODEL,
    LABEL_SCORE,
    LABEL_PARENT,
    LABEL_SHA256,
    LABEL_BYTES,
    LABEL_REGIONS,
    LABEL_LEAD_TIME,
    LABEL_CREATED_AT,
    LABEL_MERGED_FROM,
    LABEL_ERASED,
    LABEL_PACK,
    LABEL_PACK_OFF,
    LABEL_COLUMNS,
};

/* The members of the label's object, all but `result`, without braces. */
void label_row_put(struct buf *out, const PGresult *res, int row);
/* False when the row is damaged. */
bool label_row_locate(struct content *c, const PGresult *res, int row);

#endif
