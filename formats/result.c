/* Owns making result items of marks: percent of the picture, one item a region, one an answer. What
 * fits no control in its own shape is taken as the nearest that fits, and counted; what fits none
 * is refused, with the label's name. */
#include "formats/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/label_doc.h"
#include "core/mask_outline.h"
#include "core/polygon.h"

enum { EXACT_DIGITS = 15, TASK_MAX = 8 << 20, NAME_BYTES = 500 /* of an external id */ };
#define CLIP_QUIET  1e-4 /* percent: less is rounding */
#define POINT_WIDTH 0.5  /* percent: how large the editor draws a key point */
#define QUAD_EXACT  0.01 /* pixels that the corners of a box may lie beside it */

struct making {
    struct reader *r;
    const struct result_options *o;
    const struct reader_item *item;
    const struct label_object *image;
    struct arena *arena;
    struct buf *out;
};

/* The mark at hand with its size and its new label. */
struct piece {
    const struct mark *mark;
    struct shape shape;
    struct str label;
    char id[24];
};

PRINTF(3, 4)
static enum err bad(const struct making *m, const struct mark *mark, const char *fmt, ...)
{
    char why[READER_WHY];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    return reader_bad(m->r, m->item->about, mark ? mark->where : "", "%s", why);
}

/* ---- the config */

static const struct label_object *image_of(const struct label_config *config)
{
    const struct label_object *o = config->objects;

    while (o && !(str_is(o->type, "Image") && o->field.n && !o->list && !o->name.indexed))
        o = o->next;
    return o;
}

struct str result_field(const struct label_config *config)
{
    const struct label_object *o = image_of(config);

    return o ? o->field : STR("");
}

static bool is_for(const struct label_control *k, const struct label_object *image)
{
    const struct label_target *t = k->to;

    while (t && t->object != image)
        t = t->next;
    return t != NULL && !k->name.indexed;
}

static const struct label_control *control_for(
    const struct making *m, const char *type, struct str label)
{
    for (const struct label_control *k = m->o->config->controls; k; k = k->next)
        if (str_is(k->type, type) && is_for(k, m->image) &&
            (k->dynamic || label_value_any(k, label)))
            return k;
    return NULL;
}

static struct str mapped(const struct making *m, struct str label)
{
    struct str rest = m->o->map, pair, from;

    while (rest.n && str_split(&rest, ',', &pair))
        if (str_split(&pair, '=', &from) && pair.p && str_eq(from, label))
            return pair;
    return label;
}

/* ---- numbers */

static void number(struct buf *out, double v)
{
    buf_printf(out, "%.*g", EXACT_DIGITS, v == 0 ? 0 : v); /* no -0 */
}

/* Percent of a side. What stands over the picture is cut off, as data sets round, and counted; what
 * lies far outside is no place on it. */
static bool percent(const struct making *m, double v, double side, double *out)
{
    *out = v / side * 100;
    if (!isfinite(*out) || *out < -100 || *out > 200)
        return false;
    if (*out < -CLIP_QUIET || *out > 100 + CLIP_QUIET)
        reader_note(m->r, "clipped");
    *out = *out < 0 ? 0 : *out > 100 ? 100 : *out;
    return true;
}

static void member(struct buf *out, const char *name, double v)
{
    buf_printf(out, "\"%s\":", name);
    number(out, v);
    buf_putc(out, ',');
}

/* ---- values */

static bool put_box(const struct making *m, const struct piece *p)
{
    const struct shape *s = &p->shape;
    double width = m->item->width, height = m->item->height, x, y, right, bottom;

    if (!(s->w >= 0 && s->h >= 0) || !percent(m, s->x, width, &x) || !percent(m, s->y, height, &y))
        return false;
    if (s->rotation == 0) {
        if (!percent(m, s->x + s->w, width, &right) || !percent(m, s->y + s->h, height, &bottom))
            return false;
        member(m->out, "x", x);
        member(m->out, "y", y);
        member(m->out, "width", right - x);
        member(m->out, "height", bottom - y);
    } else {
        member(m->out, "x", x);
        member(m->out, "y", y);
        member(m->out, "width", fmin(s->w / width * 100, 100));
        member(m->out, "height", fmin(s->h / height * 100, 100));
    }
    member(m->out, "rotation", s->rotation);
    return true;
}

