/* Owns reading Pascal VOC: Annotations/NAME.xml, the picture in JPEGImages/, the splits in
 * ImageSets/Main/SPLIT.txt. A picture without XML is a task without a label. Coordinates count from
 * 0, xmax and ymax just behind the box, as our export writes them. */
#include <stdio.h>
#include <stdlib.h>

#include "formats/reader.h"
#include "formats/xml_read.h"

enum { SETS = 64 };

/* Of one split: the names in its list, sorted. */
struct set {
    struct str split;
    struct str *names;
    size_t n;
};

struct voc {
    struct set sets[SETS];
    size_t nsets, file;
};

struct sheet {
    struct reader *r;
    struct arena *a;
    struct reader_item *item;
    char where[READER_WHERE];
};

static enum err bad(const struct sheet *h, const char *why)
{
    return reader_bad(h->r, h->item->about, h->where, "%s", why);
}

/* ---- splits */

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* A name a line; what may stand behind it ("1", "-1") says which class is there. */
static void read_names(struct arena *a, struct set *set, struct str text)
{
    struct str rest = text, line;
    size_t cap = 1;

    for (size_t i = 0; i < text.n; i++)
        cap += text.p[i] == '\n';
    set->names = arena_array(a, cap, sizeof(*set->names));
    while (str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        for (size_t i = 0; i < line.n; i++)
            if (line.p[i] == ' ' || line.p[i] == '\t')
                line.n = i;
        if (line.n)
            set->names[set->n++] = arena_str(a, line);
    }
    qsort(set->names, set->n, sizeof(*set->names), by_name);
}

static enum err read_set(struct reader *r, struct voc *v, size_t file, struct str split)
{
    struct set *set = &v->sets[v->nsets];
    struct buf text;
    enum err e;

    if (v->nsets == SETS)
        return reader_bad(r, file_set_at(r->source, file)->name, "", "there are too many lists");
    v->nsets++;
    set->split = split;
    buf_init(&text, FILE_SET_PLAIN);
    e = file_set_load(r->source, file, &text);
    if (!e)
        read_names(r->arena, set, buf_view(&text));
    buf_release(&text);
    return e ? reader_failed(r, file_set_at(r->source, file)->name, e) : ERR_OK;
}

/* NAME of ".../under/NAMEsuffix"; empty for another path. */
static struct str name_in(struct str path, const char *under, const char *suffix)
{
    size_t n = strlen(under), k = strlen(suffix);
    struct str name = path;

    for (size_t i = path.n; i-- > 0 && path.p[i] != '/';)
        name = (struct str){path.p + i, path.n - i};
    size_t before = path.n - name.n;
    if (before < n || memcmp(path.p + before - n, under, n) != 0 ||
        (before > n && path.p[before - n - 1] != '/') || name.n <= k ||
        memcmp(name.p + name.n - k, suffix, k) != 0)
        return STR("");
    return (struct str){name.p, name.n - k};
}

/* The lists of splits, not those of single classes ("cat_train.txt"), which say no more. */
static enum err open_voc(struct reader *r)
{
    struct voc *v = arena_alloc(r->arena, sizeof(*v));
    bool any = false;
    enum err e = ERR_OK;

    r->state = v;
    for (size_t i = 0; !e && i < file_set_count(r->source); i++) {
        struct str path = file_set_at(r->source, i)->name;
        struct str set = name_in(path, "ImageSets/Main/", ".txt");
        any |= name_in(path, "Annotations/", ".xml").n > 0;
        if (set.n && !memchr(set.p, '_', set.n) && !str_is(set, "trainval"))
            e = read_set(r, v, i, set);
    }
    if (!e && !any)
        e = reader_bad(r, STR("the data set"), "", "has no Annotations/….xml");
    return e;
}

static struct str split_of(const struct voc *v, struct str name)
{
    for (size_t i = 0; i < v->nsets; i++)
        if (v->sets[i].n && bsearch(&name, v->sets[i].names, v->sets[i].n, sizeof(name), by_name))
            return v->sets[i].split;
    return STR("");
}

/* ---- a picture */

static enum err read_object(struct sheet *h, const xmlNode *object)
{
    static const char *const sides[] = {"xmin", "ymin", "xmax", "ymax"};
    const xmlNode *box = xml_child(object, "bndbox");
    double v[4];
    struct mark *m;

