/* Owns reading COCO: every JSON file of the source that has "images" and "annotations". The file is
 * read once from end to end (coco_index.c), to learn where each image and each annotation lies, and
 * then once more image by image. Pictures lie in images/SPLIT/ or wherever their file_name says;
 * those that are not there are named by coco_url. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/label_check.h"
#include "formats/coco_index.h"
#include "formats/json_file.h"

enum { PARTS = 1000 };

/* What goes into one task. */
struct sheet {
    struct reader *r;
    struct coco *c;
    struct arena *a;
    struct reader_item *item;
    struct json_object *annotation;
    const struct category *category;
    char where[READER_WHERE];
};

/* annotations/x.json, or any other JSON file when there is no such directory. */
static bool is_wanted(struct str name, bool anywhere)
{
    struct str end = STR(".json");
    struct str rest = name, part;
    bool inside = false;

    if (name.n <= end.n || memcmp(name.p + name.n - end.n, end.p, end.n) != 0 ||
        str_is(name, "EXPORT.json"))
        return false;
    while (str_split(&rest, '/', &part))
        inside |= str_is(part, "annotations") && rest.p;
    return inside || anywhere;
}

static enum err open_coco(struct reader *r)
{
    struct coco *c = arena_alloc(r->arena, sizeof(*c));
    size_t n = file_set_count(r->source);

    r->state = c;
    buf_init(&c->text, JSON_FILE_VALUE);
    c->files = arena_array(r->arena, n, sizeof(*c->files));
    for (int anywhere = 0; anywhere < 2 && c->nfiles == 0; anywhere++)
        for (size_t i = 0; i < n; i++) {
            struct str name = file_set_at(r->source, i)->name;
            if (is_wanted(name, anywhere) && reader_wants(r, coco_split(name)))
                c->files[c->nfiles++] = i;
        }
    if (c->nfiles == 0)
        return reader_bad(r, STR("the data set"), "", "has no annotations/….json%s",
            r->split.n ? " of that split" : "");
    return coco_index(r);
}

static void close_coco(struct reader *r)
{
    struct coco *c = r->state;

    if (!c)
        return;
    coco_forget(c);
    free(c->images.v);
    free(c->annotations.v);
    free(c->categories);
    buf_release(&c->text);
}

/* ---- the second reading */

static enum err load(struct reader *r, const struct record *at, struct json_object **out)
{
    struct coco *c = r->state;
    char piece[64 << 10];

    buf_clear(&c->text);
    for (int64_t done = 0; done < at->bytes;) {
        size_t want =
            (size_t)(at->bytes - done) < sizeof(piece) ? (size_t)(at->bytes - done) : sizeof(piece);
        ssize_t n = file_set_read(r->source, c->files[c->file], at->off + done, piece, want);
        if (n <= 0)
            return reader_failed(r, coco_file(r), ERR_IO);
        buf_add(&c->text, piece, (size_t)n);
        done += n;
    }
    *out = buf_err(&c->text) ? NULL : json_tokener_parse(c->text.p);
    if (!*out) /* it was good when it was scanned: the file has changed */
        return reader_failed(r, coco_file(r), ERR_IO);
    return ERR_OK;
}

static enum err bad(struct sheet *h, const char *fmt, ...) PRINTF(2, 3);
static enum err bad(struct sheet *h, const char *fmt, ...)
{
    char why[READER_WHY];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    return reader_bad(h->r, coco_file(h->r), h->where, "%s", why);
}

static bool numbers(struct json_object *list, double *out, size_t n)
{
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_number(json_object_array_get_idx(list, i), &out[i]))
            return false;
    return true;
}

/* ---- run lengths: column by column, zeros first */

struct runs {
    struct mask *mask;
    uint64_t at, all;
    bool set;
};

