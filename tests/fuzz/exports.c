/* Any list as a label document through every export format: none falls over it, and two runs give
 * the same bytes. Pictures and films are kept small, as what they cost is not looked for here. */
#include <math.h>

#include "core/canon.h"
#include "core/json_tree.h"
#include "formats/exporter.h"
#include "fuzz.h"

enum { SMALL = 300 };

/* Of no bytes. */
#define SUM    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define STORED "\"/v1/assets/" SUM "\""

static const char data[] =
    "{\"image\":[" STORED ",\"/b.jpg\"],\"text\":\"a b\xc3\xa9 c\",\"audio\":" STORED
    ",\"video\":" STORED "}";
static const char xml[] =
    "<View><Image name=\"image\" valueList=\"$image\"/><Text name=\"text\" value=\"$text\"/>"
    "<Audio name=\"audio\" value=\"$audio\"/><Video name=\"video\" value=\"$video\"/>"
    "<RectangleLabels name=\"box\" toName=\"image\"><Label value=\"a\"/><Label value=\"b\"/>"
    "</RectangleLabels><PolygonLabels name=\"polygon\" toName=\"image\"><Label value=\"a\"/>"
    "</PolygonLabels><BrushLabels name=\"brush\" toName=\"image\"><Label "
    "value=\"a\"/></BrushLabels>"
    "<KeyPointLabels name=\"point\" toName=\"image\"><Label value=\"a\"/></KeyPointLabels>"
    "<EllipseLabels name=\"ellipse\" toName=\"image\"><Label value=\"a\"/></EllipseLabels>"
    "<Labels name=\"span\" toName=\"text\"><Label value=\"a\"/></Labels>"
    "<Labels name=\"sound\" toName=\"audio\"><Label value=\"a\"/></Labels>"
    "<TextArea name=\"said\" toName=\"audio\" perRegion=\"true\"/>"
    "<VideoRectangle name=\"track\" toName=\"video\"/>"
    "<Choices name=\"choice\" toName=\"image\"><Choice value=\"a\"/><Choice value=\"b\"/></Choices>"
    "<Taxonomy name=\"tree\" toName=\"image\"><Choice value=\"a\"><Choice value=\"b\"/></Choice>"
    "</Taxonomy><Number name=\"number\" toName=\"image\"/><TextArea name=\"words\" "
    "toName=\"image\"/>"
    "</View>";

static const struct label_config *config(void)
{
    static struct label_config *c;
    char why[LABEL_CONFIG_WHY];

    if (!c && label_config_parse(str_of(xml), &c, why)) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return c;
}

/* Numbers beyond SMALL are less. */
static void shrink(struct json_object *v)
{
    if (json_object_is_type(v, json_type_array))
        for (size_t i = 0; i < json_object_array_length(v); i++)
            shrink(json_object_array_get_idx(v, i));
    if (json_object_is_type(v, json_type_int) && llabs(json_object_get_int64(v) / 2) > SMALL / 2)
        json_object_set_int64(v, json_object_get_int64(v) % SMALL);
    if (json_object_is_type(v, json_type_double) && fabs(json_object_get_double(v)) > SMALL)
        json_object_set_double(v, fmod(json_object_get_double(v), SMALL));
    if (!json_object_is_type(v, json_type_object))
        return;
    json_object_object_foreach(v, key, member)
    {
        (void)key;
        shrink(member);
    }
}

static enum err count(void *arg, struct str bytes)
{
    *(size_t *)arg += bytes.n;
    return ERR_OK;
}

static enum err read_nothing(
    void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out)
{
    (void)arg, (void)asset, (void)off, (void)n, (void)out;
    return ERR_OK;
}

static struct sha256 run(const struct format *format, struct str result)
{
    struct export_asset asset = {.media_type = STR("image/png"), .width = SMALL, .height = SMALL};
    const struct export_item item = {.task = 7,
        .data = str_of(data),
        .split = STR("train"),
        .assets = &asset,
        .nassets = 1,
        .label = {.id = 1, .created_at = STR("2026-01-01T00:00:00Z"), .result = result}};
    const struct export_options o = {.format = format,
        .container = CONTAINER_TAR,
        .config = config(),
        .media = {.read = read_nothing}};
    struct exporter x;
    struct sha256 sum = {{0}};
    size_t bytes = 0;
    bool idle = false;
    enum err e = exporter_begin(&x, &o, (struct export_sink){count, &bytes});

    CLAIM(e == ERR_OK && sha256_parse(STR(SUM), &asset.sha256));
    e = exporter_item(&x, &item);
    while (!e && !idle)
        e = exporter_pump(&x, &idle);
    idle = false;
    e = e ? e : exporter_end(&x);
    while (!e && !idle)
        e = exporter_pump(&x, &idle);
    CLAIM(!e || e == ERR_CORRUPT || e == ERR_TOO_LARGE || e == ERR_FULL);
    if (!e)
        sum = x.sha256;
    exporter_release(&x);
    return sum;
}

void fuzz(struct str input)
{
    struct json_object *result = NULL;
    struct buf text;

    if (json_tree_parse(input, JSON_DEPTH_REQUEST, &result, NULL))
        return;
    shrink(result);
    buf_init(&text, BUF_MAX_LABEL);
    if (json_object_is_type(result, json_type_array) && !canon_value(result, &text))
        for (size_t i = 0; format_at(i); i++)
            CLAIM(
                sha256_eq(run(format_at(i), buf_view(&text)), run(format_at(i), buf_view(&text))));
    json_object_put(result);
    buf_release(&text);
}
