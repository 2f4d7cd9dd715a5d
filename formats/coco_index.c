/* Owns the first reading of a COCO file: ids and places of images and annotations, and the
 * categories. Looks at no annotation further than its image_id. */
#include "formats/coco_index.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_walk.h"
#include "core/label_check.h"
#include "formats/classes.h"
#include "formats/json_file.h"

enum { RECORDS = 64 << 20, POINT_NAMES = 1000 };

struct str coco_file(const struct reader *r)
{
    const struct coco *c = r->state;

    return file_set_at(r->source, c->files[c->file])->name;
}

static bool add_record(struct records *list, int64_t id, int64_t off, size_t bytes)
{
    if (list->n == RECORDS)
        return false;
    if (list->n == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 1024;
        list->v = realloc(list->v, list->cap * sizeof(*list->v));
        BUG_ON(!list->v);
    }
    list->v[list->n++] = (struct record){id, off, (uint32_t)bytes};
    return true;
}

static int by_id(const void *pa, const void *pb)
{
    const struct record *a = pa, *b = pb;

    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->off > b->off) - (a->off < b->off);
}

/* ---- the first reading */

static enum err bad_record(struct reader *r, const char *what, size_t n, const char *why)
{
    char where[READER_WHERE];

    r->over = true;
    snprintf(where, sizeof(where), "%s[%zu]", what, n);
    return reader_bad(r, coco_file(r), where, "%s", why);
}

/* A whole number at a member of an object in text. */
static bool whole_at(struct str text, const char *name, int64_t *out)
{
    struct json_member m;

    while (json_walk(&text, &m))
        if (str_is(m.key, name))
            return str_int(m.value, out);
    return false;
}

static enum err note_image(struct reader *r, struct str text, int64_t off)
{
    struct coco *c = r->state;
    int64_t id;

    if (text.p[0] != '{' || !whole_at(text, "id", &id))
        return bad_record(r, "images", c->images.n, "must be an object with a whole number as id");
    if (!add_record(&c->images, id, off, text.n))
        return bad_record(r, "images", c->images.n, "there are too many");
    return ERR_OK;
}

static enum err note_annotation(struct reader *r, struct str text, int64_t off)
{
    struct coco *c = r->state;
    int64_t image;

    if (text.p[0] != '{' || !whole_at(text, "image_id", &image))
        return bad_record(r, "annotations", c->annotations.n,
            "must be an object with a whole number as image_id");
    if (!add_record(&c->annotations, image, off, text.n))
        return bad_record(r, "annotations", c->annotations.n, "there are too many");
    return ERR_OK;
}

struct json_object *coco_get(struct json_object *o, const char *name)
{
    return json_object_is_type(o, json_type_object) ? member_of(o, name) : NULL;
}

struct str coco_text(struct json_object *o, const char *name)
{
    struct json_object *v = coco_get(o, name);

    return json_object_is_type(v, json_type_string) ? json_str(v) : STR("");
}

static bool read_points(struct arena *a, struct json_object *list, struct category *k)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    if ((list && n == 0 && !json_object_is_type(list, json_type_array)) || n > POINT_NAMES)
        return false;
    k->points = arena_array(a, n + 1, sizeof(*k->points));
    k->npoints = n;
    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        if (!json_object_is_type(one, json_type_string))
            return false;
        k->points[i] = arena_str(a, json_str(one));
    }
    return true;
}

const struct category *coco_category(const struct coco *c, int64_t id)
{
    for (size_t i = 0; i < c->ncategories; i++)
        if (c->categories[i].id == id)
            return &c->categories[i];
    return NULL;
}

static enum err note_category(struct reader *r, struct str text, int64_t off)
{
    struct coco *c = r->state;
    struct json_object *o = json_tokener_parse(arena_copy(c->arena, text.p, text.n));
    struct json_object *id = coco_get(o, "id");
    struct category k = {.id = json_object_get_int64(id)};
    const char *why = NULL;

    (void)off;
    if (!json_object_is_type(id, json_type_int) || coco_text(o, "name").n == 0)
        why = "must be an object with id and name";
    else if (coco_category(c, k.id))
        why = "its id is there twice";
    else if (c->ncategories == CLASSES_MAX)
        why = "there are too many";
    else if (!read_points(c->arena, coco_get(o, "keypoints"), &k))
        why = "keypoints must be a list of names";
    k.name = arena_str(c->arena, coco_text(o, "name"));
    json_object_put(o);
    if (why)
        return bad_record(r, "categories", c->ncategories, why);
    if (c->ncategories == c->categories_cap) {
        c->categories_cap = c->categories_cap ? 2 * c->categories_cap : 64;
        c->categories = realloc(c->categories, c->categories_cap * sizeof(k));
        BUG_ON(!c->categories);
    }
    c->categories[c->ncategories++] = k;
    return ERR_OK;
}

