/* Owns Hugging Face's ImageFolder: SPLIT/NAME.jpg with SPLIT/metadata.jsonl, an object a picture
 * with the same members of the same types on every line, as its readers infer a table from them;
 * README.md says which splits there are. Source: huggingface.co/docs/datasets, image_dataset. */
#include <stdio.h>

#include "core/label_check.h"
#include "formats/answer.h"
#include "formats/classes.h"
#include "formats/exporter.h"
#include "formats/media.h"
#include "formats/picture.h"

enum { DIGITS = 4 };

/* What becomes of a control's answers about a picture. */
enum cell {
    CELL_NONE,
    CELL_TEXT, /* "" for none; lines where there are several */
    CELL_LIST, /* of texts */
    CELL_NUMBER,
};

struct column {
    struct column *next;
    const struct label_control *control;
    struct str name;
    enum cell cell;
};

/* Readers take a column's type from the first rows of each split: those that say one which none
 * before them said come first. */
struct split {
    struct split *next;
    const char *name;
    struct spool *first, *rest; /* rows */
    bool *typed;                /* of each column, of the objects last */
};

struct folder {
    struct classes classes;
    struct split *splits;
    struct column *first;
    size_t ncolumns;
    bool objects; /* something is drawn */
};

static enum cell cell_of(const struct label_control *k)
{
    static const struct {
        const char *type;
        enum cell cell;
    } cells[] = {
        {"Taxonomy", CELL_LIST},
        {"TextArea", CELL_TEXT},
        {"DateTime", CELL_TEXT},
        {"Rating", CELL_NUMBER},
        {"Number", CELL_NUMBER},
    };

    if (str_is(k->type, "Choices"))
        return k->single ? CELL_TEXT : CELL_LIST;
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        if (str_is(k->type, cells[i].type))
            return cells[i].cell;
    return CELL_NONE;
}

/* Names that are taken get a line behind them. */
static struct str name_of(struct exporter *x, const struct label_control *k)
{
    static const char *const taken[] = {
        "file_name", "image", "task", "external_id", "width", "height", "objects"};

    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (str_is(k->name.text, taken[i]))
            return str_of(arena_printf(export_arena(x), "%s_", taken[i]));
    return k->name.text;
}

static enum err begin(struct exporter *x)
{
    struct folder *f = export_state(x, sizeof(*f));
    struct column **last = &f->first, *c;

    classes_init(&f->classes, export_arena(x), export_config(x), classes_of_regions);
    for (const struct label_control *k = export_config(x)->controls; k; k = k->next) {
        if (!media_judged_by(k, MEDIA_PICTURE) || k->per_region || k->name.indexed)
            continue;
        f->objects |= classes_of_regions(k);
        if (cell_of(k) == CELL_NONE)
            continue;
        c = arena_alloc(export_arena(x), sizeof(*c));
        *c = (struct column){NULL, k, name_of(x, k), cell_of(k)};
        *last = c;
        last = &c->next;
        f->ncolumns++;
    }
    return ERR_OK;
}

/* ---- rows */

/* The picture at hand. */
struct sheet {
    struct exporter *x;
    struct folder *folder;
    const struct export_item *item;
    const struct pictures *pictures;
    const struct picture *picture;
    struct arena *arena;
    struct buf *out;
    struct split *split;
    bool types; /* the row says the type of a column that none before it said */
};

static void key(struct buf *out, struct str name)
{
    buf_putc(out, ',');
    buf_json(out, name);
    buf_putc(out, ':');
}

/* The row at hand says the type of the i-th column. */
static void typed(struct sheet *h, size_t i)
{
    h->types |= !h->split->typed[i];
    h->split->typed[i] = true;
}

/* Never a whole number, which would be of another type. */
static void put_number(struct buf *out, double v)
{
    size_t n = out->n;

    export_decimal(out, v, DIGITS);
    if (!buf_err(out) && !memchr(out->p + n, '.', out->n - n))
        buf_puts(out, ".0");
}

static void put_texts(const struct sheet *h, const struct column *c, struct json_object *said)
{
    struct buf text;

    buf_init(&text, BUF_MAX_LABEL);
    if (c->cell == CELL_LIST)
        buf_putc(h->out, '[');
    for (size_t i = 0; i < answer_count(said); i++) {
        struct str one = answer_text(said, i, h->arena);
        if (c->cell == CELL_LIST) {
            buf_puts(h->out, i ? "," : "");
            buf_json(h->out, one);
        } else {
            buf_puts(&text, i ? "\n" : "");
            buf_str(&text, one);
        }
    }
    if (c->cell == CELL_LIST)
        buf_putc(h->out, ']');
    else
        buf_json(h->out, buf_view(&text));
    buf_release(&text);
}