static bool put_ellipse(const struct making *m, const struct piece *p)
{
    const struct shape *s = &p->shape;
    double x, y;

    if (!(s->w >= 0 && s->h >= 0) || !percent(m, s->x, m->item->width, &x) ||
        !percent(m, s->y, m->item->height, &y))
        return false;
    member(m->out, "x", x);
    member(m->out, "y", y);
    member(m->out, "radiusX", s->w / m->item->width * 100);
    member(m->out, "radiusY", s->h / m->item->height * 100);
    member(m->out, "rotation", s->rotation);
    return true;
}

static bool put_point(const struct making *m, const struct piece *p)
{
    double x, y;

    if (!percent(m, p->shape.x, m->item->width, &x) || !percent(m, p->shape.y, m->item->height, &y))
        return false;
    member(m->out, "x", x);
    member(m->out, "y", y);
    member(m->out, "width", POINT_WIDTH);
    return true;
}

static bool put_points(const struct making *m, const struct piece *p)
{
    double x, y;

    buf_puts(m->out, "\"points\":[");
    for (size_t i = 0; i < p->shape.n; i++) {
        if (!percent(m, p->shape.v[i].x, m->item->width, &x) ||
            !percent(m, p->shape.v[i].y, m->item->height, &y))
            return false;
        buf_puts(m->out, i ? ",[" : "[");
        number(m->out, x);
        buf_putc(m->out, ',');
        number(m->out, y);
        buf_putc(m->out, ']');
    }
    buf_printf(m->out, "],\"closed\":%s,", p->shape.kind == SHAPE_LINE ? "false" : "true");
    return true;
}

static bool put_vertices(const struct making *m, const struct piece *p)
{
    double x, y;

    buf_puts(m->out, "\"vertices\":[");
    for (size_t i = 0; i < p->shape.n; i++) {
        if (!percent(m, p->shape.v[i].x, m->item->width, &x) ||
            !percent(m, p->shape.v[i].y, m->item->height, &y))
            return false;
        buf_printf(m->out, "%s{\"id\":\"p%zu\",", i ? "," : "", i);
        if (i)
            buf_printf(m->out, "\"prevPointId\":\"p%zu\",", i - 1);
        member(m->out, "x", x);
        member(m->out, "y", y);
        buf_puts(m->out, "\"isBezier\":false}");
    }
    buf_puts(m->out, "],\"closed\":false,");
    return true;
}

static bool put_mask(const struct making *m, const struct piece *p)
{
    if ((double)p->mark->mask.width != m->item->width ||
        (double)p->mark->mask.height != m->item->height)
        return false;
    buf_puts(m->out, "\"format\":\"rle\",\"rle\":");
    brush_encode(&p->mark->mask, m->out);
    buf_putc(m->out, ',');
    return true;
}

/* ---- fitting: the first row whose control has the label and whose change of the shape works */

static enum err as_it_is(const struct making *m, struct piece *p)
{
    (void)m, (void)p;
    return ERR_OK;
}

/* A polygon that is a box in all but name, as a turned box is in COCO. */
static enum err polygon_is_box(const struct making *m, struct piece *p)
{
    struct shape box = p->shape;

    (void)m;
    if (p->shape.n != 4 || reader_quad(p->shape.v, &box) > QUAD_EXACT)
        return ERR_NOT_FOUND;
    p->shape = box;
    return ERR_OK;
}

static enum err bounded(
    const struct making *m, struct piece *p, struct point low, struct point high)
{
    reader_note(m->r, "as_box");
    p->shape.kind = SHAPE_BOX;
    p->shape.x = low.x, p->shape.y = low.y;
    p->shape.w = high.x - low.x, p->shape.h = high.y - low.y;
    p->shape.rotation = 0;
    return ERR_OK;
}

static enum err polygon_to_box(const struct making *m, struct piece *p)
{
    struct polygon outline = {.v = (struct point *)(uintptr_t)p->shape.v, .n = p->shape.n};

    if (p->mark->has_bound)
        return bounded(m, p, p->mark->low, p->mark->high);
    polygon_bound(&outline);
    return bounded(m, p, outline.low, outline.high);
}

static enum err mask_to_box(const struct making *m, struct piece *p)
{
    size_t left, top, width, height;