static const struct section {
    const char *name;
    enum err (*note)(struct reader *r, struct str text, int64_t off);
} sections[] = {
    {"images", note_image},
    {"annotations", note_annotation},
    {"categories", note_category},
};

static enum err read_section(
    struct json_file *f, enum err (*note)(struct reader *r, struct str text, int64_t off))
{
    struct str text;
    int64_t off;
    char c;
    enum err e = json_file_take(f, "[", &c);

    if (!e)
        e = json_file_peek(f, &c);
    if (!e && c == ']')
        return json_file_take(f, "]", &c);
    while (!e && c != ']') {
        e = json_file_value(f, &text, &off);
        if (!e)
            e = note(f->r, text, off);
        if (!e)
            e = json_file_take(f, ",]", &c);
    }
    return e;
}

static enum err read_member(struct json_file *f, unsigned *seen)
{
    struct str key, skipped;
    int64_t off;
    size_t i = 0;
    char c;
    enum err e = json_file_value(f, &key, &off);

    if (e)
        return e;
    if (key.p[0] != '"')
        return reader_bad(f->r, coco_file(f->r), "", "is no JSON object");
    key = (struct str){key.p + 1, key.n - 2};
    while (i < ARRAY_LEN(sections) && !str_is(key, sections[i].name))
        i++;
    e = json_file_take(f, ":", &c);
    if (e || i == ARRAY_LEN(sections))
        return e ? e : json_file_value(f, &skipped, &off);
    if (*seen & 1U << i) {
        f->r->over = true;
        return reader_bad(f->r, coco_file(f->r), "", "has \"%s\" twice", sections[i].name);
    }
    *seen |= 1U << i;
    return read_section(f, sections[i].note);
}

static enum err read_members(struct json_file *f)
{
    unsigned seen = 0;
    char c;
    enum err e = json_file_take(f, "{", &c);

    if (!e)
        e = json_file_peek(f, &c);
    while (!e && c != '}') {
        e = read_member(f, &seen);
        if (!e)
            e = json_file_take(f, ",}", &c);
    }
    if (!e)
        e = json_file_end(f);
    if (!e && seen != (1U << ARRAY_LEN(sections)) - 1) {
        f->r->over = true;
        return reader_bad(f->r, coco_file(f->r), "", "has no images, annotations or categories");
    }
    return e;
}

struct str coco_split(struct str name)
{
    size_t from = name.n;

    while (from > 0 && name.p[from - 1] != '/')
        from--;
    name = (struct str){name.p + from, name.n - from - strlen(".json")};
    for (size_t i = name.n; i-- > 0;)
        if (name.p[i] == '_')
            return (struct str){name.p + i + 1, name.n - i - 1};
    return STR("");
}

void coco_forget(struct coco *c)
{
    c->images.n = c->annotations.n = 0;
    c->ncategories = 0;
    c->image = c->annotation = 0;
    arena_free(c->arena);
    c->arena = NULL;
}

/* Every annotation must have its image, and every image one name. */
static enum err check_ids(struct reader *r)
{
    struct coco *c = r->state;
    size_t k = 0;

    for (size_t i = 1; i < c->images.n; i++)
        if (c->images.v[i].id == c->images.v[i - 1].id) {
            r->over = true;
            return reader_bad(r, coco_file(r), "", "the image id %lld is there twice",
                (long long)c->images.v[i].id);
        }
    for (size_t i = 0; i < c->annotations.n; i++) {
        while (k < c->images.n && c->images.v[k].id < c->annotations.v[i].id)
            k++;
        if (k == c->images.n || c->images.v[k].id != c->annotations.v[i].id) {
            r->over = true;
            return reader_bad(r, coco_file(r), "",
                "an annotation is of the image %lld, which is not there",
                (long long)c->annotations.v[i].id);
        }
    }
    return ERR_OK;
}

enum err coco_index(struct reader *r)
{
    struct coco *c = r->state;
    struct json_file f;
    enum err e;

    coco_forget(c);
    c->arena = arena_new();
    c->split = coco_split(coco_file(r));
    json_file_open(&f, r, c->files[c->file]);
    e = read_members(&f);
    json_file_close(&f);
    if (e)
        return e;
    qsort(c->images.v, c->images.n, sizeof(struct record), by_id);
    qsort(c->annotations.v, c->annotations.n, sizeof(struct record), by_id);
    return check_ids(r);
}
