/* What image formats cannot carry: it is counted, never written wrongly, and never ends the export.
 */
#include <stdlib.h>

#include "formats_run.h"
#include "t.h"

#define CONFIG                                                                                     \
    "<View><Image name=\"image\" value=\"$image\"/><Text name=\"text\" value=\"$text\"/>"          \
    "<RectangleLabels name=\"box\" toName=\"image\"><Label value=\"a\"/></RectangleLabels>"        \
    "<BrushLabels name=\"brush\" toName=\"image\"><Label value=\"a\"/></BrushLabels>"              \
    "<VectorLabels name=\"vector\" toName=\"image\"><Label value=\"a\"/></VectorLabels>"           \
    "<KeyPointLabels name=\"point\" toName=\"image\"><Label value=\"nose\"/></KeyPointLabels>"     \
    "<Choices name=\"q\" toName=\"image\" perRegion=\"true\"><Choice value=\"y\"/></Choices>"      \
    "<Choices name=\"about\" toName=\"text\"><Choice value=\"y\"/></Choices></View>"
#define SIZED(width, height) "\"original_height\":" #height ",\"original_width\":" #width ","
#define REGION(id, control, type, more, value)                                                     \
    "{\"from_name\":\"" control "\",\"id\":\"" id "\"," more                                       \
    "\"to_name\":\"image\",\"type\":\"" type "\",\"value\":" value "}"
#define BOX(id, more, x, label)                                                                    \
    REGION(id, "box", "rectanglelabels", more,                                                     \
        "{\"height\":50,\"rectanglelabels\":[" label "],\"rotation\":0,\"width\":50,\"x\":" #x     \
        ",\"y\":0}")
#define POINT(id, more, label)                                                                     \
    REGION(id, "point", "keypointlabels", SIZED(200, 100) more,                                    \
        "{\"keypointlabels\":[" label "],\"width\":1,\"x\":10,\"y\":10}")
#define MASK(more, bytes)                                                                          \
    REGION("m", "brush", "brushlabels", more,                                                      \
        "{\"brushlabels\":[\"a\"],\"format\":\"rle\",\"rle\":[" bytes "]}")
#define CURVE                                                                                      \
    REGION("v", "vector", "vectorlabels", SIZED(200, 100),                                         \
        "{\"closed\":true,\"vectorlabels\":[\"a\"],\"vertices\":[{\"isBezier\":true,\"x\":10,"     \
        "\"y\":10},{\"x\":20,\"y\":10},{\"x\":20,\"y\":20}]}")
#define ANSWER(id, control, to)                                                                    \
    "{\"from_name\":\"" control "\",\"id\":\"" id "\",\"to_name\":\"" to                           \
    "\",\"type\":\"choices\",\"value\":{\"choices\":[\"y\"]}}"
#define FOUR "0,0,0,16,57,27,252,96,19,255,198,0" /* 2 x 2 */

static const char labels[] = "labels/train/0000000007.txt";
static const char instances[] = "annotations/instances_train.json";
static const char annotations[] = "annotations.xml";
static const char objects[] = "Annotations/0000000007.xml";

