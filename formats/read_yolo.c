/* Owns reading YOLO: a text file a picture, a line an object. Four kinds of lines, a format each.
 * images/SPLIT/NAME.jpg goes with labels/SPLIT/NAME.txt, or a picture with the text beside it. */
#include <stdio.h>
#include <string.h>

#include "formats/classes.h"
#include "formats/reader.h"
#include "formats/yolo_names.h"

enum { VALUES = 20001 };
#define QUAD_LOOSE 1.0 /* pixels that four corners may lie beside those of a box */

/* One line: the class, then `n` numbers. */
struct line {
    struct reader *r;
    struct arena *a;
    struct reader_item *item;
    struct str file, label;
    const double *v;
    size_t n;
    char where[READER_WHERE];
};

struct yolo {
    struct yolo_names names;
    struct classes points; /* of the label config, where data.yaml names none */
    enum err (*line)(struct line *l, const struct yolo *y);
    size_t file;
    double v[VALUES];
};

static enum err bad(const struct line *l, const char *why)
{
    return reader_bad(l->r, l->file, l->where, "%s", why);
}

static struct mark *new_mark(const struct line *l, enum shape_kind kind, struct str label)
{
    struct mark *m = reader_mark(l->item, l->a, kind, label);

    if (m)
        m->where = arena_copy(l->a, l->where, strlen(l->where));
    return m;
}

/* ---- lines */

static enum err put_box(struct line *l)
{
    struct mark *m;

    if (l->v[2] < 0 || l->v[3] < 0)
        return bad(l, "the width or height is below 0");
    m = new_mark(l, SHAPE_BOX, l->label);
    if (!m)
        return bad(l, "the picture has too many regions");
    m->shape.w = l->v[2] * l->item->width;
    m->shape.h = l->v[3] * l->item->height;
    m->shape.x = l->v[0] * l->item->width - m->shape.w / 2;
    m->shape.y = l->v[1] * l->item->height - m->shape.h / 2;
    return ERR_OK;
}

static enum err detect(struct line *l, const struct yolo *y)
{
    (void)y;
    if (l->n != 4)
        return bad(l, "a box is a class and four numbers (polygons: yolo-segment; corners: "
                      "yolo-obb; key points: yolo-pose)");
    return put_box(l);
}

static struct mark *put_points(struct line *l)
{
    struct point *v = arena_array(l->a, l->n / 2 + 1, sizeof(*v));
    struct mark *m = new_mark(l, SHAPE_POLYGON, l->label);

    if (!m)
        return NULL;
    for (size_t i = 0; i < l->n / 2; i++)
        v[i] = (struct point){l->v[2 * i] * l->item->width, l->v[2 * i + 1] * l->item->height};
    m->shape.v = v;
    m->shape.n = l->n / 2;
    return m;
}

static enum err segment(struct line *l, const struct yolo *y)
{
    (void)y;
    if (l->n < 6 || l->n % 2)
        return bad(l, "a polygon is a class and at least three pairs of numbers");
    return put_points(l) ? ERR_OK : bad(l, "the picture has too many regions");
}

static enum err oriented(struct line *l, const struct yolo *y)
{
    struct mark *m;

    (void)y;
    if (l->n != 8)
        return bad(l, "a turned box is a class and four pairs of numbers");
    m = put_points(l);
    if (!m)
        return bad(l, "the picture has too many regions");
    if (reader_quad(m->shape.v, &m->shape) > QUAD_LOOSE)
        reader_note(l->r, "corners_as_box");
    return ERR_OK;
}

static struct str point_name(const struct yolo *y, size_t i)
{
    if (i < y->names.points.n)
        return y->names.points.v[i];
    return y->names.points.n == 0 && i < y->points.n ? y->points.names[i] : STR("");
}

static enum err pose(struct line *l, const struct yolo *y)
{
    size_t dims = y->names.dims, owner = l->item->nmarks + 1;
    enum err e;

    if (l->n != 4 + y->names.npoints * dims)
        return bad(l, "a pose is a class, a box and the key points that kpt_shape says");
    e = put_box(l);
    for (size_t i = 0; !e && i < y->names.npoints; i++) {
        const double *p = l->v + 4 + i * dims;
        double seen = dims == 3 ? p[2] : p[0] == 0 && p[1] == 0 ? 0 : 2;
        if (seen == 0)
            continue;
        if (seen != 2)
            reader_note(l->r, "keypoints.hidden");
        struct mark *m = new_mark(l, SHAPE_POINT, point_name(y, i));
        if (!m)
            return bad(l, "the picture has too many regions");
        m->shape.x = p[0] * l->item->width;
        m->shape.y = p[1] * l->item->height;
        m->owner = owner;
    }
    return e;
}

static enum err read_line(struct line *l, struct yolo *y, struct str text)
{
    struct str rest = text, word;
    int64_t class = -1;
    bool first = true;

    l->n = 0;
    l->v = y->v;
    while (str_split(&rest, ' ', &word)) {
        word = str_trim(word);
        if (word.n == 0)
            continue;
        if (first && (!str_int(word, &class) || class < 0))
            return bad(l, "the class must be a whole number from 0");
        if (!first && (l->n == VALUES || !reader_number(word, &y->v[l->n])))
            return bad(l, "what stands there is not a number, or there are too many");
        l->n += !first;
        first = false;
    }
    if (first)
        return ERR_OK;
    if ((size_t) class >= y->names.classes.n || y->names.classes.v[class].n == 0)
        return bad(l, "the class has no name in the data set's list");
    l->label = y->names.classes.v[class];
    return y->line(l, y);
}

