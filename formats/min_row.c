/* Owns what a control's items come down to: an answer of one word is that word, all else a list of
 * values. Source: the converter of Label Studio's SDK, convert_to_json_min and prettify_result. */
#include "formats/min_row.h"

#include "base/json_walk.h"
#include "core/canon.h"
#include "core/json_tree.h"
#include "core/label_check.h"

enum { ABOUT = 6 }; /* cells beside data and answers */

static void release_buf(void *buf)
{
    buf_release(buf);
}

static struct buf *new_buf(struct arena *a)
{
    struct buf *b = arena_alloc(a, sizeof(*b));

    buf_init(b, BUF_MAX_PACK);
    arena_defer(a, release_buf, b);
    return b;
}

static void new_row(struct min_row *row, struct arena *a, size_t most)
{
    *row = (struct min_row){.v = arena_array(a, most + 1, sizeof(*row->v))};
    lookup_init(&row->places, a, most);
}

struct min_cell *min_row_cell(const struct min_row *row, struct str name)
{
    size_t at = lookup_find(&row->places, name);

    return at != LOOKUP_NONE ? &row->v[at] : NULL;
}

static void put(struct min_row *row, struct min_cell cell)
{
    struct min_cell *old = min_row_cell(row, cell.name);

    if (!old) {
        lookup_add(&row->places, cell.name, row->n);
        old = &row->v[row->n++];
    }
    *old = cell;
}

/* ---- what the task shows */

static size_t count_members(struct str data)
{
    struct json_member m;
    size_t n = 0;

    while (json_walk(&data, &m))
        n++;
    return n;
}

static enum err put_data(const struct export_item *i, struct arena *a, struct min_row *row)
{
    struct str rest = i->data;
    struct json_member m;

    while (json_walk(&rest, &m)) {
        struct buf *value = new_buf(a);
        json_compact(m.value, value);
        if (buf_err(value))
            return buf_err(value);
        put(row, (struct min_cell){m.key, buf_view(value), NULL, MIN_DATA});
    }
    return ERR_OK;
}

/* ---- what the label says */

static const char *word_key(const struct label_control *control)
{
    if (str_is(control->type, "Choices"))
        return "choices";
    return str_is(control->type, "TextArea") ? "text" : NULL;
}

/* The one word of an answer that is a list of one; NULL: it is none. */
static struct json_object *only(const struct label_control *control, struct json_object *value)
{
    const char *key = word_key(control);
    struct json_object *list = key ? member_of(value, key) : NULL;

    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) != 1)
        return NULL;
    return json_object_array_get_idx(list, 0);
}

static enum err put_member(struct buf *out, const char *name, struct json_object *value)
{
    enum err e;

    buf_json(out, str_of(name));
    buf_putc(out, ':');
    e = canon_value(value, out);
    buf_putc(out, ',');
    return e;
}

/* The members of the value, and the size of its picture. */
static enum err put_value(struct json_object *item, struct json_object *value, struct buf *out)
{
    static const char *const sizes[] = {"original_width", "original_height"};
    enum err e = ERR_OK;

    buf_putc(out, '{');
    json_object_object_foreach(value, key, v) e = e ? e : put_member(out, key, v);
    for (size_t k = 0; !e && k < ARRAY_LEN(sizes); k++)
        if (member_of(item, sizes[k]))
            e = put_member(out, sizes[k], member_of(item, sizes[k]));
    buf_chop(out, ',');
    buf_putc(out, '}');
    return e;
}

/* Every control's items, until all of them are seen: "," between and no brackets. */
struct gathered {
    struct buf *items;
    size_t n;
};

static enum err gather(struct exporter *x, struct arena *a, struct json_object *item,
    struct min_row *said, struct gathered *gathered)
{
    struct json_object *value = member_of(item, "value"), *from = member_of(item, "from_name");
    struct str name = from ? json_str(from) : STR("");
    const struct label_control *control = label_control_find(export_config(x), name);
    struct json_object *word;
    struct min_cell *cell;