static const struct {
    const char *format, *result;
    int64_t width, height;    /* of the file; 0: it is not stored */
    const char *path, *bytes; /* a part of the file; NULL: it is not there */
    const char *lost;
} rows[] = {
    /* percent is never written as pixels */
    {"coco", "[" BOX("b", "", 0, "\"a\"") "]", 0, 0, instances, "\"annotations\":[\n]",
        "{\"pictures.size\":1,\"regions.rectanglelabels\":1}"},
    {"yolo", "[" BOX("b", "", 0, "\"a\"") "]", 0, 0, labels, NULL,
        "{\"pictures.size\":1,\"regions.rectanglelabels\":1}"},
    {"voc", "[" BOX("b", "", 0, "\"a\"") "]", 0, 0, objects, "<segmented>0</segmented>\n</ann",
        "{\"pictures.size\":1,\"regions.rectanglelabels\":1}"},
    {"cvat", "[" BOX("b", "", 0, "\"a\"") "]", 0, 0, annotations,
        "width=\"0\" height=\"0\">\n  </image>",
        "{\"pictures.size\":1,\"regions.rectanglelabels\":1}"},
    /* the file knows its size, or another region does */
    {"coco", "[" BOX("b", "", 0, "\"a\"") "]", 400, 200, instances, "\"bbox\":[0,0,200,100]", "{}"},
    {"cvat", "[" BOX("b", "", 50, "\"a\"") "," BOX("c", SIZED(200, 100), 0, "\"a\"") "]", 0, 0,
        annotations, "xtl=\"100\" ytl=\"0\" xbr=\"200\" ybr=\"50\"", "{}"},
    /* regions of two sizes: the file's, or the first's */
    {"coco", "[" BOX("b", SIZED(10, 10), 50, "\"a\"") "," BOX("c", SIZED(200, 100), 0, "\"a\"") "]",
        400, 200, instances, "\"bbox\":[200,0,200,100]", "{}"},
    {"voc", "[" BOX("b", SIZED(10, 20), 0, "\"a\"") "," BOX("c", SIZED(200, 100), 50, "\"a\"") "]",
        0, 0, objects,
        "<xmin>5</xmin>\n      <ymin>0</ymin>\n      <xmax>10</xmax>\n      <ymax>10</ymax>", "{}"},
    {"cvat", "[" BOX("b", SIZED(4, 2), 0, "\"a\"") "," MASK(SIZED(2, 2), FOUR) "]", 0, 0,
        annotations, "rle=\"2, 4, 2\" left=\"0\" top=\"0\" width=\"4\" height=\"2\"", "{}"},
    {"cvat", "[" BOX("b", SIZED(2, 2), 0, "\"a\"") "," MASK("", FOUR) "]", 0, 0, annotations,
        "rle=\"1, 2, 1\"", "{}"},
    /* a mask that cannot be read */
    {"cvat", "[" BOX("b", SIZED(3, 2), 0, "\"a\"") "," MASK(SIZED(3, 2), FOUR) "]", 0, 0,
        annotations, "<box", "{\"regions.brushlabels\":1}"},
    {"yolo-segment", "[" MASK(SIZED(3, 2), FOUR) "]", 0, 0, labels, "",
        "{\"regions.brushlabels\":1}"},
    {"yolo-segment", "[" MASK(SIZED(70000, 1), FOUR) "]", 0, 0, labels, "",
        "{\"regions.brushlabels\":1}"},
    {"coco", "[" MASK(SIZED(3, 2), "0") "]", 0, 0, instances, "\"annotations\":[\n]",
        "{\"regions.brushlabels\":1}"},
    {"cvat", "[" MASK(SIZED(2, 2), "0,0,0,16,57,27,253,240,0") "]", 0, 0, annotations,
        ">\n  </image>", "{\"regions.empty\":1}"},
    /* key points: of names without a number, twice each; of an owner that is not written */
    {"coco",
        "[" BOX("b", SIZED(200, 100), 0, "\"a\"") "," POINT("1", "", "\"ear\"") "," POINT(
            "2", "", "\"ear\"") "," POINT("3", "", "\"eye\"") "," POINT("4", "", "\"eye\"") "]",
        0, 0, instances, "\"keypoints\":[0,0,0],\"num_keypoints\":0", "{\"keypoints\":4}"},
    {"yolo-pose",
        "[" BOX("b", SIZED(200, 100), 0, "\"a\"") "," POINT("1", "", "\"ear\"") "," POINT(
            "2", "", "\"ear\"") "," BOX("c", SIZED(200, 100), 50, "\"a\"") "]",
        0, 0, labels, "0 0.25 0.25 0.5 0.5 0 0 0\n0 0.75 0.25 0.5 0.5 0 0 0\n",
        "{\"keypoints\":2}"},
    {"coco",
        "[" BOX("b", SIZED(200, 100), 0, "") "," POINT("1", "", "\"nose\"") "," POINT(
            "2", "\"parentID\":\"b\",", "\"nose\"") "]",
        0, 0, instances, "\"annotations\":[\n]",
        "{\"regions.keypointlabels\":2,\"regions.unlabelled\":1}"},
    {"coco", "[" BOX("b", SIZED(200, 100), 0, "\"a\"") "," POINT("1", "", "\"nose\",\"x\"") "]", 0,
        0, instances, "\"keypoints\":[20,10,2]", "{\"labels\":1}"},
    /* curves, and points that are no polygon */
    {"coco", "[" CURVE "]", 0, 0, instances, "[[20,10,40,10,40,20]]", "{\"curves\":1}"},
    {"yolo-segment", "[" CURVE "]", 0, 0, labels, "0 0.1 0.1 0.2 0.1 0.2 0.2\n", "{\"curves\":1}"},
    {"coco",
        "[" REGION("v", "vector", "vectorlabels", SIZED(200, 100),
            "{\"closed\":true,\"vectorlabels\":[\"a\"],\"vertices\":[{\"x\":10,\"y\":10},"
            "{\"x\":20,\"y\":10}]}") "]",
        0, 0, instances, "\"annotations\":[\n]", "{\"regions.vectorlabels\":1}"},
    {"cvat",
        "[" REGION("v", "vector", "vectorlabels", SIZED(200, 100),
            "{\"closed\":true,\"vectorlabels\":[\"a\"],\"vertices\":[{\"x\":10,\"y\":10}]}") "]",
        0, 0, annotations, ">\n  </image>", "{\"regions.vectorlabels\":1}"},
    /* answers: about a text, about what is not written */
    {"cvat", "[" ANSWER("t", "about", "text") "]", 200, 100, annotations, ">\n  </image>",
        "{\"answers.choices\":1}"},
    {"cvat", "[" BOX("b", SIZED(200, 100), 0, "") "," ANSWER("b", "q", "image") "]", 0, 0,
        annotations, ">\n  </image>", "{\"answers.choices\":1,\"regions.unlabelled\":1}"},
    {"coco",
        "[" BOX("b", SIZED(200, 100), 0, "\"a\"") "," POINT("k", "", "\"nose\"") "," ANSWER(
            "b", "q", "image") "," ANSWER("k", "q", "image") "]",
        0, 0, instances, "\"attributes\":{\"q\":\"y\"}", "{\"answers.choices\":1}"},
};

