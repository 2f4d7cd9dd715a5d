/* Owns the columns of release_page. Safe on a work thread. */
#include "formats/export_row.h"

#include "base/json_walk.h"
#include "core/json_tree.h"
#include "core/label_check.h"

enum {
    COL_TASK,
    COL_DATA,
    COL_META,
    COL_EXTERNAL,
    COL_SPLIT,
    COL_LABEL,
    COL_SEQ,
    COL_KIND,
    COL_AUTHOR,
    COL_MODEL,
    COL_LEAD,
    COL_LABEL_AT,
    COL_SHA,
    COL_BYTES,
    COL_PACK,
    COL_OFF,
    COL_CREATED,
    COL_UPDATED,
    COL_PROJECT,
    COL_PREDICTIONS,
    COL_REGIONS,
    COL_ASSETS
};

_Static_assert((int)COL_SHA == (int)EXPORT_ROW_SHA, "the columns of a content");

/* "2026-11-24T…" of a JSON string column, without its quotes. */
static struct str bare(const PGresult *res, int row, int col)
{
    struct str s = db_get_str(res, row, col);

    return s.n >= 2 ? (struct str){s.p + 1, s.n - 2} : STR("");
}

static bool contains(struct str text, struct str part)
{
    return text.n >= part.n && memmem(text.p, text.n, part.p, part.n);
}

/* The key of the data under which the asset is named. */
static struct str field_of(struct str data, struct str hex, struct arena *a)
{
    struct json_member m;

    while (json_walk(&data, &m))
        if (contains(m.value, hex))
            return arena_str(a, m.key);
    return STR("");
}

/* [[sha256, media type, bytes, width, height, milliseconds], …] */
static enum err read_assets(struct str text, struct arena *a, struct export_item *i)
{
    struct json_object *list = NULL;
    struct export_asset *assets;
    enum err e;

    if (text.n == 0)
        return ERR_OK;
    e = json_tree_parse(text, JSON_DEPTH_MAX, &list, NULL);
    i->nassets = e ? 0 : json_object_array_length(list);
    assets = arena_array(a, i->nassets + 1, sizeof(*assets));
    for (size_t k = 0; !e && k < i->nassets; k++) {
        struct json_object *row = json_object_array_get_idx(list, k);
        struct str hex = json_str(json_object_array_get_idx(row, 0));
        assets[k] = (struct export_asset){.field = field_of(i->data, hex, a),
            .media_type = arena_str(a, json_str(json_object_array_get_idx(row, 1))),
            .bytes = json_object_get_int64(json_object_array_get_idx(row, 2)),
            .width = json_object_get_int64(json_object_array_get_idx(row, 3)),
            .height = json_object_get_int64(json_object_array_get_idx(row, 4)),
            .duration_ms = json_object_get_int64(json_object_array_get_idx(row, 5))};
        if (!sha256_parse(hex, &assets[k].sha256))
            e = ERR_CORRUPT;
    }
    i->assets = assets;
    json_object_put(list);
    return e;
}

enum err export_row_read(
    const PGresult *res, int row, struct str result, struct arena *a, struct export_item *out)
{
    struct sha256 sha;
    char *hex = arena_alloc(a, SHA256_HEX + 1);

    if (!db_get_bytes(res, row, COL_SHA, sha.b, SHA256_LEN))
        return ERR_CORRUPT;
    sha256_hex(sha, hex);
    *out = (struct export_item){.project = db_get_int(res, row, COL_PROJECT),
        .task = db_get_int(res, row, COL_TASK),
        .external_id = db_get_str(res, row, COL_EXTERNAL),
        .data = db_get_str(res, row, COL_DATA),
        .meta = db_get_str(res, row, COL_META),
        .created_at = bare(res, row, COL_CREATED),
        .updated_at = bare(res, row, COL_UPDATED),
        .split = db_get_str(res, row, COL_SPLIT),
        .predictions = db_get_int(res, row, COL_PREDICTIONS),
        .label = {.id = db_get_int(res, row, COL_LABEL),
            .seq = db_get_int(res, row, COL_SEQ),
            .author = db_get_int(res, row, COL_AUTHOR),
            .kind = db_get_str(res, row, COL_KIND),
            .model = db_get_str(res, row, COL_MODEL),
            .lead_time = db_is_null(res, row, COL_LEAD) ? -1 : db_get_float(res, row, COL_LEAD),
            .created_at = bare(res, row, COL_LABEL_AT),
            .sha256 = str_of(hex),
            .regions = db_get_int(res, row, COL_REGIONS),
            .result = result}};
    return read_assets(db_get_str(res, row, COL_ASSETS), a, out);
}