    snprintf(h->where, sizeof(h->where), "line %ld", xmlGetLineNo(object));
    for (size_t i = 0; i < ARRAY_LEN(sides); i++)
        if (!reader_number(xml_text_of(h->a, xml_child(box, sides[i])), &v[i]))
            return bad(h, "an object must have a bndbox with xmin, ymin, xmax and ymax");
    if (v[2] < v[0] || v[3] < v[1])
        return bad(h, "the box ends before it begins");
    m = reader_mark(h->item, h->a, SHAPE_BOX, xml_text_of(h->a, xml_child(object, "name")));
    if (!m)
        return bad(h, "the picture has too many objects");
    m->where = arena_copy(h->a, h->where, strlen(h->where));
    m->shape.x = v[0], m->shape.y = v[1], m->shape.w = v[2] - v[0], m->shape.h = v[3] - v[1];
    for (const xmlNode *c = object->children; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, "part") == 0)
            reader_note(h->r, "part");
    return ERR_OK;
}

static enum err read_size(struct sheet *h, const xmlNode *size)
{
    double width, height;

    reader_sides(h->r, h->item->file, &h->item->width, &h->item->height);
    if (!size)
        return ERR_OK;
    if (!reader_number(xml_text_of(h->a, xml_child(size, "width")), &width) ||
        !reader_number(xml_text_of(h->a, xml_child(size, "height")), &height) || width < 0 ||
        height < 0 || width > MASK_SIDE || height > MASK_SIDE)
        return bad(h, "size must have a width and a height");
    if (h->item->width > 0 && width > 0 && (h->item->width != width || h->item->height != height))
        reader_note(h->r, "pictures.size");
    if (width > 0 && height > 0)
        h->item->width = width, h->item->height = height;
    return ERR_OK;
}

static enum err read_annotation(struct sheet *h, const xmlNode *root)
{
    struct str name = xml_text_of(h->a, xml_child(root, "filename"));
    bool several;
    enum err e;

    if (!root || strcmp((const char *)root->name, "annotation") != 0)
        return bad(h, "is no VOC annotation");
    h->item->file =
        reader_picture(h->r, h->item->about, STR("JPEGImages"), STR(""), name, &several);
    if (h->item->file == SIZE_MAX)
        return bad(h, several ? "several files have the name of its picture"
                              : "its picture is not in the data set");
    h->item->name = file_set_at(h->r->source, h->item->file)->name;
    e = read_size(h, xml_child(root, "size"));
    for (const xmlNode *c = root->children; !e && c; c = c->next)
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, "object") == 0)
            e = read_object(h, c);
    return e;
}

static enum err read_file(
    struct sheet *h, size_t file, const struct voc *v, struct str name, bool *got)
{
    xmlDoc *doc;
    enum err e = xml_tree(h->r, file, &doc);

    *got = true;
    h->item->split = split_of(v, name);
    h->item->labelled = true;
    if (!e)
        e = read_annotation(h, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    return e;
}

/* A picture of which nothing is said. */
static bool is_bare_picture(const struct reader *r, struct str path, struct str *name)
{
    static const struct str dir = {"JPEGImages/", 11};
    const char *at = memmem(path.p, path.n, dir.p, dir.n);
    char xml[2 * FILE_SET_NAME];
    struct str stem;

    if (!at || !reader_is_picture(path, &stem))
        return false;
    *name = (struct str){at + dir.n, stem.n - (size_t)(at + dir.n - path.p)};
    int n = snprintf(
        xml, sizeof(xml), "%.*sAnnotations/%.*s.xml", (int)(at - path.p), path.p, STR_FMT(*name));
    return file_set_find(r->source, (struct str){xml, (size_t)n}) == SIZE_MAX;
}

static enum err next(struct reader *r, struct arena *a, struct reader_item *out, bool *got)
{
    struct voc *v = r->state;
    struct sheet h = {.r = r, .a = a, .item = out};
    struct str bare;

    for (; v->file < file_set_count(r->source); v->file++) {
        struct str path = file_set_at(r->source, v->file)->name;
        struct str name = name_in(path, "Annotations/", ".xml");
        out->about = path;
        if (name.n && reader_wants(r, split_of(v, name)))
            return read_file(&h, v->file++, v, name, got);
        if (is_bare_picture(r, path, &bare) && reader_wants(r, split_of(v, bare))) {
            *got = true;
            out->name = path;
            out->split = split_of(v, bare);
            out->file = v->file++;
            return ERR_OK;
        }
    }
    return ERR_OK;
}

const struct format_reader reader_voc = {
    .name = "voc",
    .about = "Pascal VOC: boxes",
    .open = open_voc,
    .next = next,
};