static bool add_run(struct runs *r, uint64_t length)
{
    if (length > r->all - r->at)
        return false;
    for (uint64_t i = r->at; r->set && i < r->at + length; i++)
        mask_set(r->mask, (size_t)(i / r->mask->height), (size_t)(i % r->mask->height));
    r->at += length;
    r->set = !r->set;
    return true;
}

/* cocoapi's text: digits of 5 bits, each number against the one two before it. */
static bool text_runs(struct runs *r, struct str text)
{
    int64_t before[2] = {0, 0};
    size_t n = 0;

    for (size_t i = 0; i < text.n; n++) {
        int64_t v = 0;
        int shift = 0, c = 0x20;
        while (c & 0x20) {
            if (i == text.n || shift > 50)
                return false;
            c = text.p[i++] - 48;
            if (c < 0 || c > 63)
                return false;
            v |= (int64_t)(c & 0x1f) << shift;
            shift += 5;
        }
        if (c & 0x10)
            v -= (int64_t)1 << shift;
        if (n > 2)
            v += before[n % 2];
        before[n % 2] = v;
        if (v < 0 || !add_run(r, (uint64_t)v))
            return false;
    }
    return r->at == r->all;
}

static bool list_runs(struct runs *r, struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        int64_t v = json_object_get_int64(one);
        if (!json_object_is_type(one, json_type_int) || v < 0 || !add_run(r, (uint64_t)v))
            return false;
    }
    return r->at == r->all;
}

static enum err read_mask(struct sheet *h, struct json_object *rle, struct mark *m)
{
    struct json_object *counts = coco_get(rle, "counts");
    struct runs runs = {.mask = &m->mask};
    double size[2];
    bool good;

    if (!numbers(coco_get(rle, "size"), size, 2) || size[0] != h->item->height ||
        size[1] != h->item->width)
        return bad(h, "the mask's size is not that of its picture");
    if (reader_mask(h->item, h->a, m))
        return bad(h, "the masks of the picture are too large");
    runs.all = (uint64_t)m->mask.width * m->mask.height;
    if (json_object_is_type(counts, json_type_string))
        good = text_runs(&runs, json_str(counts));
    else
        good = json_object_is_type(counts, json_type_array) && list_runs(&runs, counts);
    return good ? ERR_OK : bad(h, "the mask's run lengths do not add up to its picture");
}

/* ---- one annotation */

static enum err read_polygon(struct sheet *h, struct json_object *list, struct mark *m)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct point *v = arena_array(h->a, n / 2 + 1, sizeof(*v));

    if (n < 6 || n % 2)
        return bad(h, "a polygon must be at least three pairs of numbers");
    for (size_t i = 0; i < n / 2; i++)
        if (!is_number(json_object_array_get_idx(list, 2 * i), &v[i].x) ||
            !is_number(json_object_array_get_idx(list, 2 * i + 1), &v[i].y))
            return bad(h, "a polygon must be of numbers");
    m->shape.kind = SHAPE_POLYGON;
    m->shape.v = v;
    m->shape.n = n / 2;
    return ERR_OK;
}

static struct mark *new_mark(struct sheet *h, enum shape_kind kind, struct str label)
{
    struct mark *m = reader_mark(h->item, h->a, kind, label);

    if (m)
        m->where = arena_copy(h->a, h->where, strlen(h->where));
    return m;
}

static enum err too_many(struct sheet *h)
{
    return bad(h, "the picture has more than %d regions", READER_MARKS);
}

static enum err read_bound(struct sheet *h, struct mark *m)
{
    double box[4];

    if (!numbers(coco_get(h->annotation, "bbox"), box, 4) || !(box[2] >= 0) || !(box[3] >= 0))
        return bad(h, "bbox must be [x, y, width, height], the sides not below 0");
    m->shape.x = box[0], m->shape.y = box[1], m->shape.w = box[2], m->shape.h = box[3];
    m->has_bound = true;
    m->low = (struct point){box[0], box[1]};
    m->high = (struct point){box[0] + box[2], box[1] + box[3]};
    return ERR_OK;
}

