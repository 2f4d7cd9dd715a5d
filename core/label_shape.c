/* Owns the shapes: where on the picture, text, sound or film a region lies, each a table of members
 * and what else must hold. Never looks at labels. */
#include "core/label_check.h"

#include <stdio.h>

#include "core/brush.h"

struct label_shape {
    const struct label_member *members;
    size_t n;
    bool (*also)(struct label_check *c, struct json_object *value); /* may be NULL */
};

#define SHAPE(id, also)                                                                            \
    const struct label_shape label_shape_##id = {id##_members, ARRAY_LEN(id##_members), also}

enum { MIN_POINTS = 3 };

static const struct label_member rectangle_members[] = {
    {"x", MEMBER_NUMBER, true, 0, 100},
    {"y", MEMBER_NUMBER, true, 0, 100},
    {"width", MEMBER_NUMBER, true, 0, 100},
    {"height", MEMBER_NUMBER, true, 0, 100},
    {"rotation", MEMBER_NUMBER, false, -360, 360},
};

static double number_of(struct json_object *o, const char *name)
{
    return json_object_get_double(member_of(o, name));
}

/* An upright box ends on the picture. A turned one has its corner on it: where the others are
 * depends on the picture's proportions, and the editor lets them stand over. */
static bool box_ends_inside(struct label_check *c, struct json_object *v)
{
    if (number_of(v, "rotation") != 0)
        return true;
    if (number_of(v, "x") + number_of(v, "width") > 100 + LABEL_EPSILON)
        return check_fail(c, "width", "reaches over the right edge: x + width is more than 100");
    if (number_of(v, "y") + number_of(v, "height") > 100 + LABEL_EPSILON)
        return check_fail(c, "height", "reaches over the lower edge: y + height is more than 100");
    return true;
}
SHAPE(rectangle, box_ends_inside);

static const struct label_member ocr_members[] = {
    {"x", MEMBER_NUMBER, true, 0, 100},
    {"y", MEMBER_NUMBER, true, 0, 100},
    {"width", MEMBER_NUMBER, true, 0, 100},
    {"height", MEMBER_NUMBER, true, 0, 100},
    {"rotation", MEMBER_NUMBER, false, -360, 360},
    {"ocrtext", MEMBER_STRING, false, 0, 0},
    {"pageIndex", MEMBER_INTEGER, false, 0, NO_MAX},
};
SHAPE(ocr, box_ends_inside);

static const struct label_member ellipse_members[] = {
    {"x", MEMBER_NUMBER, true, 0, 100},
    {"y", MEMBER_NUMBER, true, 0, 100},
    {"radiusX", MEMBER_NUMBER, true, 0, 50},
    {"radiusY", MEMBER_NUMBER, true, 0, 50},
    {"rotation", MEMBER_NUMBER, false, -360, 360},
};
SHAPE(ellipse, NULL);

static const struct label_member keypoint_members[] = {
    {"x", MEMBER_NUMBER, true, 0, 100},
    {"y", MEMBER_NUMBER, true, 0, 100},
    {"width", MEMBER_NUMBER, false, 0, 100},
};
SHAPE(keypoint, NULL);

static bool check_point(struct label_check *c, struct json_object *point)
{
    double at;

    if (!json_object_is_type(point, json_type_array) || json_object_array_length(point) != 2)
        return check_fail(c, NULL, "a point must be [x, y]");
    for (size_t i = 0; i < 2; i++) {
        size_t mark = check_down_at(c, i);
        if (!is_number(json_object_array_get_idx(point, i), &at))
            return check_fail(c, NULL, "a coordinate must be a finite number");
        if (at < -LABEL_EPSILON || at > 100 + LABEL_EPSILON)
            return check_fail(c, NULL, "a coordinate must be from 0 to 100");
        check_up(c, mark);
    }
    return true;
}

static bool each(struct label_check *c, struct json_object *value, const char *member,
    bool (*check)(struct label_check *, struct json_object *))
{
    struct json_object *list = member_of(value, member);
    size_t mark = check_down(c, member);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        size_t inner = check_down_at(c, i);
        if (!check(c, json_object_array_get_idx(list, i)))
            return false;
        check_up(c, inner);
    }
    check_up(c, mark);
    return true;
}

static const struct label_member polygon_members[] = {
    {"points", MEMBER_ARRAY, true, 0, 0},
    {"closed", MEMBER_BOOLEAN, false, 0, 0},
};

