/* Owns reading CVAT for images 1.1: annotations.xml, element by element, so that its size does not
 * matter. Pictures lie in images/. Boxes turn about their centre there, ours about their first
 * corner. */
#include <math.h>
#include <stdio.h>

#include "formats/reader.h"
#include "formats/xml_read.h"

enum { TAGS = 1000, SAID = 200, POINTS = 1 << 20 };

struct cvat {
    struct xml_stream xml;
    bool open;
    size_t *files;
    size_t nfiles, next;
    struct str file;  /* the name of the one at hand */
    struct str split; /* that its name says */
};

/* The <image> at hand. */
struct sheet {
    struct reader *r;
    struct cvat *c;
    struct arena *a;
    struct reader_item *item;
    struct str *tags;
    struct mark *mark; /* of the shape whose attributes come */
    struct mark_said *said;
    struct buf text; /* of the attribute at hand */
    bool in_attribute;
    char where[READER_WHERE];
};

static enum err bad(struct sheet *h, const char *why)
{
    return reader_bad(h->r, h->c->file, h->where, "%s", why);
}

static struct str attr(const struct sheet *h, const char *name)
{
    return xml_stream_attr(&h->c->xml, h->a, name);
}

static bool number_at(const struct sheet *h, const char *name, double *out)
{
    return reader_number(attr(h, name), out);
}

/* ---- shapes */

static bool turn_of(const struct sheet *h, double *out)
{
    *out = 0;
    return attr(h, "rotation").n == 0 || number_at(h, "rotation", out);
}

static const char *read_box(struct sheet *h, struct shape *s)
{
    double left, top, right, bottom, turn, angle;

    if (!number_at(h, "xtl", &left) || !number_at(h, "ytl", &top) || !number_at(h, "xbr", &right) ||
        !number_at(h, "ybr", &bottom) || !turn_of(h, &turn))
        return "a box must have xtl, ytl, xbr and ybr";
    if (right < left || bottom < top)
        return "the box ends before it begins";
    s->w = right - left, s->h = bottom - top;
    s->x = left, s->y = top;
    s->rotation = fmod(turn, 360);
    if (s->rotation != 0) {
        angle = s->rotation * (M_PI / 180);
        s->x = (left + right) / 2 - s->w / 2 * cos(angle) + s->h / 2 * sin(angle);
        s->y = (top + bottom) / 2 - s->w / 2 * sin(angle) - s->h / 2 * cos(angle);
    }
    return NULL;
}

static const char *read_ellipse(struct sheet *h, struct shape *s)
{
    if (!number_at(h, "cx", &s->x) || !number_at(h, "cy", &s->y) || !number_at(h, "rx", &s->w) ||
        !number_at(h, "ry", &s->h) || !turn_of(h, &s->rotation) || s->w < 0 || s->h < 0)
        return "an ellipse must have cx, cy, rx and ry";
    s->rotation = fmod(s->rotation, 360);
    return NULL;
}

/* "1,2;3,4" */
static const char *read_points(struct sheet *h, struct shape *s, size_t least)
{
    static const char why[] = "points must be x,y;x,y;…";
    struct str text = attr(h, "points"), pair, x;
    struct point *v;
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ';';
    if (n < least || n > POINTS)
        return why;
    v = arena_array(h->a, n, sizeof(*v));
    while (s->n < n && str_split(&text, ';', &pair)) {
        if (!str_split(&pair, ',', &x) || !pair.p || !reader_number(str_trim(x), &v[s->n].x) ||
            !reader_number(str_trim(pair), &v[s->n].y))
            return why;
        s->n++;
    }
    s->v = v;
    return NULL;
}

static const char *read_polygon(struct sheet *h, struct shape *s)
{
    return read_points(h, s, 3);
}

static const char *read_line(struct sheet *h, struct shape *s)
{
    return read_points(h, s, 2);
}