TEST(losses_are_counted)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct export_asset asset = {.field = STR("image"),
            .media_type = STR("image/png"),
            .width = rows[i].width,
            .height = rows[i].height};
        char hex[SHA256_HEX + 1], data[160];
        struct buf out, report;

        sha256_hex(asset.sha256, hex);
        snprintf(data, sizeof(data), "{\"image\":\"/v1/assets/%s\",\"text\":\"t\"}", hex);
        struct export_item item = item_of(data, rows[i].result);
        item.assets = &asset;
        item.nassets = rows[i].width > 0;
        buf_init(&out, 1 << 20);
        buf_init(&report, 1 << 16);
        CHECK_INT(export_run(rows[i].format, CONTAINER_TAR, CONFIG, &item, &out, &report), ERR_OK);
        struct str file = file_in(buf_view(&out), rows[i].path);
        if (!rows[i].bytes ? file.n > 0
                           : !memmem(file.p, file.n, rows[i].bytes, strlen(rows[i].bytes)))
            t_fail(__FILE__, __LINE__, "row %zu, %s: %.*s", i, rows[i].format, STR_FMT(file));
        check_lost(buf_view(&report), rows[i].lost);
        buf_release(&out);
        buf_release(&report);
    }
}

/* Pictures whose order in the data is not that of their files: each has its own, by the sum in its
 * address. */
TEST(a_picture_has_the_size_of_its_own_file)
{
    static const char xml[] =
        "<View><Image name=\"image\" valueList=\"$pages\"/>"
        "<RectangleLabels name=\"box\" toName=\"image\"><Label value=\"a\"/></RectangleLabels>"
        "</View>";
    struct export_asset assets[] = {
        {.field = STR("pages"), .media_type = STR("image/png"), .width = 10, .height = 20},
        {.field = STR("pages"), .media_type = STR("image/jpeg"), .width = 30, .height = 40}};
    char hex[2][SHA256_HEX + 1], data[320];
    struct buf out;

    assets[1].sha256.b[0] = 0xab;
    sha256_hex(assets[0].sha256, hex[0]);
    sha256_hex(assets[1].sha256, hex[1]);
    snprintf(data, sizeof(data),
        "{\"pages\":[\"https://example.org/x.webp\",\"/v1/assets/%s\",\"/v1/assets/%s\"]}", hex[1],
        hex[0]);
    struct export_item item = item_of(data, "[]");
    item.assets = assets;
    item.nassets = 2;
    buf_init(&out, 1 << 20);
    CHECK_INT(export_run("coco", CONTAINER_TAR, xml, &item, &out, NULL), ERR_OK);
    struct str file = file_in(buf_view(&out), instances);
    static const char *const images[] = {
        "\"width\":0,\"height\":0,\"file_name\":\"0000000007.webp\"",
        "\"width\":30,\"height\":40,\"file_name\":\"0000000007_2.jpg\"",
        "\"width\":10,\"height\":20,\"file_name\":\"0000000007_3.png\""};
    for (size_t i = 0; i < ARRAY_LEN(images); i++)
        if (!memmem(file.p, file.n, images[i], strlen(images[i])))
            t_fail(__FILE__, __LINE__, "%s not in %.*s", images[i], STR_FMT(file));
    buf_release(&out);
}

/* A split that is called as a key of data.yaml, and one that YAML would take for a truth value. */
TEST(splits_are_no_keys)
{
    static const struct {
        const char *split, *yaml, *lost;
    } lines[] = {
        {"names", "path: .\ntrain: images/names\nval: images/names\nnames:\n  0: \"a\"\n",
            "{\"splits.names\":1}"},
        {"no", "path: .\ntrain: images/no\nval: images/no\n\"no\": images/no\nnames:\n  0: \"a\"\n",
            "{}"},
        {"val", "path: .\ntrain: images/val\nval: images/val\nnames:\n  0: \"a\"\n", "{}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct export_item item = item_of("{\"image\":\"/p.png\",\"text\":\"t\"}", "[]");
        struct buf out, report;
        item.split = str_of(lines[i].split);
        buf_init(&out, 1 << 20);
        buf_init(&report, 1 << 16);
        CHECK_INT(export_run("yolo", CONTAINER_TAR, CONFIG, &item, &out, &report), ERR_OK);
        CHECK_STR(file_in(buf_view(&out), "data.yaml"), str_of(lines[i].yaml));
        check_lost(buf_view(&report), lines[i].lost);
        buf_release(&out);
        buf_release(&report);
    }
}