static enum err read_labels(struct reader *r, size_t at, struct arena *a, struct reader_item *item)
{
    struct line l = {.r = r, .a = a, .item = item, .file = file_set_at(r->source, at)->name};
    struct str rest, text;
    struct buf whole;
    size_t line = 0;
    enum err e;

    item->about = l.file;
    buf_init(&whole, FILE_SET_PLAIN);
    e = file_set_load(r->source, at, &whole);
    if (e)
        e = reader_failed(r, l.file, e);
    rest = buf_view(&whole);
    while (!e && str_split(&rest, '\n', &text)) {
        snprintf(l.where, sizeof(l.where), "line %zu", ++line);
        for (size_t i = 0; i < text.n; i++)
            if (text.p[i] == '\t' || text.p[i] == '\r')
                whole.p[text.p - whole.p + (ptrdiff_t)i] = ' ';
        e = read_line(&l, r->state, text);
    }
    buf_release(&whole);
    return e;
}

/* ---- files */

/* `stem` with its last segment `from` replaced by `to`, and a suffix. */
static size_t find_other(
    const struct reader *r, struct str stem, const char *from, const char *to, const char *suffix)
{
    char path[2 * FILE_SET_NAME];
    size_t n = strlen(from);

    for (size_t i = stem.n; i-- > 0;) {
        if (i + n >= stem.n || memcmp(stem.p + i, from, n) != 0 || stem.p[i + n] != '/' ||
            (i > 0 && stem.p[i - 1] != '/'))
            continue;
        int k = snprintf(path, sizeof(path), "%.*s%s%.*s%s", (int)i, stem.p, to,
            (int)(stem.n - i - n), stem.p + i + n, suffix);
        return file_set_find(r->source, (struct str){path, (size_t)k});
    }
    snprintf(path, sizeof(path), "%.*s%s", STR_FMT(stem), suffix);
    return file_set_find(r->source, str_of(path));
}

/* SPLIT of images/SPLIT/x.jpg and of SPLIT/images/x.jpg. */
static struct str split_of(struct str path)
{
    struct str split = reader_split(path, STR("images")), rest = path, part, before = {"", 0};

    while (split.n == 0 && str_split(&rest, '/', &part)) {
        if (str_is(part, "images"))
            return before;
        before = part;
    }
    return split;
}

/* A label file whose picture is missing would be lost without a word. */
static enum err check_orphans(struct reader *r)
{
    for (size_t i = 0; i < file_set_count(r->source); i++) {
        struct str name = file_set_at(r->source, i)->name, rest = name, part, stem;
        bool is = false, found = false;
        while (str_split(&rest, '/', &part))
            is |= str_is(part, "labels") && rest.p;
        if (!is || name.n < 4 || memcmp(name.p + name.n - 4, ".txt", 4) != 0)
            continue;
        stem = (struct str){name.p, name.n - 4};
        for (size_t k = 0; !found && reader_suffix(k); k++)
            found = find_other(r, stem, "labels", "images", reader_suffix(k)) != SIZE_MAX;
        if (!found)
            return reader_bad(r, name, "", "its picture is not in the data set");
    }
    return ERR_OK;
}

static enum err open_yolo(struct reader *r, enum err (*line)(struct line *l, const struct yolo *y))
{
    struct yolo *y = arena_alloc(r->arena, sizeof(*y));
    enum err e = yolo_names_read(r, &y->names);

    r->state = y;
    y->line = line;
    classes_init(&y->points, r->arena, r->config, classes_of_keypoints);
    if (!e && line == pose && y->names.npoints == 0)
        e = reader_bad(r, STR("data.yaml"), "", "has no kpt_shape");
    return e ? e : check_orphans(r);
}

static enum err next(struct reader *r, struct arena *a, struct reader_item *out, bool *got)
{
    struct yolo *y = r->state;
    struct str stem;

    for (; y->file < file_set_count(r->source); y->file++) {
        struct str name = file_set_at(r->source, y->file)->name;
        if (!reader_is_picture(name, &stem) || !reader_wants(r, split_of(name)))
            continue;
        size_t label = find_other(r, stem, "images", "labels", ".txt");
        *got = true;
        out->file = y->file++;
        out->name = out->about = name;
        out->split = split_of(name);
        out->labelled = label != SIZE_MAX;
        reader_sides(r, out->file, &out->width, &out->height);
        return out->labelled ? read_labels(r, label, a, out) : ERR_OK;
    }
    return ERR_OK;
}

static enum err open_detect(struct reader *r)
{
    return open_yolo(r, detect);
}

static enum err open_segment(struct reader *r)
{
    return open_yolo(r, segment);
}

static enum err open_oriented(struct reader *r)
{
    return open_yolo(r, oriented);
}

static enum err open_pose(struct reader *r)
{
    return open_yolo(r, pose);
}

#define YOLO(id, text, what, first)                                                                \
    const struct format_reader reader_##id = {                                                     \
        .name = text,                                                                              \
        .about = what,                                                                             \
        .open = first,                                                                             \
        .next = next,                                                                              \
    }

YOLO(yolo, "yolo", "YOLO: boxes", open_detect);
YOLO(yolo_segment, "yolo-segment", "YOLO: polygons", open_segment);
YOLO(yolo_obb, "yolo-obb", "YOLO: turned boxes by their corners", open_oriented);
YOLO(yolo_pose, "yolo-pose", "YOLO: boxes with key points", open_pose);
