/* Owns CSV (RFC 4180) for spreadsheets: a row a task, the cells of JSON_MIN. Its columns stand
 * before the first row, so they are the config's: what the objects show, what the controls say; the
 * rest of a task's data is one column of JSON. Text that a spreadsheet would take for a formula
 * gets an apostrophe before it. */
#include "base/json_walk.h"
#include "core/json_tree.h"
#include "core/label_check.h"
#include "formats/min_row.h"

struct column {
    struct column *next;
    struct str name; /* as the head has it */
    struct str cell; /* as min_row has it */
    bool of_data;
};

struct csv {
    struct column *first, **last;
};

/* ---- cells */

/* `text`: it was said by somebody, so it may be a formula. */
static void put_cell(struct buf *out, struct str s, bool text)
{
    bool quote = text && s.n && strchr("=+-@\t\r", s.p[0]);
    bool wrap = false;

    for (size_t i = 0; i < s.n; i++)
        wrap |= s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\r' || s.p[i] == '\n';
    buf_puts(out, wrap ? "\"" : "");
    buf_puts(out, quote ? "'" : "");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, s.p[i]);
    }
    buf_puts(out, wrap ? "\"" : "");
}

/* A string as it is, null as nothing, all else as JSON. */
static enum err put_json(struct buf *out, struct str json)
{
    struct json_object *value = NULL;
    enum err e = ERR_OK;

    if (str_is(json, "null"))
        return ERR_OK;
    if (json.n == 0 || json.p[0] != '"') {
        put_cell(out, json, false);
        return ERR_OK;
    }
    e = json_tree_parse(json, JSON_DEPTH_MAX, &value, NULL);
    if (!e)
        put_cell(out, json_str(value), true);
    json_object_put(value);
    return e == ERR_BAD_JSON ? ERR_CORRUPT : e;
}

/* ---- columns */

static bool has_column(const struct csv *c, struct str name)
{
    for (const struct column *k = c->first; k; k = k->next)
        if (str_eq(k->name, name))
            return true;
    return false;
}

static void add(struct exporter *x, struct csv *c, struct str cell, bool of_data)
{
    struct column *k = arena_alloc(export_arena(x), sizeof(*k));

    k->cell = k->name = cell;
    k->of_data = of_data;
    if (has_column(c, k->name) && of_data)
        k->name = str_of(arena_printf(export_arena(x), "_data_%.*s", STR_FMT(cell)));
    if (has_column(c, k->name))
        return;
    *c->last = k;
    c->last = &k->next;
}

static enum err begin(struct exporter *x)
{
    static const char *const about[] = {
        "annotator", "annotation_id", "created_at", "updated_at", "lead_time"};
    struct csv *c = export_state(x, sizeof(*c));
    struct buf *out = export_text(x);

    c->last = &c->first;
    add(x, c, STR("id"), false);
    for (size_t i = 0; i < ARRAY_LEN(about); i++)
        add(x, c, str_of(about[i]), false);
    for (const struct label_control *k = export_config(x)->controls; k; k = k->next)
        if (!k->name.indexed)
            add(x, c, k->name.text, false);
    for (const struct label_object *o = export_config(x)->objects; o; o = o->next)
        if (o->field.n)
            add(x, c, o->field, true);
    for (const struct column *k = c->first; k; k = k->next) {
        put_cell(out, k->name, true);
        buf_putc(out, ',');
    }
    buf_puts(out, "_data\r\n");
    return ERR_OK;
}

/* ---- rows */

static const struct min_cell *cell_of(const struct min_row *row, struct str name)
{
    const struct min_cell *cell = min_row_cell(row, name);

    return cell && cell->from != MIN_DATA ? cell : NULL;
}

static bool shows(const struct csv *c, struct str key)
{
    for (const struct column *k = c->first; k; k = k->next)
        if (k->of_data && str_eq(k->cell, key))
            return true;
    return false;
}

/* The value of a data key, compact; nothing where there is none. */
static enum err put_data(const struct export_item *i, struct str key, struct buf *out)
{
    struct str rest = i->data;
    struct json_member m;
    struct buf value;
    enum err e = ERR_OK;

    buf_init(&value, BUF_MAX_PACK);
    while (!e && json_walk(&rest, &m))
        if (str_eq(m.key, key)) {
            json_compact(m.value, &value);
            e = buf_err(&value) ? buf_err(&value) : put_json(out, buf_view(&value));
            break;
        }
    buf_release(&value);
    return e;
}

/* What no column shows, as an object. */
static enum err put_rest(const struct csv *c, const struct export_item *i, struct buf *out)
{
    struct str rest = i->data;
    struct json_member m;
    struct buf object;
    enum err e;

    buf_init(&object, BUF_MAX_PACK);
    while (json_walk(&rest, &m)) {
        if (shows(c, m.key))
            continue;
        buf_puts(&object, object.n ? ",\"" : "{\"");
        buf_str(&object, m.key);
        buf_puts(&object, "\":");
        json_compact(m.value, &object);
    }
    buf_puts(&object, object.n ? "}" : "");
    e = buf_err(&object);
    put_cell(out, buf_view(&object), false);
    buf_release(&object);
    return e;
}

/* Cells that no column takes: of a Repeater, whose controls have no end. */
static void count_lost(struct exporter *x, const struct csv *c, const struct min_row *row)
{
    for (size_t i = 0; i < row->n; i++)
        if (row->v[i].from == MIN_SAID && !has_column(c, row->v[i].name))
            export_lost(x, "controls.indexed");
}

static enum err item(struct exporter *x, const struct export_item *i)
{
    const struct csv *c = export_state(x, sizeof(*c));
    struct buf *out = export_text(x);
    struct arena *a = arena_new();
    struct min_row row;
    enum err e = min_row_read(x, i, a, &row);

    for (const struct column *k = c->first; !e && k; k = k->next) {
        const struct min_cell *cell = k->of_data ? NULL : cell_of(&row, k->cell);
        if (k->of_data)
            e = put_data(i, k->cell, out);
        else if (cell)
            e = put_json(out, cell->json);
        buf_putc(out, ',');
    }
    if (!e)
        e = put_rest(c, i, out);
    buf_puts(out, "\r\n");
    if (!e)
        count_lost(x, c, &row);
    arena_free(a);
    return e;
}

const struct format format_csv = {
    .name = "csv",
    .about = "CSV for spreadsheets: a row a task",
    .media_type = "text/csv; charset=utf-8",
    .extension = ".csv",
    .classes = true,
    .begin = begin,
    .item = item,
};
