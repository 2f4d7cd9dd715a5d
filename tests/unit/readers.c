/* Readers and exporters against each other: what was exported and read again is exported as the
 * same bytes. And hostile data sets: a sentence each, nothing taken. */
#include "formats/reader.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "core/label_doc.h"
#include "files.h"
#include "formats/exporter.h"
#include "formats/result.h"

static const char config_xml[] =
    "<View><Image name=\"img\" value=\"$image\"/>"
    "<RectangleLabels name=\"box\" toName=\"img\"><Label value=\"cat\"/><Label value=\"big dog\"/>"
    "</RectangleLabels>"
    "<PolygonLabels name=\"poly\" toName=\"img\"><Label value=\"roof\"/></PolygonLabels>"
    "<BrushLabels name=\"brush\" toName=\"img\"><Label value=\"sky\"/></BrushLabels>"
    "<EllipseLabels name=\"oval\" toName=\"img\"><Label value=\"wheel\"/></EllipseLabels>"
    "<KeyPointLabels name=\"kp\" toName=\"img\"><Label value=\"nose\"/><Label value=\"tail\"/>"
    "</KeyPointLabels>"
    "<VectorLabels name=\"way\" toName=\"img\"><Label value=\"road\"/></VectorLabels>"
    "<Choices name=\"hidden\" toName=\"img\" perRegion=\"true\"><Choice value=\"yes\"/>"
    "<Choice value=\"no\"/></Choices>"
    "<TextArea name=\"note\" toName=\"img\" perRegion=\"true\"/>"
    "<Choices name=\"scene\" toName=\"img\" choice=\"multiple\"><Choice value=\"day\"/>"
    "<Choice value=\"rain\"/></Choices></View>";

#define AT(id, from, kind)                                                                         \
    "{\"id\":\"" id "\",\"from_name\":\"" from "\",\"to_name\":\"img\",\"type\":\"" kind           \
    "\",\"original_width\":640,\"original_height\":480,\"image_rotation\":0,"
#define BOX                                                                                        \
    AT("b", "box", "rectanglelabels")                                                              \
    "\"value\":{\"x\":10,\"y\":20,\"width\":30,\"height\":25,\"rotation\":0,"                      \
    "\"rectanglelabels\":[\"big dog\"]}}"
#define TURNED                                                                                     \
    AT("t", "box", "rectanglelabels")                                                              \
    "\"value\":{\"x\":50,\"y\":40,\"width\":20.125,\"height\":10.5,\"rotation\":33.25,"            \
    "\"rectanglelabels\":[\"cat\"]}}"
#define POLYGON                                                                                    \
    AT("p", "poly", "polygonlabels")                                                               \
    "\"value\":{\"points\":[[1.5,2.25],[70.1,5],[60,91.3],[12,55]],\"closed\":true,"               \
    "\"polygonlabels\":[\"roof\"]}}"
#define OVAL                                                                                       \
    AT("o", "oval", "ellipselabels")                                                               \
    "\"value\":{\"x\":30,\"y\":40,\"radiusX\":5,\"radiusY\":7,\"rotation\":12,"                    \
    "\"ellipselabels\":[\"wheel\"]}}"
#define NOSE                                                                                       \
    AT("n", "kp", "keypointlabels")                                                                \
    "\"parentID\":\"b\",\"value\":{\"x\":15,\"y\":25,\"width\":0.5,\"keypointlabels\":[\"nose\"]}" \
    "}"
#define ROAD                                                                                       \
    AT("w", "way", "vectorlabels")                                                                 \
    "\"value\":{\"vertices\":[{\"id\":\"a\",\"x\":1,\"y\":2},{\"id\":\"b\",\"prevPointId\":\"a\"," \
    "\"x\":3,\"y\":44}],\"closed\":false,\"vectorlabels\":[\"road\"]}}"
#define HIDDEN                                                                                     \
    "{\"id\":\"b\",\"from_name\":\"hidden\",\"to_name\":\"img\",\"type\":\"choices\",\"value\":"   \
    "{\"choices\":[\"yes\"]}}"
#define SCENE                                                                                      \
    "{\"from_name\":\"scene\",\"to_name\":\"img\",\"id\":\"s\",\"type\":\"choices\",\"value\":"    \
    "{\"choices\":[\"day\",\"rain\"]}}"
#define NOTE                                                                                       \
    "{\"id\":\"b\",\"from_name\":\"note\",\"to_name\":\"img\",\"type\":\"textarea\",\"value\":"    \
    "{\"text\":[\"a < b & \\\"c\\\"\"]}}"

static const char url[] =
    "/v1/assets/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* A PNG of 640x480 as far as its size is looked at. */