static bool check_points(struct label_check *c, struct json_object *value)
{
    if (json_object_array_length(member_of(value, "points")) < MIN_POINTS)
        return check_fail(c, "points", "must be at least %d", MIN_POINTS);
    return each(c, value, "points", check_point);
}
SHAPE(polygon, check_points);

static const struct label_member vertex_members[] = {
    {"id", MEMBER_STRING, false, 0, 0},
    {"x", MEMBER_NUMBER, true, 0, 100},
    {"y", MEMBER_NUMBER, true, 0, 100},
    {"prevPointId", MEMBER_STRING, false, 0, 0},
    {"isBezier", MEMBER_BOOLEAN, false, 0, 0},
    {"controlPoint1", MEMBER_OBJECT, false, 0, 0},
    {"controlPoint2", MEMBER_OBJECT, false, 0, 0},
};

/* The handles of a curve may lie beside the picture. */
static const struct label_member handle_members[] = {
    {"x", MEMBER_NUMBER, true, 0, 0},
    {"y", MEMBER_NUMBER, true, 0, 0},
};

static bool check_vertex(struct label_check *c, struct json_object *vertex)
{
    static const char *const handles[] = {"controlPoint1", "controlPoint2"};

    if (!json_object_is_type(vertex, json_type_object))
        return check_fail(c, NULL, "a vertex must be an object");
    if (!check_members(c, vertex, vertex_members, ARRAY_LEN(vertex_members)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
        struct json_object *handle = member_of(vertex, handles[i]);
        size_t mark = check_down(c, handles[i]);
        if (handle && !check_members(c, handle, handle_members, ARRAY_LEN(handle_members)))
            return false;
        check_up(c, mark);
    }
    return true;
}

static const struct label_member vector_members[] = {
    {"vertices", MEMBER_ARRAY, true, 0, 0},
    {"closed", MEMBER_BOOLEAN, false, 0, 0},
};

static bool check_vertices(struct label_check *c, struct json_object *value)
{
    if (json_object_array_length(member_of(value, "vertices")) == 0)
        return check_fail(c, "vertices", "must not be empty");
    return each(c, value, "vertices", check_vertex);
}
SHAPE(vector, check_vertices);

static const struct label_member brush_members[] = {
    {"format", MEMBER_STRING, true, 0, 0},
    {"rle", MEMBER_ARRAY, true, 0, 0},
};

static bool check_byte(struct label_check *c, struct json_object *byte)
{
    double v;

    if (!json_object_is_type(byte, json_type_int) || !is_number(byte, &v) || v < 0 || v > 255)
        return check_fail(c, NULL, "must be a byte, 0 to 255");
    return true;
}

/* A side of the picture in pixels; 0: the item does not say. */
static bool read_side(struct label_check *c, const char *member, size_t *side)
{
    double v;

    *side = 0;
    if (!is_number(member_of(c->item, member), &v))
        return true;
    if (!(v >= 0) || v > MASK_SIDE || v != (double)(size_t)v) {
        check_up(c, 0);
        check_down(c, "result");
        check_down_at(c, c->index);
        return check_fail(c, member, "must be pixels of a brush, whole and at most %d", MASK_SIDE);
    }
    *side = (size_t)v;
    return true;
}

/* The run lengths open with the number of bytes of the RGBA picture they stand for, which alone
 * bounds them where the item does not say how large the picture is. */
static bool check_rle(struct label_check *c, struct json_object *value)
{
    struct json_object *rle = member_of(value, "rle");
    size_t width, height, words = 0;
    const char *why;

    if (!str_is(json_str(member_of(value, "format")), "rle"))
        return check_fail(c, "format", "must be \"rle\"");
    if (!each(c, value, "rle", check_byte) || !read_side(c, "original_width", &width) ||
        !read_side(c, "original_height", &height))
        return false;
    if (!width || !height) {
        for (size_t i = 0; i < 4 && i < json_object_array_length(rle); i++)
            words = words << 8 | (size_t)json_object_get_int(json_object_array_get_idx(rle, i));
        width = words / 4;
        height = 1;
    }
    if (width > MASK_PIXELS / height)
        return check_fail(c, "rle", "is of a picture of more than %d pixels", MASK_PIXELS);
    if (brush_check(rle, width, height, &why))
        return check_fail(c, "rle", "%s", why);
    return true;
}
SHAPE(brush, check_rle);

static const struct label_member bitmask_members[] = {
    {"imageDataURL", MEMBER_STRING, true, 0, 0},
};

static bool is_base64(struct str s)
{
    size_t n = s.n;

    while (n > 0 && s.n - n < 2 && s.p[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        char ch = s.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
                ch == '+' || ch == '/'))
            return false;
    }
    return n > 0 && s.n % 4 == 0;
}