/* The first; others of one <points> become marks of their own (more_points). */
static const char *read_first(struct sheet *h, struct shape *s)
{
    const char *why = read_points(h, s, 1);

    if (!why)
        s->x = s->v[0].x, s->y = s->v[0].y;
    return why;
}

static bool more_points(struct sheet *h, size_t at)
{
    const struct shape first = h->item->marks[at].shape;

    for (size_t i = 1; i < first.n; i++) {
        struct mark *m = reader_mark(h->item, h->a, SHAPE_POINT, first.labels[0]);
        if (!m)
            return false;
        m->shape.x = first.v[i].x, m->shape.y = first.v[i].y;
        m->where = h->item->marks[at].where;
    }
    return true;
}

/* Row by row inside the mask's box, zeros first. */
static const char *read_mask(struct sheet *h, struct shape *s)
{
    struct mark *m = container_of(s, struct mark, shape);
    struct str runs = attr(h, "rle"), one;
    int64_t left, top, width, height, at = 0, length;
    bool set = false;

    if (!str_int(attr(h, "left"), &left) || !str_int(attr(h, "top"), &top) ||
        !str_int(attr(h, "width"), &width) || !str_int(attr(h, "height"), &height) || left < 0 ||
        top < 0 || width < 0 || height < 0 || (double)left > h->item->width - (double)width ||
        (double)top > h->item->height - (double)height)
        return "a mask must have left, top, width and height inside of the picture";
    if (reader_mask(h->item, h->a, m))
        return "the masks of the picture are too large";
    while (str_split(&runs, ',', &one)) {
        if (!str_int(str_trim(one), &length) || length < 0 || length > width * height - at)
            return "the mask's run lengths do not add up to its box";
        for (int64_t i = at; set && i < at + length; i++)
            mask_set(&m->mask, (size_t)(left + i % width), (size_t)(top + i / width));
        at += length;
        set = !set;
    }
    return at == width * height ? NULL : "the mask's run lengths do not add up to its box";
}

static const struct {
    const char *element;
    enum shape_kind kind;
    const char *(*read)(struct sheet *h, struct shape *s); /* NULL: it is good */
} shapes[] = {
    {"box", SHAPE_BOX, read_box},
    {"ellipse", SHAPE_ELLIPSE, read_ellipse},
    {"polygon", SHAPE_POLYGON, read_polygon},
    {"polyline", SHAPE_LINE, read_line},
    {"points", SHAPE_POINT, read_first},
    {"mask", SHAPE_MASK, read_mask},
};

static enum err begin_tag(struct sheet *h)
{
    if (h->item->ntags == TAGS)
        return bad(h, "the picture has too many tags");
    if (!h->tags)
        h->item->tags = h->tags = arena_array(h->a, TAGS, sizeof(*h->tags));
    h->tags[h->item->ntags++] = attr(h, "label");
    return ERR_OK;
}

static enum err begin_shape(struct sheet *h, const char *element)
{
    size_t i = 0, at = h->item->nmarks;
    const char *why;

    snprintf(h->where, sizeof(h->where), "line %d", xml_stream_line(&h->c->xml));
    h->mark = NULL;
    if (strcmp(element, "tag") == 0)
        return begin_tag(h);
    while (i < ARRAY_LEN(shapes) && strcmp(element, shapes[i].element) != 0)
        i++;
    if (i == ARRAY_LEN(shapes))
        return bad(h, "this kind of shape cannot be taken");
    struct mark *m = reader_mark(h->item, h->a, shapes[i].kind, attr(h, "label"));
    if (!m)
        return bad(h, "the picture has too many shapes");
    m->where = arena_copy(h->a, h->where, strlen(h->where));
    why = shapes[i].read(h, &m->shape);
    if (!why && shapes[i].kind == SHAPE_POINT && !more_points(h, at))
        why = "the picture has too many shapes";
    h->mark = &h->item->marks[at];
    h->said = NULL;
    return why ? bad(h, why) : ERR_OK;
}