    if (mask_bound(&p->mark->mask, &left, &top, &width, &height) == 0)
        return ERR_NOT_FOUND;
    return bounded(m, p, (struct point){(double)left, (double)top},
        (struct point){(double)(left + width), (double)(top + height)});
}

/* The largest part of it. */
static enum err mask_to_polygon(const struct making *m, struct piece *p)
{
    struct mask_parts parts = {0};
    size_t best = 0;
    enum err e = mask_outline(m->arena, &p->mark->mask, &parts);

    if (e || parts.n == 0)
        return e ? e : ERR_NOT_FOUND;
    for (size_t i = 1; i < parts.n; i++)
        if (polygon_area(&parts.v[i]) > polygon_area(&parts.v[best]))
            best = i;
    reader_note(m->r, parts.n > 1 || parts.holes ? "as_largest_polygon" : "as_polygon");
    p->shape.kind = SHAPE_POLYGON;
    p->shape.v = parts.v[best].v;
    p->shape.n = parts.v[best].n;
    return ERR_OK;
}

static const struct fit {
    enum shape_kind kind;
    const char *control, *type;
    enum err (*change)(const struct making *m, struct piece *p); /* ERR_NOT_FOUND: not this one */
    bool (*put)(const struct making *m, const struct piece *p);
} fits[] = {
    {SHAPE_BOX, "RectangleLabels", "rectanglelabels", as_it_is, put_box},
    {SHAPE_ELLIPSE, "EllipseLabels", "ellipselabels", as_it_is, put_ellipse},
    {SHAPE_POINT, "KeyPointLabels", "keypointlabels", as_it_is, put_point},
    {SHAPE_POLYGON, "PolygonLabels", "polygonlabels", as_it_is, put_points},
    {SHAPE_POLYGON, "RectangleLabels", "rectanglelabels", polygon_is_box, put_box},
    {SHAPE_POLYGON, "RectangleLabels", "rectanglelabels", polygon_to_box, put_box},
    {SHAPE_LINE, "VectorLabels", "vectorlabels", as_it_is, put_vertices},
    {SHAPE_LINE, "PolygonLabels", "polygonlabels", as_it_is, put_points},
    {SHAPE_MASK, "BrushLabels", "brushlabels", as_it_is, put_mask},
    {SHAPE_MASK, "PolygonLabels", "polygonlabels", mask_to_polygon, put_points},
    {SHAPE_MASK, "RectangleLabels", "rectanglelabels", mask_to_box, put_box},
};

static enum err no_control(const struct making *m, const struct piece *p)
{
    char wanted[200] = "";

    for (size_t i = 0; i < ARRAY_LEN(fits); i++)
        if (fits[i].kind == p->mark->shape.kind && !strstr(wanted, fits[i].control))
            snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s<%s>",
                *wanted ? " or " : "", fits[i].control);
    return bad(m, p->mark,
        "the label config has no %s for images with the label \"%.*s\" (--map OLD=NEW gives labels "
        "other names)",
        wanted, (int)(p->label.n < 100 ? p->label.n : 100), p->label.p);
}

static enum err find_fit(const struct making *m, struct piece *p, const struct fit **fit,
    const struct label_control **control)
{
    enum err e = ERR_NOT_FOUND;

    for (size_t i = 0; i < ARRAY_LEN(fits) && e == ERR_NOT_FOUND; i++) {
        if (fits[i].kind != p->mark->shape.kind)
            continue;
        *fit = &fits[i];
        *control = control_for(m, fits[i].control, p->label);
        if (*control)
            e = fits[i].change(m, p);
    }
    return e == ERR_NOT_FOUND ? no_control(m, p) : e;
}

/* ---- items */

static void open_item(
    const struct making *m, const char *id, const struct label_control *control, const char *type)
{
    buf_puts(m->out, m->out->p[m->out->n - 1] == '[' ? "{" : ",{");
    if (*id)
        buf_printf(m->out, "\"id\":\"%s\",", id);
    buf_puts(m->out, "\"from_name\":");
    buf_json(m->out, control->name.text);
    buf_puts(m->out, ",\"to_name\":");
    buf_json(m->out, m->image->name.text);
    buf_printf(m->out, ",\"type\":\"%s\",", type);
    if (m->item->width > 0) {
        member(m->out, "original_width", m->item->width);
        member(m->out, "original_height", m->item->height);
        buf_puts(m->out, "\"image_rotation\":0,");
    }
    buf_puts(m->out, "\"value\":{");
}