static void put_cell(struct sheet *h, const struct column *c, size_t at)
{
    const struct drawing *d = &h->pictures->drawing;
    struct json_object *said = NULL;
    double number;

    for (size_t i = 0; !said && i < d->nanswers; i++)
        if (picture_judged(h->picture, c->control, &d->answers[i])) {
            said = d->answers[i].said;
            d->answers[i].told = true;
        }
    key(h->out, c->name);
    if (c->cell != CELL_NUMBER)
        put_texts(h, c, said);
    else if (is_number(said, &number))
        put_number(h->out, number);
    else
        buf_puts(h->out, "null");
    if (c->cell == CELL_TEXT || answer_count(said))
        typed(h, at);
}

/* One of each: box, number, name. */
struct objects {
    struct buf boxes, numbers, names;
};

static enum err add_object(const struct sheet *h, const struct shape *s, struct objects *all)
{
    struct point low, high;
    struct str label;
    struct arena *a;
    size_t class;
    bool drawn;

    if (s->kind == SHAPE_LINE || s->kind == SHAPE_POINT) {
        picture_lost(h->x, s);
        return ERR_OK;
    }
    label = picture_label(h->x, s);
    a = arena_new(); /* a mask is large, and there may be many */
    drawn = label.n && shape_bound(a, s, &low, &high);
    arena_free(a);
    if (!drawn) {
        if (label.n)
            export_lost(h->x, "regions.empty");
        return ERR_OK;
    }
    if (s->kind != SHAPE_BOX || s->rotation != 0)
        export_lost_type(h->x, "as_box", s->type);
    class = classes_find(&h->folder->classes, label);
    const double box[4] = {low.x, low.y, high.x - low.x, high.y - low.y};
    for (size_t i = 0; i < 4; i++) {
        buf_puts(&all->boxes, i ? "," : "[");
        put_number(&all->boxes, box[i]);
    }
    buf_puts(&all->boxes, "],");
    buf_printf(&all->numbers, "%zu,", class);
    buf_json(&all->names, label);
    buf_putc(&all->names, ',');
    return class == SIZE_MAX ? ERR_FULL : ERR_OK;
}

static enum err put_objects(struct sheet *h)
{
    struct objects all;
    enum err e = ERR_OK;

    buf_init(&all.boxes, BUF_MAX_PACK);
    buf_init(&all.numbers, BUF_MAX_PACK);
    buf_init(&all.names, BUF_MAX_PACK);
    for (size_t i = 0; !e && i < h->picture->nshapes; i++)
        e = add_object(h, h->picture->shapes[i], &all);
    if (all.boxes.n)
        typed(h, h->folder->ncolumns);
    buf_chop(&all.boxes, ',');
    buf_chop(&all.numbers, ',');
    buf_chop(&all.names, ',');
    buf_puts(h->out, ",\"objects\":{\"bbox\":[");
    buf_str(h->out, buf_view(&all.boxes));
    buf_puts(h->out, "],\"categories\":[");
    buf_str(h->out, buf_view(&all.numbers));
    buf_puts(h->out, "],\"names\":[");
    buf_str(h->out, buf_view(&all.names));
    buf_puts(h->out, "]}");
    e = e ? e : buf_err(&all.boxes) ? buf_err(&all.boxes) : buf_err(&all.names);
    buf_release(&all.boxes);
    buf_release(&all.numbers);
    buf_release(&all.names);
    return e;
}

static enum err put_row(struct sheet *h)
{
    const struct picture *p = h->picture;
    size_t at = 0;
    enum err e = ERR_OK;

    buf_printf(h->out, "{\"file_name\":\"%s%s\",\"task\":%lld,\"external_id\":", p->name, p->suffix,
        (long long)h->item->task);
    buf_json(h->out, h->item->external_id);
    buf_printf(h->out, ",\"width\":%.0f,\"height\":%.0f", p->width, p->height);
    for (const struct column *c = h->folder->first; c; c = c->next)
        put_cell(h, c, at++);
    if (h->folder->objects)
        e = put_objects(h);
    buf_puts(h->out, "}\n");
    return e ? e : buf_err(h->out);
}