/* ---- attributes */

static enum err begin_attribute(struct sheet *h)
{
    if (!h->mark) { /* of a tag */
        reader_note(h->r, "attribute");
        return ERR_OK;
    }
    if (h->mark->nsaid == SAID)
        return bad(h, "the shape has too many attributes");
    if (!h->said)
        h->mark->said = h->said = arena_array(h->a, SAID, sizeof(*h->said));
    h->said[h->mark->nsaid].name = attr(h, "name");
    buf_clear(&h->text);
    h->in_attribute = true;
    return ERR_OK;
}

static enum err end_attribute(struct sheet *h)
{
    if (!h->in_attribute)
        return ERR_OK;
    h->in_attribute = false;
    if (buf_err(&h->text))
        return bad(h, "the attribute is too long");
    if (h->text.n)
        h->said[h->mark->nsaid++].text = arena_str(h->a, buf_view(&h->text));
    return ERR_OK;
}

/* ---- pictures */

static enum err begin_image(struct sheet *h)
{
    struct str name = attr(h, "name");
    double width, height;
    struct str split = attr(h, "subset");
    bool several;

    snprintf(h->where, sizeof(h->where), "line %d", xml_stream_line(&h->c->xml));
    split = split.n ? split : h->c->split;
    h->item->file = reader_picture(h->r, h->c->file, STR("images"), split, name, &several);
    if (h->item->file == SIZE_MAX)
        return bad(h, several ? "several files have the name of this picture"
                              : "the picture is not in the data set");
    h->item->name = file_set_at(h->r->source, h->item->file)->name;
    h->item->split = split;
    if (split.n == 0)
        h->item->split = reader_split(h->item->name, STR("images"));
    if (!number_at(h, "width", &width) || !number_at(h, "height", &height) || width < 0 ||
        height < 0 || width > MASK_SIDE || height > MASK_SIDE)
        return bad(h, "an image must have width and height");
    reader_sides(h->r, h->item->file, &h->item->width, &h->item->height);
    if (h->item->width > 0 && width > 0 && (h->item->width != width || h->item->height != height))
        reader_note(h->r, "pictures.size");
    if (width > 0 && height > 0)
        h->item->width = width, h->item->height = height;
    return ERR_OK;
}

static enum err begin_element(struct sheet *h, const char *name, int depth)
{
    if (depth == 2)
        return begin_shape(h, name);
    if (depth == 3 && strcmp(name, "attribute") == 0)
        return begin_attribute(h);
    return ERR_OK;
}

/* One event inside of the picture; *done at its end. A picture that is bad is read to its end. */
static enum err event(struct sheet *h, bool *done)
{
    xmlTextReader *x = h->c->xml.xml;
    int type = xmlTextReaderNodeType(x), depth = xmlTextReaderDepth(x);
    const char *name = (const char *)xmlTextReaderConstName(x);
    const xmlChar *text;

    switch (type) {
    case XML_READER_TYPE_ELEMENT:
        return begin_element(h, name, depth);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        text = xmlTextReaderConstValue(x);
        if (h->in_attribute && text)
            buf_puts(&h->text, (const char *)text);
        return ERR_OK;
    case XML_READER_TYPE_END_ELEMENT:
        *done = depth == 1;
        return depth == 3 ? end_attribute(h) : ERR_OK;
    default:
        return ERR_OK;
    }
}

static enum err read_image(struct sheet *h)
{
    enum err first = begin_image(h), e;
    bool done = xmlTextReaderIsEmptyElement(h->c->xml.xml) == 1, got;

    while (!done) {
        e = xml_stream_read(&h->c->xml, &got);
        if (e)
            return e;
        if (!got)
            break;
        int depth = xmlTextReaderDepth(h->c->xml.xml);
        if (first)
            done =
                depth == 1 && xmlTextReaderNodeType(h->c->xml.xml) == XML_READER_TYPE_END_ELEMENT;
        else
            first = event(h, &done);
    }
    return first;
}