static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\xe0\x08\2\0\0\0\0\0\0\0"
                          "\0\0\0\0IEND\xae\x42\x60\x82";

static struct label_config *config_of(const char *xml)
{
    struct label_config *c;
    char why[LABEL_CONFIG_WHY];

    if (label_config_parse(str_of(xml), &c, why))
        t_fail(__FILE__, __LINE__, "%s", why);
    return c;
}

/* ---- reading a data set */

struct reading {
    char why[FILE_SET_WHY + READER_WHY];
    struct buf lines; /* of NDJSON */
    int64_t tasks;
    struct reader_note notes[READER_NOTES];
    size_t nnotes;
};

static struct str any_url(void *arg, size_t file)
{
    (void)arg, (void)file;
    return str_of(url);
}

static enum err read_items(struct reader *r, const struct result_options *o, struct reading *out)
{
    bool got = true;
    enum err e = ERR_OK;

    while (!e && got) {
        struct arena *a = arena_new();
        struct reader_item item;
        e = reader_next(r, a, &item, &got);
        if (!e && got)
            e = result_task(r, o, &item, a, &out->lines);
        out->tasks += !e && got;
        arena_free(a);
    }
    return e;
}

static enum err read_set(
    const char *path, const char *format, struct label_config *config, struct reading *out)
{
    const struct result_options o = {
        .config = config, .map = STR("hound=big dog"), .model = "m", .url = any_url};
    struct file_set *s = NULL;
    struct reader r;
    enum err e;

    *out = (struct reading){.tasks = 0};
    buf_init(&out->lines, 64 << 20);
    e = file_set_open(path, &s, out->why);
    if (e)
        return e;
    e = reader_open(&r, reader_find(str_of(format)), s, config, STR(""));
    if (!e)
        e = read_items(&r, &o, out);
    if (e)
        snprintf(out->why, sizeof(out->why), "%s: %s", r.where, r.why);
    memcpy(out->notes, r.notes, sizeof(r.notes));
    out->nnotes = r.nnotes;
    reader_close(&r);
    file_set_close(s);
    return e;
}

/* The result of the only annotation of line `at`, in canonical bytes. */
static void result_of(
    const struct reading *got, size_t at, const struct label_config *config, struct buf *out)
{
    struct str rest = buf_view(&got->lines), line;
    struct label_doc_info info;
    struct label_problem problem = {.pointer = ""};
    struct json_object *task, *list = NULL, *result = NULL;

    for (size_t i = 0; i <= at; i++)
        (void)str_split(&rest, '\n', &line);
    char *text = strndup(line.p, line.n);
    task = json_tokener_parse(text);
    free(text);
    json_object_object_get_ex(task, "annotations", &list);
    json_object_object_get_ex(json_object_array_get_idx(list, 0), "result", &result);
    if (label_doc_canon(config, result, NULL, LABEL_DOC_GIVE_IDS, out, &info, &problem))
        t_fail(__FILE__, __LINE__, "%s: %s", problem.pointer, problem.why);
    json_object_put(task);
}

/* ---- out, in, out */

static enum err keep(void *arg, struct str bytes)
{
    buf_str(arg, bytes);
    return buf_err(arg);
}

static enum err media(
    void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out)
{
    (void)arg, (void)asset;
    buf_add(out, png + off, n < sizeof(png) - (size_t)off ? n : sizeof(png) - (size_t)off);
    return ERR_OK;
}

/* One task with that label and one without anything drawn. */
static void export_set(const char *format, const struct label_config *config,
    const struct str result[2], struct buf *out)
{
    const struct export_options o = {.format = format_find(str_of(format)),
        .container = CONTAINER_TAR,
        .config = config,
        .media = {media, NULL},
        .name = STR("v"),
        .release = 1};
    const struct export_asset asset = {.field = STR("image"),
        .sha256 = sha256_of((struct str){png, sizeof(png)}),
        .media_type = STR("image/png"),
        .bytes = sizeof(png),
        .width = 640,
        .height = 480};
    struct exporter x;
    bool idle = false;
    char data[128], hex[SHA256_HEX + 1];

    if (exporter_begin(&x, &o, (struct export_sink){keep, out}))
        t_fail(__FILE__, __LINE__, "%s: %s", format, x.why);
    sha256_hex(asset.sha256, hex);
    snprintf(data, sizeof(data), "{\"image\":\"/v1/assets/%s\"}", hex);
    for (int i = 0; i < 2; i++) {
        const struct export_item item = {.project = 1,
            .task = 7 + i,
            .external_id = STR("x"),
            .data = str_of(data),
            .created_at = STR("2026-01-01T00:00:00Z"),
            .updated_at = STR("2026-01-01T00:00:00Z"),
            .split = i ? STR("val") : STR("train"),
            .assets = &asset,
            .nassets = 1,
            .label = {.id = 3 + i,
                .seq = 1,
                .created_at = STR("2026-01-01T00:00:00Z"),
                .result = result[i]}};
        CHECK_INT(exporter_item(&x, &item), 0);
        for (idle = false; !idle;)
            if (exporter_pump(&x, &idle))
                break;
    }
    CHECK_INT(exporter_end(&x), 0);
    for (idle = false; !idle;)
        if (exporter_pump(&x, &idle))
            break;
    exporter_release(&x);
}

