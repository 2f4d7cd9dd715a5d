/* Owns how a label version is shown. Never reads content. */
#include "annotate-server/api/label_row.h"

#include "annotate-server/api/query.h"

static const struct {
    const char *name;
    void (*put)(struct buf *out, const PGresult *res, int row, int col);
} columns[LABEL_PACK] = {
    [LABEL_ID] = {"id", put_int},
    [LABEL_TASK] = {"task", put_int},
    [LABEL_SEQ] = {"seq", put_int},
    [LABEL_STAGE] = {"stage", put_str},
    [LABEL_KIND] = {"kind", put_str},
    [LABEL_AUTHOR] = {"author", put_int},
    [LABEL_MODEL] = {"model", put_str},
    [LABEL_SCORE] = {"score", put_int},
    [LABEL_PARENT] = {"parent", put_int},
    [LABEL_SHA256] = {"sha256", put_hex},
    [LABEL_BYTES] = {"bytes", put_int},
    [LABEL_REGIONS] = {"regions", put_int},
    [LABEL_LEAD_TIME] = {"lead_time", put_int},
    [LABEL_CREATED_AT] = {"created_at", put_raw},
    [LABEL_MERGED_FROM] = {"merged_from", put_raw},
    [LABEL_ERASED] = {"erased", put_bool},
};

void label_row_put(struct buf *out, const PGresult *res, int row)
{
    for (int c = 0; c < (int)ARRAY_LEN(columns); c++) {
        buf_printf(out, "%s\"%s\":", c ? "," : "", columns[c].name);
        columns[c].put(out, res, row, c);
    }
}

bool label_row_locate(struct content *c, const PGresult *res, int row)
{
    c->bytes = db_get_int(res, row, LABEL_BYTES);
    c->off = db_get_int(res, row, LABEL_PACK_OFF);
    return db_get_bytes(res, row, LABEL_SHA256, c->sha256.b, SHA256_LEN) &&
           pack_id_parse(db_get_str(res, row, LABEL_PACK), &c->pack);
}