/* To the next <image> of the document, whose root must be <annotations>. */
static enum err to_image(struct cvat *c, bool *got)
{
    enum err e;

    while (!(e = xml_stream_read(&c->xml, got)) && *got) {
        xmlTextReader *x = c->xml.xml;
        const char *name = (const char *)xmlTextReaderConstName(x);
        int depth = xmlTextReaderDepth(x);
        if (xmlTextReaderNodeType(x) != XML_READER_TYPE_ELEMENT)
            continue;
        if (depth == 0 && strcmp(name, "annotations") != 0) {
            c->xml.r->over = true;
            return reader_bad(c->xml.r, c->file, "", "its first element is not <annotations>");
        }
        if (depth == 1 && strcmp(name, "track") == 0) {
            c->xml.r->over = true;
            return reader_bad(
                c->xml.r, c->file, "", "is CVAT for video: its tracks cannot be taken");
        }
        if (depth == 1 && strcmp(name, "image") == 0)
            return ERR_OK;
    }
    return e;
}

static void close_cvat(struct reader *r)
{
    struct cvat *c = r->state;

    if (c && c->open)
        xml_stream_close(&c->xml);
    if (c)
        c->open = false;
}

/* Opens the next file. train.xml is of the split "train". */
static enum err to_file(struct reader *r)
{
    struct cvat *c = r->state;
    size_t at = c->files[c->next++], from;
    enum err e;

    close_cvat(r);
    c->file = file_set_at(r->source, at)->name;
    for (from = c->file.n; from > 0 && c->file.p[from - 1] != '/'; from--) {
    }
    c->split = (struct str){c->file.p + from, c->file.n - from - strlen(".xml")};
    if (str_is(c->split, "annotations"))
        c->split.n = 0;
    e = xml_stream_open(&c->xml, r, at);
    c->open = !e;
    return e;
}

static enum err next(struct reader *r, struct arena *a, struct reader_item *out, bool *got)
{
    struct cvat *c = r->state;
    enum err e;

    for (;;) { /* pictures of other splits are passed over */
        struct sheet h = {.r = r, .c = c, .a = a, .item = out};
        *out = (struct reader_item){.file = SIZE_MAX, .about = c->file, .labelled = true};
        e = to_image(c, got);
        if (e)
            return e;
        if (!*got) {
            if (c->next == c->nfiles)
                return ERR_OK;
            if ((e = to_file(r)))
                return e;
            continue;
        }
        buf_init(&h.text, 64 << 10);
        e = read_image(&h);
        buf_release(&h.text);
        if (r->over || reader_wants(r, out->split))
            return e;
    }
}

/* annotations.xml, or else every XML file: one a split. */
static bool is_wanted(struct str name, bool any)
{
    struct str end = any ? STR(".xml") : STR("annotations.xml");

    return name.n >= end.n && memcmp(name.p + name.n - end.n, end.p, end.n) == 0 &&
           (any || name.n == end.n || name.p[name.n - end.n - 1] == '/');
}

static enum err open_cvat(struct reader *r)
{
    struct cvat *c = arena_alloc(r->arena, sizeof(*c));
    size_t n = file_set_count(r->source);

    r->state = c;
    c->files = arena_array(r->arena, n, sizeof(*c->files));
    for (int any = 0; any < 2 && c->nfiles == 0; any++)
        for (size_t i = 0; i < n; i++)
            if (is_wanted(file_set_at(r->source, i)->name, any))
                c->files[c->nfiles++] = i;
    if (c->nfiles == 0)
        return reader_bad(r, STR("the data set"), "", "has no annotations.xml");
    return to_file(r);
}

const struct format_reader reader_cvat = {
    .name = "cvat",
    .about = "CVAT for images 1.1",
    .open = open_cvat,
    .next = next,
    .close = close_cvat,
};