/* Further polygons of one object become regions of their own. */
static enum err read_parts(struct sheet *h, struct json_object *list)
{
    size_t n = json_object_array_length(list);
    enum err e = ERR_OK;

    if (n > PARTS)
        return bad(h, "it has more than %d polygons", PARTS);
    for (size_t i = 1; !e && i < n; i++) {
        struct mark *m = new_mark(h, SHAPE_POLYGON, h->category->name);
        if (!m)
            return too_many(h);
        reader_note(h->r, "parts");
        e = read_polygon(h, json_object_array_get_idx(list, i), m);
    }
    return e;
}

static enum err read_points_of(struct sheet *h, struct json_object *list, size_t owner)
{
    const struct category *k = h->category;
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    double p[3];

    if (!json_object_is_type(list, json_type_array) || n != 3 * k->npoints)
        return bad(h, "keypoints must be three numbers for each of the category's %zu key points",
            k->npoints);
    for (size_t i = 0; i < n; i += 3) {
        for (size_t d = 0; d < 3; d++)
            if (!is_number(json_object_array_get_idx(list, i + d), &p[d]))
                return bad(h, "keypoints must be numbers");
        if (p[2] == 0)
            continue;
        if (p[2] != 2)
            reader_note(h->r, "keypoints.hidden");
        struct mark *m = new_mark(h, SHAPE_POINT, k->points[i / 3]);
        if (!m)
            return too_many(h);
        m->shape.x = p[0], m->shape.y = p[1];
        m->owner = owner;
    }
    return ERR_OK;
}

static void read_attributes(struct sheet *h, struct mark *m)
{
    struct json_object *said = coco_get(h->annotation, "attributes");
    struct mark_said *v;

    if (!json_object_is_type(said, json_type_object))
        return;
    v = arena_array(h->a, (size_t)json_object_object_length(said) + 1, sizeof(*v));
    m->said = v;
    json_object_object_foreach(said, key, value)
    {
        struct buf text;
        size_t n =
            json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
        buf_init(&text, BUF_MAX_JSON);
        if (n == 0 && value)
            buf_puts(&text, json_object_get_string(value));
        for (size_t i = 0; i < n; i++) {
            buf_puts(&text, i ? "\n" : "");
            buf_puts(&text, json_object_get_string(json_object_array_get_idx(value, i)));
        }
        v[m->nsaid].name = arena_str(h->a, str_of(key));
        v[m->nsaid++].text = arena_str(h->a, buf_view(&text));
        buf_release(&text);
    }
}

static enum err read_shape(struct sheet *h, struct mark *m)
{
    struct json_object *seg = coco_get(h->annotation, "segmentation");
    enum err e = read_bound(h, m);

    if (e)
        return e;
    if (json_object_is_type(seg, json_type_object) && json_object_object_length(seg) > 0) {
        m->shape.kind = SHAPE_MASK;
        return read_mask(h, seg, m);
    }
    if (json_object_is_type(seg, json_type_array) && json_object_array_length(seg) > 0)
        return read_polygon(h, json_object_array_get_idx(seg, 0), m);
    if (seg && !json_object_is_type(seg, json_type_array) &&
        !json_object_is_type(seg, json_type_object))
        return bad(h, "segmentation must be polygons or run lengths");
    return ERR_OK;
}

static enum err read_annotation(struct sheet *h)
{
    struct json_object *o = h->annotation, *seg = coco_get(o, "segmentation");
    struct mark *m;
    size_t owner;
    enum err e;