    if (!control || !json_object_is_type(value, json_type_object)) {
        export_lost(x, from ? "items" : "relations");
        return ERR_OK;
    }
    cell = min_row_cell(said, name);
    if (!cell) {
        gathered[said->n].items = new_buf(a);
        put(said, (struct min_cell){arena_str(a, name), STR(""), control, MIN_SAID});
        cell = &said->v[said->n - 1];
    }
    struct gathered *g = &gathered[cell - said->v];
    if (g->n++)
        buf_putc(g->items, ',');
    word = only(control, value);
    return word ? canon_value(word, g->items) : put_value(item, value, g->items);
}

static enum err put_said(
    struct exporter *x, struct arena *a, struct json_object *doc, struct min_row *row)
{
    size_t n = json_object_array_length(doc);
    struct gathered *gathered = arena_array(a, n + 1, sizeof(*gathered));
    struct min_row said;
    enum err e = ERR_OK;

    new_row(&said, a, n);
    for (size_t k = 0; !e && k < n; k++)
        e = gather(x, a, json_object_array_get_idx(doc, k), &said, gathered);
    for (size_t k = 0; !e && k < said.n; k++) {
        struct buf *list = new_buf(a);
        bool bare = gathered[k].n == 1 && word_key(said.v[k].control);
        buf_puts(list, bare ? "" : "[");
        buf_str(list, buf_view(gathered[k].items));
        buf_puts(list, bare ? "" : "]");
        e = buf_err(gathered[k].items) ? buf_err(gathered[k].items) : buf_err(list);
        said.v[k].json = buf_view(list);
        put(row, said.v[k]);
    }
    return e;
}

/* ---- who made it, and when */

static struct str quoted(struct arena *a, struct str text)
{
    struct buf *b = new_buf(a);

    if (text.n)
        buf_json(b, text);
    else
        buf_puts(b, "null");
    return buf_view(b);
}

static void put_about(const struct export_item *i, struct arena *a, struct min_row *row)
{
    const struct export_label *l = &i->label;
    struct buf *seconds = new_buf(a);
    struct str none = STR("null");

    export_seconds(seconds, l->id ? l->lead_time : -1);
    const struct min_cell about[] = {
        {STR("annotator"), l->id ? str_of(arena_printf(a, "%lld", (long long)l->author)) : none,
            NULL, MIN_ABOUT},
        {STR("annotation_id"), l->id ? str_of(arena_printf(a, "%lld", (long long)l->id)) : none,
            NULL, MIN_ABOUT},
        {STR("created_at"), quoted(a, l->created_at), NULL, MIN_ABOUT},
        {STR("updated_at"), quoted(a, l->created_at), NULL, MIN_ABOUT},
        {STR("lead_time"), buf_view(seconds), NULL, MIN_ABOUT},
    };
    for (size_t k = 0; k < ARRAY_LEN(about); k++)
        put(row, about[k]);
}

static void release_document(void *doc)
{
    json_object_put(doc);
}

enum err min_row_read(
    struct exporter *x, const struct export_item *i, struct arena *a, struct min_row *row)
{
    struct json_object *doc = NULL;
    enum err e = ERR_OK;
    size_t items = 0;

    if (i->label.id)
        e = json_tree_parse(i->label.result, JSON_DEPTH_MAX, &doc, NULL);
    arena_defer(a, release_document, doc);
    if (!e && doc && !json_object_is_type(doc, json_type_array))
        e = ERR_CORRUPT;
    if (e)
        return e == ERR_BAD_JSON ? ERR_CORRUPT : e; /* it was checked when it came */
    items = doc ? json_object_array_length(doc) : 0;
    new_row(row, a, count_members(i->data) + items + ABOUT);
    e = put_data(i, a, row);
    put(row, (struct min_cell){
                 STR("id"), str_of(arena_printf(a, "%lld", (long long)i->task)), NULL, MIN_ABOUT});
    if (!e && doc)
        e = put_said(x, a, doc, row);
    if (!e)
        put_about(i, a, row);
    return e;
}