static void put_choice(struct buf *out, const struct label_control *control, struct str text)
{
    struct str rest = text, one;

    buf_puts(out, "\"choices\":[");
    while (str_split(&rest, '\n', &one))
        if (one.n && (control->dynamic || label_value_any(control, one))) {
            buf_json(out, one);
            buf_putc(out, ',');
        }
    buf_chop(out, ',');
    buf_putc(out, ']');
}

static bool is_choice(const struct label_control *control, struct str text)
{
    struct str rest = text, one;
    bool any = false;

    while (str_split(&rest, '\n', &one)) {
        if (one.n && !control->dynamic && !label_value_any(control, one))
            return false;
        any |= one.n > 0;
    }
    return any;
}

/* An answer about a region, where the config asks one of that name; else it is counted. */
static void put_said(const struct making *m, const struct piece *p, const struct mark_said *said)
{
    const struct label_control *k = label_control_find(m->o->config, said->name);
    char note[READER_NOTE];
    double v;

    if (k && k->per_region && is_for(k, m->image)) {
        if (str_is(k->type, "Choices") && is_choice(k, said->text)) {
            open_item(m, p->id, k, "choices");
            put_choice(m->out, k, said->text);
            buf_puts(m->out, "}}");
            return;
        }
        if (str_is(k->type, "TextArea") && said->text.n) {
            open_item(m, p->id, k, "textarea");
            buf_puts(m->out, "\"text\":[");
            buf_json(m->out, said->text);
            buf_puts(m->out, "]}}");
            return;
        }
        if ((str_is(k->type, "Number") || str_is(k->type, "Rating")) &&
            reader_number(said->text, &v)) {
            bool rating = str_is(k->type, "Rating");
            open_item(m, p->id, k, rating ? "rating" : "number");
            buf_printf(m->out, "\"%s\":", rating ? "rating" : "number");
            number(m->out, v);
            buf_puts(m->out, "}}");
            return;
        }
    }
    snprintf(note, sizeof(note), "attribute.%.*s", (int)(said->name.n < 30 ? said->name.n : 30),
        said->name.p);
    reader_note(m->r, note);
}

static enum err put_mark(const struct making *m, size_t at)
{
    const struct mark *mark = &m->item->marks[at];
    struct piece p = {.mark = mark, .shape = mark->shape};
    const struct fit *fit = NULL;
    const struct label_control *control = NULL;
    enum err e;

    p.label = mapped(m, mark->shape.labels[0]);
    snprintf(p.id, sizeof(p.id), "r%zu", at + 1);
    if (p.label.n == 0)
        return bad(m, mark, "it has no label");
    e = find_fit(m, &p, &fit, &control);
    if (e)
        return e;
    open_item(m, p.id, control, fit->type);
    if (!fit->put(m, &p))
        return bad(m, mark, "it does not lie on the picture of %.0fx%.0f pixels", m->item->width,
            m->item->height);
    buf_printf(m->out, "\"%s\":[", fit->type);
    buf_json(m->out, p.label);
    buf_puts(m->out, "]}");
    if (mark->owner)
        buf_printf(m->out, ",\"parentID\":\"r%zu\"", mark->owner);
    buf_putc(m->out, '}');
    for (size_t i = 0; i < mark->nsaid; i++)
        put_said(m, &p, &mark->said[i]);
    return ERR_OK;
}

/* ---- labels of the whole picture: an item a control */

static const struct label_control *choices_for(const struct making *m, struct str tag)
{
    for (const struct label_control *k = m->o->config->controls; k; k = k->next)
        if (str_is(k->type, "Choices") && !k->per_region && is_for(k, m->image) &&
            (k->dynamic || label_value_any(k, tag)))
            return k;
    return NULL;
}

static enum err put_tags(const struct making *m)
{
    const struct reader_item *item = m->item;
    const struct label_control **of = arena_array(m->arena, item->ntags + 1, sizeof(*of));