static enum err put_picture(struct sheet *h)
{
    const struct picture *p = h->picture;
    char path[CONTAINER_PATH_MAX];
    struct spool *rows;
    struct buf row;
    enum err e;

    if (!p->asset && h->x->options.media.read) {
        export_lost(h->x, "pictures.elsewhere"); /* a line needs its file */
        return ERR_OK;
    }
    buf_init(&row, BUF_MAX_PACK);
    h->out = &row;
    e = put_row(h);
    rows = h->types ? h->split->first : h->split->rest;
    buf_str(&rows->tail, buf_view(&row));
    buf_release(&row);
    snprintf(path, sizeof(path), "%.64s/%s%s", h->split->name, p->name, p->suffix);
    if (!e && p->asset)
        e = export_media(h->x, path, p->asset);
    return e ? e : spool_settle(rows);
}

/* ---- tasks */

static struct split *split_of(struct exporter *x, struct folder *f, const char *name)
{
    struct split **at = &f->splits, *s;
    struct arena *a = export_arena(x);

    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (*at)
        return *at;
    s = arena_alloc(a, sizeof(*s));
    s->name = arena_copy(a, name, strlen(name));
    s->first = export_spool(x);
    s->rest = export_spool(x);
    s->typed = arena_array(a, f->ncolumns + 1, sizeof(bool));
    *at = s;
    return s;
}

/* What is not split is all for training. */
static enum err item(struct exporter *x, const struct export_item *i)
{
    struct folder *f = export_state(x, sizeof(*f));
    struct arena *a = arena_new();
    struct split *split = split_of(x, f, i->split.n ? export_split(i, a) : "train");
    struct pictures pictures;
    enum err e = pictures_read(x, i, a, &pictures);

    for (size_t k = 0; !e && k < pictures.n; k++) {
        struct sheet h = {.x = x,
            .folder = f,
            .item = i,
            .pictures = &pictures,
            .picture = &pictures.v[k],
            .arena = a,
            .split = split};
        e = put_picture(&h);
    }
    if (!e)
        picture_rest_lost(x, &pictures);
    arena_free(a);
    return e;
}

/* Names of splits are of letters, digits and lines there. */
static enum err put_readme(struct exporter *x, const struct folder *f)
{
    struct buf out;
    enum err e;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "---\nconfigs:\n- config_name: default\n  data_files:\n");
    for (const struct split *s = f->splits; s; s = s->next) {
        buf_puts(&out, "  - split: \"");
        for (const char *p = s->name; *p; p++)
            buf_putc(&out, *p == '-' ? '_' : *p);
        buf_printf(&out, "\"\n    path: \"%s/*\"\n", s->name);
    }
    buf_puts(&out, "---\n");
    e = buf_err(&out) ? buf_err(&out) : export_file(x, "README.md", buf_view(&out));
    buf_release(&out);
    return e;
}

/* In one split nothing says of what type a column is, in another something does: readers that
 * compare them stumble. */
static void count_untyped(struct exporter *x, const struct folder *f)
{
    for (size_t i = 0; i <= f->ncolumns; i++) {
        size_t typed = 0, n = 0;
        for (const struct split *s = f->splits; s; s = s->next, n++)
            typed += s->typed[i];
        if (typed > 0 && typed < n)
            export_lost(x, "columns.empty");
    }
}

static enum err end(struct exporter *x)
{
    const struct folder *f = export_state(x, sizeof(*f));
    char path[CONTAINER_PATH_MAX];
    enum err e = f->splits ? put_readme(x, f) : ERR_OK;

    for (const struct split *s = f->splits; !e && s; s = s->next) {
        struct spool *const pieces[] = {s->first, s->rest};
        snprintf(path, sizeof(path), "%.64s/metadata.jsonl", s->name);
        e = export_join(x, path, pieces, ARRAY_LEN(pieces));
    }
    count_untyped(x, f);
    return e;
}

const struct format format_image_folder = {
    .name = "imagefolder",
    .about = "Hugging Face ImageFolder: pictures with a line of metadata each",
    .media_type = "application/x-ndjson",
    .extension = ".jsonl",
    .tree = true,
    .classes = true,
    .begin = begin,
    .item = item,
    .end = end,
};