/* The bytes before EXPORT.json, the last file: its losses are of the first time. */
static struct str without_report(const struct buf *tar)
{
    const char *at = memmem(tar->p, tar->n, "EXPORT.json", 11);

    return (struct str){tar->p, at ? (size_t)(at - tar->p) : tar->n};
}

static void out_in_out(const char *format, const char *result)
{
    struct label_config *config = config_of(config_xml);
    struct str results[2] = {str_of(result), STR("[]")};
    struct buf first, second, again[2];
    struct reading got;
    char dir[64], path[128];

    for (int i = 0; i < 2; i++)
        buf_init(&again[i], BUF_MAX_LABEL);
    buf_init(&first, 64 << 20);
    buf_init(&second, 64 << 20);
    export_set(format, config, results, &first);
    put_file(new_dir(dir), "set.tar", first.p, first.n);
    snprintf(path, sizeof(path), "%s/set.tar", dir);
    if (read_set(path, format, config, &got))
        t_fail(__FILE__, __LINE__, "%s: %s", format, got.why);
    CHECK_INT(got.tasks, 2);
    for (size_t i = 0; i < 2 && got.tasks == 2; i++) {
        result_of(&got, i, config, &again[i]);
        results[i] = buf_view(&again[i]);
    }
    export_set(format, config, results, &second);
    if (!str_eq(without_report(&first), without_report(&second)))
        t_fail(
            __FILE__, __LINE__, "%s is not what it was; read: %.*s", format, STR_FMT(results[0]));
    buf_release(&got.lines);
    buf_release(&first);
    buf_release(&second);
    buf_release(&again[0]);
    buf_release(&again[1]);
    label_config_free(config);
    remove_dir(dir);
}

/* A label of its own for each shape, so that none is taken for another's control. */
static void with_mask(struct buf *out, const char *more)
{
    struct arena *a = arena_new();
    struct mask m;

    CHECK_INT(mask_new(a, 640, 480, &m), 0);
    for (size_t y = 0; y < 480; y++)
        for (size_t x = 0; x < 640; x++)
            if ((x - 300) * (x - 300) + (y - 200) * (y - 200) < 7000 || (x < 40 && y % 7 == 0))
                mask_set(&m, x, y);
    buf_puts(out, "[" BOX "," POLYGON "," NOSE "," HIDDEN
                  "," AT("m", "brush", "brushlabels") "\"value\":{\"format\":\"rle\",\"rle\":");
    brush_encode(&m, out);
    buf_puts(out, ",\"brushlabels\":[\"sky\"]}}");
    buf_puts(out, more);
    buf_putc(out, ']');
    arena_free(a);
}

TEST(reader_coco_again)
{
    struct buf all;

    buf_init(&all, BUF_MAX_LABEL);
    with_mask(&all, "");
    out_in_out("coco", all.p);
    buf_release(&all);
}

TEST(reader_yolo_again)
{
    out_in_out("yolo", "[" BOX "]");
    out_in_out("yolo-obb", "[" BOX "]");
    out_in_out("yolo-pose", "[" BOX "," NOSE "]");
    out_in_out("yolo-segment", "[" POLYGON "]");
}

TEST(reader_voc_again)
{
    out_in_out("voc", "[" BOX "]");
}

TEST(reader_cvat_again)
{
    struct buf all;

    buf_init(&all, BUF_MAX_LABEL);
    with_mask(&all, "," TURNED "," OVAL "," ROAD "," NOTE "," SCENE);
    out_in_out("cvat", all.p);
    buf_release(&all);
}

static double number_in(struct json_object *value, const char *name)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(value, name, &v);
    return json_object_get_double(v);
}

static bool near(double a, double b, double within)
{
    return a - b <= within && b - a <= within;
}