    for (size_t i = 0; i < item->ntags; i++) {
        of[i] = choices_for(m, mapped(m, item->tags[i]));
        if (!of[i])
            return bad(m, NULL, "the label config has no <Choices> with the label \"%.*s\"",
                (int)(item->tags[i].n < 100 ? item->tags[i].n : 100), item->tags[i].p);
    }
    for (size_t i = 0; i < item->ntags; i++) {
        size_t k = 0;
        while (of[k] != of[i])
            k++;
        if (k < i) /* it went with the first */
            continue;
        open_item(m, "", of[i], "choices");
        buf_puts(m->out, "\"choices\":[");
        for (; k < item->ntags; k++)
            if (of[k] == of[i]) {
                buf_json(m->out, mapped(m, item->tags[k]));
                buf_putc(m->out, ',');
            }
        buf_chop(m->out, ',');
        buf_puts(m->out, "]}}");
    }
    return ERR_OK;
}

/* ---- the task */

static enum err put_result(const struct making *m)
{
    enum err e = ERR_OK;

    if (m->item->nmarks > 0 && !(m->item->width > 0 && m->item->height > 0))
        return bad(m, NULL, "nobody says how large the picture %.*s is", STR_FMT(m->item->name));
    buf_putc(m->out, '[');
    for (size_t i = 0; !e && i < m->item->nmarks; i++)
        e = put_mark(m, i);
    if (!e)
        e = put_tags(m);
    buf_putc(m->out, ']');
    return e ? e : buf_err(m->out);
}

/* As the server will look at it, so that nothing is sent that it refuses. */
static enum err check(const struct making *m, struct str result)
{
    unsigned flags = LABEL_DOC_GIVE_IDS | (m->o->predictions ? LABEL_DOC_PARTIAL : 0);
    struct json_object *doc = json_tokener_parse(result.p);
    struct label_problem problem = {.pointer = ""};
    struct label_doc_info info;
    struct buf out;
    enum err e;

    buf_init(&out, BUF_MAX_LABEL);
    e = doc ? label_doc_canon(m->o->config, doc, NULL, flags, &out, &info, &problem) : ERR_CORRUPT;
    buf_release(&out);
    json_object_put(doc);
    if (e == ERR_LABEL_INVALID)
        return bad(m, NULL, "%s: %s", problem.pointer, problem.why);
    return e;
}

static void put_annotation(const struct making *m, struct buf *out, struct str result)
{
    if (m->o->predictions) {
        buf_puts(out, ",\"predictions\":[{\"model_version\":");
        buf_json(out, str_of(m->o->model));
        buf_puts(out, ",\"result\":");
    } else {
        buf_puts(out, ",\"annotations\":[{\"result\":");
    }
    buf_str(out, result);
    buf_puts(out, "}]");
}

static void put_task(const struct making *m, struct str url, struct str result, struct buf *out)
{
    const struct reader_item *item = m->item;

    buf_puts(out, "{\"data\":{");
    buf_json(out, m->image->field);
    buf_putc(out, ':');
    buf_json(out, url);
    buf_puts(out, "},\"external_id\":");
    buf_json(out, item->name);
    if (item->split.n) {
        buf_puts(out, ",\"meta\":{\"split\":");
        buf_json(out, item->split);
        buf_putc(out, '}');
    }
    if (item->labelled)
        put_annotation(m, out, result);
    buf_puts(out, "}\n");
}

enum err result_task(struct reader *r, const struct result_options *o,
    const struct reader_item *item, struct arena *a, struct buf *out)
{
    struct buf result;
    struct making m = {r, o, item, image_of(o->config), a, &result};
    struct str url = item->url;
    enum err e = ERR_OK;

    if (item->task.p)
        return result_studio(r, o, item, a, out);
    if (item->name.n > NAME_BYTES)
        return bad(&m, NULL, "the picture's path is longer than %d bytes", NAME_BYTES);
    buf_init(&result, TASK_MAX);
    if (item->labelled)
        e = put_result(&m);
    if (!e && item->labelled)
        e = check(&m, buf_view(&result));
    if (e == ERR_FULL || e == ERR_TOO_LARGE)
        e = bad(&m, NULL, "the task is larger than %d MiB", TASK_MAX >> 20);
    if (!e && item->file != SIZE_MAX)
        url = o->url(o->arg, item->file);
    if (!e && url.n == 0)
        e = bad(&m, NULL, "the picture %.*s could not be stored", STR_FMT(item->name));
    if (!e) {
        put_task(&m, url, buf_view(&result), out);
        e = buf_err(out);
    }
    buf_release(&result);
    return e;
}