    snprintf(h->where, sizeof(h->where), "annotation %.40s",
        coco_get(o, "id") ? json_object_get_string(coco_get(o, "id")) : "without id");
    h->category = json_object_is_type(coco_get(o, "category_id"), json_type_int)
                      ? coco_category(h->c, json_object_get_int64(coco_get(o, "category_id")))
                      : NULL;
    if (!h->category)
        return bad(h, "category_id is not that of a category");
    m = new_mark(h, SHAPE_BOX, h->category->name);
    if (!m)
        return too_many(h);
    owner = h->item->nmarks;
    if (json_object_get_int64(coco_get(o, "iscrowd")) != 0)
        reader_note(h->r, "iscrowd");
    read_attributes(h, m);
    e = read_shape(h, m);
    if (!e && m->shape.kind == SHAPE_POLYGON)
        e = read_parts(h, seg);
    if (!e && coco_get(o, "keypoints"))
        e = read_points_of(h, coco_get(o, "keypoints"), owner);
    return e;
}

/* ---- one image */

static enum err find_picture(struct sheet *h, struct json_object *image)
{
    struct str name = coco_text(image, "file_name"), url = coco_text(image, "coco_url");
    bool several;

    if (name.n == 0)
        return bad(h, "file_name is missing");
    h->item->file =
        reader_picture(h->r, coco_file(h->r), STR("images"), h->c->split, name, &several);
    if (h->item->file != SIZE_MAX) {
        h->item->name = file_set_at(h->r->source, h->item->file)->name;
        return ERR_OK;
    }
    if (several || url.n == 0)
        return bad(h, several ? "several files are called %.*s" : "there is no file %.*s",
            (int)(name.n < 200 ? name.n : 200), name.p);
    h->item->name = arena_str(h->a, name);
    h->item->url = arena_str(h->a, url);
    return ERR_OK;
}

static enum err read_image(struct sheet *h, struct json_object *image)
{
    double width = 0, height = 0;
    enum err e = find_picture(h, image);

    if (e)
        return e;
    if (h->item->file != SIZE_MAX)
        reader_sides(h->r, h->item->file, &h->item->width, &h->item->height);
    if (coco_get(image, "width") || coco_get(image, "height")) {
        if (!is_number(coco_get(image, "width"), &width) ||
            !is_number(coco_get(image, "height"), &height) || !(width >= 0) || !(height >= 0) ||
            width > MASK_SIDE || height > MASK_SIDE)
            return bad(h, "width and height must be numbers from 0 to %d", MASK_SIDE);
        if (h->item->width > 0 && (h->item->width != width || h->item->height != height))
            reader_note(h->r, "pictures.size");
    }
    if (width > 0 && height > 0)
        h->item->width = width, h->item->height = height;
    return ERR_OK;
}

/* Those of a bad image, or behind a bad one, are passed over. */
static enum err read_annotations(struct sheet *h, int64_t image, enum err bad_image)
{
    struct coco *c = h->c;
    enum err e = bad_image;

    for (; c->annotation < c->annotations.n && c->annotations.v[c->annotation].id == image;
         c->annotation++) {
        if (e)
            continue;
        enum err one = load(h->r, &c->annotations.v[c->annotation], &h->annotation);
        if (one)
            return one;
        e = read_annotation(h);
        json_object_put(h->annotation);
    }
    return e;
}

static enum err next(struct reader *r, struct arena *a, struct reader_item *out, bool *got)
{
    struct coco *c = r->state;
    struct sheet h = {.r = r, .c = c, .a = a, .item = out};
    struct json_object *image;
    enum err e;

    while (c->image == c->images.n) {
        if (c->file + 1 == c->nfiles)
            return ERR_OK;
        c->file++;
        if ((e = coco_index(r)))
            return e;
    }
    const struct record *at = &c->images.v[c->image++];
    *got = true;
    out->about = coco_file(r);
    out->split = c->split;
    out->labelled = true;
    snprintf(h.where, sizeof(h.where), "image %lld", (long long)at->id);
    e = load(r, at, &image);
    if (e)
        return e;
    e = read_image(&h, image);
    json_object_put(image);
    return read_annotations(&h, at->id, e);
}

const struct format_reader reader_coco = {
    .name = "coco",
    .about = "COCO: boxes, polygons, masks, key points",
    .open = open_coco,
    .next = next,
    .close = close_coco,
};