static bool check_data_url(struct label_check *c, struct json_object *value)
{
    static const char prefix[] = "data:image/png;base64,";
    struct str url = json_str(member_of(value, "imageDataURL"));

    if (!str_starts(url, str_of(prefix)))
        return check_fail(c, "imageDataURL", "must be a PNG as a data URL");
    if (!is_base64((struct str){url.p + sizeof(prefix) - 1, url.n - (sizeof(prefix) - 1)}))
        return check_fail(c, "imageDataURL", "is no base64 after its comma");
    return true;
}
SHAPE(bitmask, check_data_url);

/* start <= end, where both are numbers. */
static bool check_order(struct label_check *c, struct json_object *value)
{
    double start, end;

    if (is_number(member_of(value, "start"), &start) && is_number(member_of(value, "end"), &end) &&
        start > end)
        return check_fail(c, "end", "lies before start");
    return true;
}

static const struct label_member span_members[] = {
    {"start", MEMBER_INTEGER, true, 0, NO_MAX},
    {"end", MEMBER_INTEGER, true, 0, NO_MAX},
    {"text", MEMBER_STRING, false, 0, 0},
};

static int64_t code_points(struct str s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

struct json_object *label_data_of(const struct label_check *c, const struct label_object *object)
{
    char field[256];

    snprintf(field, sizeof(field), "%.*s", STR_FMT(object->field));
    return json_object_is_type(c->data, json_type_object) ? member_of(c->data, field) : NULL;
}

/* The texts that an object shows, each counted once however many regions lie in it. */
struct label_texts {
    const struct label_object *of;
    int64_t *lengths; /* TEXT_NOT_COUNTED at first */
    size_t n;
    struct label_texts *next;
};

enum { TEXT_NOT_COUNTED = -2, TEXT_NOT_KNOWN = -1 };

static struct label_texts *texts_of(struct label_check *c, size_t n)
{
    struct label_texts *t = c->texts;

    while (t && t->of != c->object)
        t = t->next;
    if (t)
        return t;
    t = arena_alloc(c->scratch, sizeof(*t));
    *t = (struct label_texts){c->object, arena_array(c->scratch, n, sizeof(int64_t)), n, c->texts};
    for (size_t i = 0; i < n; i++)
        t->lengths[i] = TEXT_NOT_COUNTED;
    c->texts = t;
    return t;
}

/* The length in code points of the object's nth text of n. */
static int64_t length_of(struct label_check *c, struct json_object *text, size_t nth, size_t n)
{
    int64_t *length = &texts_of(c, n)->lengths[nth];

    if (*length == TEXT_NOT_COUNTED)
        *length = json_object_is_type(text, json_type_string) ? code_points(json_str(text))
                                                              : TEXT_NOT_KNOWN;
    return *length;
}

/* The length of the text that the item's object shows. Negative when the task does not hold it. */
static int64_t text_length(struct label_check *c)
{
    if (str_is(c->object->value_type, "url"))
        return TEXT_NOT_KNOWN;
    return length_of(c, label_data_of(c, c->object), 0, 1);
}

static bool check_span(struct label_check *c, struct json_object *value)
{
    int64_t length = text_length(c);

    if (!check_order(c, value))
        return false;
    if (length >= 0 && json_object_get_int64(member_of(value, "end")) > length)
        return check_fail(
            c, "end", "lies behind the end of the text (%lld characters)", (long long)length);
    return true;
}
SHAPE(span, check_span);

static const struct label_member hypertext_members[] = {
    {"start", MEMBER_STRING, true, 0, 0},
    {"end", MEMBER_STRING, true, 0, 0},
    {"startOffset", MEMBER_INTEGER, true, 0, NO_MAX},
    {"endOffset", MEMBER_INTEGER, true, 0, NO_MAX},
    {"globalOffsets", MEMBER_OBJECT, false, 0, 0},
    {"text", MEMBER_STRING, false, 0, 0},
};

static const struct label_member offset_members[] = {
    {"start", MEMBER_INTEGER, true, 0, NO_MAX},
    {"end", MEMBER_INTEGER, true, 0, NO_MAX},
};

/* The same span once more, counted over the whole text in code points. */
static bool check_global(struct label_check *c, struct json_object *value)
{
    struct json_object *offsets = member_of(value, "globalOffsets");
    size_t mark = check_down(c, "globalOffsets");

    if (offsets && (!check_members(c, offsets, offset_members, ARRAY_LEN(offset_members)) ||
                       !check_order(c, offsets)))
        return false;
    check_up(c, mark);
    return true;
}

/* Where both ends lie in the same piece of the text, the offsets are in order. */
static bool check_offsets(struct label_check *c, struct json_object *value)
{
    if (str_eq(json_str(member_of(value, "start")), json_str(member_of(value, "end"))) &&
        number_of(value, "startOffset") > number_of(value, "endOffset"))
        return check_fail(c, "endOffset", "lies before startOffset");
    return check_global(c, value);
}
SHAPE(hypertext, check_offsets);

static const struct label_member paragraphs_members[] = {
    {"start", MEMBER_STRING, true, 0, 0},
    {"end", MEMBER_STRING, true, 0, 0},
    {"startOffset", MEMBER_INTEGER, true, 0, NO_MAX},
    {"endOffset", MEMBER_INTEGER, true, 0, NO_MAX},
    {"globalOffsets", MEMBER_OBJECT, false, 0, 0},
    {"text", MEMBER_STRING, false, 0, 0},
};

/* The text of one paragraph; NULL: not known. */
static struct json_object *paragraph(const struct label_check *c, struct json_object *one)
{
    char key[256];

    snprintf(key, sizeof(key), "%.*s", STR_FMT(c->object->text_key));
    return json_object_is_type(one, json_type_object) ? member_of(one, key) : one;
}

static bool check_in_paragraph(struct label_check *c, struct json_object *value, const char *number,
    const char *offset, int64_t at)
{
    struct json_object *list = label_data_of(c, c->object);
    size_t n;
    int64_t length;

    if (!json_object_is_type(list, json_type_array))
        return true;
    n = json_object_array_length(list);
    if (at >= (int64_t)n)
        return check_fail(c, number, "is no paragraph of the task, which has %zu", n);
    length = length_of(c, paragraph(c, json_object_array_get_idx(list, (size_t)at)), (size_t)at, n);
    if (length >= 0 && json_object_get_int64(member_of(value, offset)) > length)
        return check_fail(
            c, offset, "lies behind the end of the paragraph (%lld characters)", (long long)length);
    return true;
}

/* start and end are numbers of paragraphs, written as strings. */
static bool check_paragraphs(struct label_check *c, struct json_object *value)
{
    int64_t start, end;

    if (!str_int(json_str(member_of(value, "start")), &start) || start < 0)
        return check_fail(c, "start", "must be the number of a paragraph, as a string");
    if (!str_int(json_str(member_of(value, "end")), &end) || end < start)
        return check_fail(c, "end", "must be the number of the same or a later paragraph");
    return check_in_paragraph(c, value, "start", "startOffset", start) &&
           check_in_paragraph(c, value, "end", "endOffset", end) && check_offsets(c, value);
}
SHAPE(paragraphs, check_paragraphs);

static const struct label_member audio_members[] = {
    {"start", MEMBER_NUMBER, true, 0, NO_MAX},
    {"end", MEMBER_NUMBER, true, 0, NO_MAX},
    {"channel", MEMBER_INTEGER, false, 0, NO_MAX},
};

static bool check_audio(struct label_check *c, struct json_object *value)
{
    double length;

    if (!check_order(c, value))
        return false;
    if (is_number(member_of(c->item, "original_length"), &length) &&
        number_of(value, "end") > length + LABEL_EPSILON)
        return check_fail(c, "end", "lies behind original_length");
    return true;
}
SHAPE(audio, check_audio);

static const struct label_member series_members[] = {
    {"start", MEMBER_MOMENT, true, 0, 0},
    {"end", MEMBER_MOMENT, true, 0, 0},
    {"instant", MEMBER_BOOLEAN, false, 0, 0},
};
SHAPE(series, check_order);

static const struct label_member frame_members[] = {
    {"frame", MEMBER_INTEGER, true, 1, NO_MAX},
    {"enabled", MEMBER_BOOLEAN, false, 0, 0},
    {"time", MEMBER_NUMBER, false, 0, NO_MAX},
    {"closed", MEMBER_BOOLEAN, false, 0, 0},
};

static bool check_frame(struct label_check *c, struct json_object *frame)
{
    if (!json_object_is_type(frame, json_type_object))
        return check_fail(c, NULL, "a key frame must be an object");
    return check_members(c, frame, frame_members, ARRAY_LEN(frame_members));
}

static bool check_box_frame(struct label_check *c, struct json_object *frame)
{
    return check_frame(c, frame) && label_shape_check(c, &label_shape_rectangle, frame);
}

static bool check_vector_frame(struct label_check *c, struct json_object *frame)
{
    return check_frame(c, frame) && label_shape_check(c, &label_shape_vector, frame);
}

static const struct label_member video_members[] = {
    {"framesCount", MEMBER_INTEGER, false, 0, NO_MAX},
    {"duration", MEMBER_NUMBER, false, 0, NO_MAX},
    {"sequence", MEMBER_ARRAY, true, 0, 0},
};

static bool check_sequence(struct label_check *c, struct json_object *value)
{
    if (json_object_array_length(member_of(value, "sequence")) == 0)
        return check_fail(c, "sequence", "must not be empty");
    return each(c, value, "sequence", check_box_frame);
}
SHAPE(video, check_sequence);

#define video_vector_members video_members
static bool check_vector_sequence(struct label_check *c, struct json_object *value)
{
    if (json_object_array_length(member_of(value, "sequence")) == 0)
        return check_fail(c, "sequence", "must not be empty");
    return each(c, value, "sequence", check_vector_frame);
}
SHAPE(video_vector, check_vector_sequence);

static const struct label_member timeline_members[] = {
    {"ranges", MEMBER_ARRAY, true, 0, 0},
};

static const struct label_member range_members[] = {
    {"start", MEMBER_INTEGER, true, 0, NO_MAX},
    {"end", MEMBER_INTEGER, true, 0, NO_MAX},
};

static bool check_range(struct label_check *c, struct json_object *range)
{
    if (!json_object_is_type(range, json_type_object))
        return check_fail(c, NULL, "a range must be an object");
    return check_members(c, range, range_members, ARRAY_LEN(range_members)) &&
           check_order(c, range);
}

static bool check_ranges(struct label_check *c, struct json_object *value)
{
    if (json_object_array_length(member_of(value, "ranges")) == 0)
        return check_fail(c, "ranges", "must not be empty");
    return each(c, value, "ranges", check_range);
}
SHAPE(timeline, check_ranges);

/* The first row whose object and member fit. `object` NULL: any. */
static const struct {
    const char *object, *member;
    const struct label_shape *shape;
} guesses[] = {
    {"Text", "start", &label_shape_span},
    {"HyperText", "start", &label_shape_hypertext},
    {"Paragraphs", "start", &label_shape_paragraphs},
    {"Audio", "start", &label_shape_audio},
    {"AudioPlus", "start", &label_shape_audio},
    {"TimeSeries", "start", &label_shape_series},
    {NULL, "ranges", &label_shape_timeline},
    {NULL, "sequence", &label_shape_video},
    {NULL, "points", &label_shape_polygon},
    {NULL, "vertices", &label_shape_vector},
    {NULL, "rle", &label_shape_brush},
    {NULL, "imageDataURL", &label_shape_bitmask},
    {NULL, "radiusX", &label_shape_ellipse},
    {NULL, "height", &label_shape_rectangle},
    {NULL, "x", &label_shape_keypoint},
};

const struct label_shape *label_shape_guess(
    const struct label_object *object, struct json_object *value)
{
    for (size_t i = 0; i < ARRAY_LEN(guesses); i++)
        if ((!guesses[i].object || (object && str_is(object->type, guesses[i].object))) &&
            member_of(value, guesses[i].member))
            return guesses[i].shape;
    return NULL;
}

bool label_shape_check(
    struct label_check *c, const struct label_shape *shape, struct json_object *value)
{
    return check_members(c, value, shape->members, shape->n) &&
           (!shape->also || shape->also(c, value));
}