/* A turned box goes as its four corners, rounded: it comes back within a thousandth of a pixel. */
TEST(reader_turned_boxes)
{
    static const char *const formats[] = {"coco", "yolo-obb"};
    struct label_config *config = config_of(config_xml);

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        const struct str results[2] = {STR("[" TURNED "]"), STR("[]")};
        struct buf tar, again;
        struct reading got;
        struct json_object *doc, *value = NULL;
        char dir[64], path[128];
        buf_init(&tar, 1 << 20);
        buf_init(&again, BUF_MAX_LABEL);
        export_set(formats[i], config, results, &tar);
        put_file(new_dir(dir), "set.tar", tar.p, tar.n);
        snprintf(path, sizeof(path), "%s/set.tar", dir);
        if (read_set(path, formats[i], config, &got))
            t_fail(__FILE__, __LINE__, "%s: %s", formats[i], got.why);
        result_of(&got, 0, config, &again);
        doc = json_tokener_parse(again.p);
        json_object_object_get_ex(json_object_array_get_idx(doc, 0), "value", &value);
        CHECK(near(number_in(value, "x") * 6.4, 320, 1e-3));
        CHECK(near(number_in(value, "y") * 4.8, 192, 1e-3));
        CHECK(near(number_in(value, "width") * 6.4, 128.8, 1e-3));
        CHECK(near(number_in(value, "height") * 4.8, 50.4, 1e-3));
        CHECK(near(number_in(value, "rotation"), 33.25, 1e-3));
        json_object_put(doc);
        buf_release(&tar);
        buf_release(&again);
        buf_release(&got.lines);
        remove_dir(dir);
    }
    label_config_free(config);
}

/* ---- Label Studio: nothing of a task is touched but what names a file */

TEST(reader_label_studio_passes_on)
{
    static const char task[] = "[ {\"id\": 5, \"project\": 3, \"data\": {\"image\": "
                               "\"/data/upload/3/a.png\", \"n\": 1.50},\n"
                               " \"annotations\": [{\"result\": [{\"value\": {\"x\": "
                               "12.340000000000001, \"y\":1e-7}}]}]} ]";
    struct label_config *config = config_of(config_xml);
    struct reading got;
    char dir[64], want[1024];

    put_file(new_dir(dir), "tasks.json", task, strlen(task));
    put_file(dir, "upload/3/a.png", png, sizeof(png));
    CHECK_INT(read_set(dir, "label-studio", config, &got), 0);
    snprintf(want, sizeof(want),
        "{\"id\":5,\"project\":3,\"data\":{\"image\":\"%s\",\"n\":1.50},\"annotations\":[{"
        "\"result\":"
        "[{\"value\":{\"x\":12.340000000000001,\"y\":1e-7}}]}],"
        "\"external_id\":\"label-studio:3:5\"}\n",
        url);
    CHECK_STR(buf_view(&got.lines), str_of(want));
    buf_release(&got.lines);
    label_config_free(config);
    remove_dir(dir);
}

/* ---- what fits no control as it is */

#define SET(more)                                                                                  \
    "{\"images\":[{\"id\":1,\"width\":640,\"height\":480,\"file_name\":\"a.png\"}],"               \
    "\"categories\":[{\"id\":1,\"name\":\"hound\"}],\"annotations\":[{\"id\":4,\"image_id\":1,"    \
    "\"category_id\":1,\"bbox\":[64,48,128,96]," more "}]}"

/* A polygon where the config has a box alone; the label is renamed by the map. */
TEST(reader_takes_the_nearest)
{
    static const char set[] = SET("\"segmentation\":[[64,48,192,60,100,144]],\"color\":\"red\"");
    struct label_config *config = config_of(config_xml);
    struct reading got;
    struct buf result;
    char dir[64];

    buf_init(&result, BUF_MAX_LABEL);
    put_file(new_dir(dir), "annotations/instances_val.json", set, strlen(set));
    put_file(dir, "images/val/a.png", png, sizeof(png));
    if (read_set(dir, "coco", config, &got))
        t_fail(__FILE__, __LINE__, "%s", got.why);
    result_of(&got, 0, config, &result);
    CHECK(strstr(result.p, "\"value\":{\"height\":20,\"rectanglelabels\":[\"big dog\"],"
                           "\"rotation\":0,\"width\":20,\"x\":10,\"y\":10}") != NULL);
    CHECK(strstr(got.lines.p,
              "\"external_id\":\"images/val/a.png\",\"meta\":{\"split\":\"val\"}") != NULL);
    CHECK_INT(got.nnotes, 1);
    CHECK_STR(str_of(got.notes[0].name), STR("as_box"));
    buf_release(&result);
    buf_release(&got.lines);
    label_config_free(config);
    remove_dir(dir);
}
