/* The formats of others, byte by byte: a small task with every kind of shape through each of them;
 * rows and words; what is unpacked and what is not. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/unpack.h"
#include "formats/words.h"
#include "formats_run.h"
#include "t.h"

#define SIZE "\"original_height\":100,\"original_width\":200"
#define BOX                                                                                        \
    "{\"from_name\":\"box\",\"id\":\"b1\"," SIZE                                                   \
    ",\"to_name\":\"image\",\"type\":\"rectanglelabels\",\"value\":{\"height\":40,"                \
    "\"rectanglelabels\":[\"a&b\"],\"rotation\":0,\"width\":30,\"x\":10,\"y\":20}}"
#define TURNED                                                                                     \
    "{\"from_name\":\"box\",\"id\":\"b2\"," SIZE                                                   \
    ",\"to_name\":\"image\",\"type\":\"rectanglelabels\",\"value\":{\"height\":10,"                \
    "\"rectanglelabels\":[\"c\"],\"rotation\":90,\"width\":20,\"x\":50,\"y\":50}}"
#define POINT                                                                                      \
    "{\"from_name\":\"point\",\"id\":\"k1\"," SIZE                                                 \
    ",\"to_name\":\"image\",\"type\":\"keypointlabels\",\"value\":{"                               \
    "\"keypointlabels\":[\"nose\"],\"width\":1,\"x\":15,\"y\":30}}"
#define CHOICE                                                                                     \
    "{\"from_name\":\"scene\",\"id\":\"s\",\"to_name\":\"image\",\"type\":\"choices\","            \
    "\"value\":{\"choices\":[\"=day\"]}}"

#define PICTURES                                                                                   \
    "<View><Image name=\"image\" value=\"$image\"/>"                                               \
    "<RectangleLabels name=\"box\" toName=\"image\"><Label value=\"a&amp;b\"/>"                    \
    "<Label value=\"c\"/></RectangleLabels><KeyPointLabels name=\"point\" toName=\"image\">"       \
    "<Label value=\"nose\"/></KeyPointLabels><Choices name=\"scene\" toName=\"image\">"            \
    "<Choice value=\"=day\"/></Choices></View>"

struct want {
    const char *format, *path, *bytes, *lost;
};

static const struct want wants[] = {
    {"coco", "annotations/instances_train.json",
        "{\"info\":{\"description\":\"annotate\"},\"licenses\":[],\"images\":["
        "\n{\"id\":1,\"width\":200,\"height\":100,\"file_name\":\"0000000007.png\","
        "\"coco_url\":\"/p.png\",\"task\":7,\"external_id\":\"\"}],\"annotations\":["
        "\n{\"id\":1,\"image_id\":1,\"category_id\":1,\"iscrowd\":0,\"bbox\":[20,20,60,40],"
        "\"segmentation\":[],\"area\":2400,\"keypoints\":[30,30,2],\"num_keypoints\":1,"
        "\"attributes\":{}},"
        "\n{\"id\":2,\"image_id\":1,\"category_id\":2,\"iscrowd\":0,\"bbox\":[90,50,10,40],"
        "\"segmentation\":[[100,50,100,90,90,90,90,50]],\"area\":400,\"keypoints\":[0,0,0],"
        "\"num_keypoints\":0,\"attributes\":{}}"
        "\n],\"categories\":["
        "\n{\"id\":1,\"name\":\"a&b\",\"supercategory\":\"\",\"keypoints\":[\"nose\"],"
        "\"skeleton\":[]},"
        "\n{\"id\":2,\"name\":\"c\",\"supercategory\":\"\",\"keypoints\":[\"nose\"],"
        "\"skeleton\":[]}]}\n",
        "{\"answers.choices\":1}"},
    {"yolo", "labels/train/0000000007.txt", "0 0.25 0.4 0.3 0.4\n1 0.475 0.7 0.05 0.4\n",
        "{\"answers.choices\":1,\"as_box.rectanglelabels\":1,\"regions.keypointlabels\":1}"},
    {"yolo", "data.yaml",
        "path: .\ntrain: images/train\nval: images/train\nnames:\n  0: \"a&b\"\n  1: \"c\"\n",
        NULL},
    {"yolo-segment", "labels/train/0000000007.txt",
        "0 0.1 0.2 0.4 0.2 0.4 0.6 0.1 0.6\n1 0.5 0.5 0.5 0.9 0.45 0.9 0.45 0.5\n",
        "{\"answers.choices\":1,\"regions.keypointlabels\":1}"},
    {"yolo-obb", "labels/train/0000000007.txt",
        "0 0.1 0.2 0.4 0.2 0.4 0.6 0.1 0.6\n1 0.5 0.5 0.5 0.9 0.45 0.9 0.45 0.5\n",
        "{\"answers.choices\":1,\"regions.keypointlabels\":1}"},
    {"yolo-pose", "labels/train/0000000007.txt",
        "0 0.25 0.4 0.3 0.4 0.15 0.3 2\n1 0.475 0.7 0.05 0.4 0 0 0\n",
        "{\"answers.choices\":1,\"as_box.rectanglelabels\":1}"},
    {"voc", "Annotations/0000000007.xml",
        "<annotation>\n  <folder>JPEGImages</folder>\n  <filename>0000000007.png</filename>\n"
        "  <source>\n    <database>annotate</database>\n  </source>\n"
        "  <size>\n    <width>200</width>\n    <height>100</height>\n    <depth>3</depth>\n"
        "  </size>\n  <segmented>0</segmented>\n"
        "  <object>\n    <name>a&amp;b</name>\n    <pose>Unspecified</pose>\n"
        "    <truncated>0</truncated>\n    <difficult>0</difficult>\n    <bndbox>\n"
        "      <xmin>20</xmin>\n      <ymin>20</ymin>\n      <xmax>80</xmax>\n"
        "      <ymax>60</ymax>\n    </bndbox>\n  </object>\n"
        "  <object>\n    <name>c</name>\n    <pose>Unspecified</pose>\n"
        "    <truncated>0</truncated>\n    <difficult>0</difficult>\n    <bndbox>\n"
        "      <xmin>90</xmin>\n      <ymin>50</ymin>\n      <xmax>100</xmax>\n"
        "      <ymax>90</ymax>\n    </bndbox>\n  </object>\n</annotation>\n",
        "{\"answers.choices\":1,\"as_box.rectanglelabels\":1,\"regions.keypointlabels\":1}"},
    {"voc", "labelmap.txt", "# label:color_rgb:parts:actions\na&b:::\nc:::\n", NULL},
    {"voc", "ImageSets/Main/train.txt", "0000000007\n", NULL},
    {"label-studio-min", "tasks.json",
        "[\n{\"image\":\"/p.png\",\"n\":[1,2],\"id\":7,\"box\":[{\"height\":40,"
        "\"rectanglelabels\":[\"a&b\"],\"rotation\":0,\"width\":30,\"x\":10,\"y\":20,"
        "\"original_width\":200,\"original_height\":100},{\"height\":10,"
        "\"rectanglelabels\":[\"c\"],\"rotation\":90,\"width\":20,\"x\":50,\"y\":50,"
        "\"original_width\":200,\"original_height\":100}],\"point\":[{\"keypointlabels\":"
        "[\"nose\"],\"width\":1,\"x\":15,\"y\":30,\"original_width\":200,"
        "\"original_height\":100}],\"scene\":\"=day\",\"annotator\":3,\"annotation_id\":11,"
        "\"created_at\":\"2026-01-03T00:00:00Z\",\"updated_at\":\"2026-01-03T00:00:00Z\","
        "\"lead_time\":1.5}\n]\n",
        "{}"},
    {"csv", "tasks.csv",
        "id,annotator,annotation_id,created_at,updated_at,lead_time,box,point,scene,image,_data\r\n"
        "7,3,11,2026-01-03T00:00:00Z,2026-01-03T00:00:00Z,1.5,\"[{\"\"height\"\":40,"
        "\"\"rectanglelabels\"\":[\"\"a&b\"\"],\"\"rotation\"\":0,\"\"width\"\":30,\"\"x\"\":10,"
        "\"\"y\"\":20,\"\"original_width\"\":200,\"\"original_height\"\":100},{\"\"height\"\":10,"
        "\"\"rectanglelabels\"\":[\"\"c\"\"],\"\"rotation\"\":90,\"\"width\"\":20,\"\"x\"\":50,"
        "\"\"y\"\":50,\"\"original_width\"\":200,\"\"original_height\"\":100}]\","
        "\"[{\"\"keypointlabels\"\":[\"\"nose\"\"],\"\"width\"\":1,\"\"x\"\":15,\"\"y\"\":30,"
        "\"\"original_width\"\":200,\"\"original_height\"\":100}]\",'=day,/p.png,"
        "\"{\"\"n\"\":[1,2]}\"\r\n",
        "{}"},
};

static const char picture_data[] = "{\"image\": \"/p.png\", \"n\": [1, 2]}";
static const char picture_result[] = "[" BOX "," TURNED "," POINT "," CHOICE "]";

TEST(exact_bytes)
{
    struct export_item item = item_of(picture_data, picture_result);

    for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
        struct buf out, report;
        char lost[512];
        buf_init(&out, 1 << 20);
        buf_init(&report, 1 << 16);
        CHECK_INT(
            export_run(wants[i].format, CONTAINER_TAR, PICTURES, &item, &out, &report), ERR_OK);
        CHECK_STR(file_in(buf_view(&out), wants[i].path), str_of(wants[i].bytes));
        snprintf(lost, sizeof(lost), "\"lost\":%s,", wants[i].lost ? wants[i].lost : "");
        if (wants[i].lost && !strstr(report.p, lost))
            t_fail(__FILE__, __LINE__, "%s: %s not in %s", wants[i].format, lost, report.p);
        buf_release(&out);
        buf_release(&report);
    }
}

static const char novel[] =
    "<View><Text name=\"text\" value=\"$text\"/><Labels name=\"span\" toName=\"text\">"
    "<Label value=\"P\"/><Label value=\"L x\"/></Labels></View>";

static void check_words(const char *text, const char *spans, const char *want, const char *lost)
{
    char data[256], told[128];
    struct buf out, report;

    snprintf(data, sizeof(data), "{\"text\":\"%s\"}", text);
    struct export_item item = item_of(data, spans);
    buf_init(&out, 1 << 16);
    buf_init(&report, 1 << 16);
    CHECK_INT(export_run("conll", CONTAINER_FILE, novel, &item, &out, &report), ERR_OK);
    CHECK_STR(buf_view(&out), str_of(want));
    snprintf(told, sizeof(told), "\"lost\":%s,", lost);
    if (!strstr(report.p, told))
        t_fail(__FILE__, __LINE__, "%s not in %s", told, report.p);
    buf_release(&out);
    buf_release(&report);
}

#define SPAN(id, start, end, label)                                                                \
    "{\"from_name\":\"span\",\"id\":\"" id "\",\"to_name\":\"text\",\"type\":\"labels\","          \
    "\"value\":{\"start\":" #start ",\"end\":" #end ",\"labels\":[\"" label "\"],\"text\":\"\"}}"

TEST(words_and_their_tags)
{
#define DOC "-DOCSTART- -X- _ O\n\n"
    check_words("Ann Lee\\nwas in \xf0\x9f\x98\x80Rome.", /* the smile is one code point */
        "[" SPAN("1", 0, 7, "P") "," SPAN("2", 16, 20, "L x") "]",
        DOC "Ann -X- _ B-P\nLee -X- _ I-P\n\nwas -X- _ O\nin -X- _ O\n\xf0\x9f\x98\x80 -X- _ O\n"
            "Rome -X- _ B-L_x\n. -X- _ O\n\n",
        "{}");
    check_words("abcd ef", "[" SPAN("1", 2, 4, "P") "]", DOC "abcd -X- _ B-P\nef -X- _ O\n\n",
        "{\"widened\":1}");
    check_words("a b c",
        "[" SPAN("1", 0, 3, "P") "," SPAN("2", 2, 3, "L x") "," SPAN("3", 4, 5, "P") "]",
        DOC "a -X- _ B-P\nb -X- _ I-P\nc -X- _ B-P\n\n", "{\"overlaps\":1}");
    check_words("a  b", "[" SPAN("1", 1, 3, "P") "]", DOC "a -X- _ O\nb -X- _ O\n\n",
        "{\"regions.empty\":1}");
    check_words("", "[]", DOC "\n", "{}");
#undef DOC
}

TEST(words_of_many_scripts)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"don't", "don|'|t|"},
        {"\xe7\xbe\x8a\xe3\x80\x82\xe7\xbe\x8a", "\xe7\xbe\x8a|\xe3\x80\x82|\xe7\xbe\x8a|"},
        {"e\xcc\x81t\xc3\xa9", "e\xcc\x81t\xc3\xa9|"},
        {"a\xc2\xa0"
         "b\xe2\x80\x94"
         "c",
            "a|b|\xe2\x80\x94|c|"},
        {"1.5\xe2\x82\xac", "1|.|5|\xe2\x82\xac|"},
        {"a\xff"
         "b",
            "a|b|"}, /* no UTF-8 */
        {" \t\n ", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct word_reader r = {.rest = str_of(rows[i].text)};
        struct word w;
        struct buf out;
        buf_init(&out, 256);
        while (word_next(&r, &w)) {
            CHECK(w.text.n > 0 && w.end > w.start);
            buf_str(&out, w.text);
            buf_putc(&out, '|');
        }
        CHECK_STR(buf_view(&out), str_of(rows[i].words));
        buf_release(&out);
    }
}

TEST(formats_that_are_refused)
{
    struct export_item item = item_of("{}", "[]");
    struct buf out;

    buf_init(&out, 1 << 16);
    CHECK_INT(export_run("coco", CONTAINER_FILE, PICTURES, &item, &out, NULL), ERR_INVALID);
    CHECK_INT(export_run("yolo-pose", CONTAINER_TAR, novel, &item, &out, NULL), ERR_INVALID);
    CHECK_INT(export_run("conll", CONTAINER_FILE, PICTURES, &item, &out, NULL), ERR_INVALID);
    buf_release(&out);
}

/* Of every format that needs no more than these pictures. */
TEST(no_format_gathers)
{
    static const char *const others[] = {"conll", "asr", "rttm", "yolo-classify", "cvat-video"};
    struct export_item item = item_of(picture_data, picture_result);

    for (size_t i = 0; format_at(i); i++) {
        bool pictures = true;
        for (size_t k = 0; k < ARRAY_LEN(others); k++)
            pictures &= strcmp(format_at(i)->name, others[k]) != 0;
        if (pictures)
            check_gathers_not(format_at(i)->name, PICTURES, item);
    }
}

/* ---- unpacking */

static enum err unpack_bytes(struct str tar, const char *dir, char *why)
{
    char name[] = "/tmp/annotate-unpack-XXXXXX";
    int fd = mkstemp(name);
    enum err e;

    CHECK(fd >= 0 && write(fd, tar.p, tar.n) == (ssize_t)tar.n && lseek(fd, 0, SEEK_SET) == 0);
    unlink(name);
    e = unpack_tar(fd, dir, why);
    close(fd);
    return e;
}

static void checksum(char *header)
{
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
}

TEST(an_archive_becomes_files)
{
    struct export_item item = item_of(picture_data, picture_result);
    char dir[] = "/tmp/annotate-unpacked-XXXXXX", path[128], why[UNPACK_WHY], text[64] = "";
    struct buf tar;

    buf_init(&tar, 1 << 20);
    CHECK_INT(export_run("yolo", CONTAINER_TAR, PICTURES, &item, &tar, NULL), ERR_OK);
    REQUIRE(mkdtemp(dir) != NULL);
    CHECK_INT(unpack_bytes(buf_view(&tar), dir, why), ERR_CONFLICT); /* it is there */
    snprintf(path, sizeof(path), "%s/new", dir);
    CHECK_INT(unpack_bytes(buf_view(&tar), path, why), ERR_OK);
    snprintf(path, sizeof(path), "%s/new/labels/train/0000000007.txt", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    CHECK(read(fd, text, sizeof(text) - 1) > 0);
    CHECK(strcmp(text, "0 0.25 0.4 0.3 0.4\n1 0.475 0.7 0.05 0.4\n") == 0);
    close(fd);
    snprintf(path, sizeof(path), "%s/cut", dir);
    CHECK_INT(unpack_bytes((struct str){tar.p, 600}, path, why), ERR_INVALID);
    buf_release(&tar);
    snprintf(path, sizeof(path), "rm -r %s", dir);
    CHECK_INT(system(path), 0);
}

TEST(what_is_not_unpacked)
{
    static const struct {
        const char *name;
        char type; /* of the entry */
        enum err e;
    } rows[] = {
        {"good.txt", '0', ERR_OK},
        {"../evil.txt", '0', ERR_INVALID},
        {"a/../../evil.txt", '0', ERR_INVALID},
        {"/tmp/annotate-evil.txt", '0', ERR_INVALID},
        {".hidden", '0', ERR_INVALID},
        {"link", '2', ERR_INVALID},
        {"hard", '1', ERR_INVALID},
        {"device", '3', ERR_INVALID},
        {"directory", '5', ERR_INVALID},
        {"a b", '0', ERR_INVALID},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char dir[] = "/tmp/annotate-unpacked-XXXXXX", path[128], why[UNPACK_WHY];
        char tar[1536] = "";
        snprintf(tar, 100, "%s", rows[i].name);
        memcpy(tar + 100,
            "0000644\0"
            "0000000\0"
            "0000000\0"
            "00000000000\0"
            "00000000000",
            48);
        tar[156] = rows[i].type;
        snprintf(tar + 157, 100, "%s", rows[i].type == '0' ? "" : "/etc/passwd");
        memcpy(tar + 257,
            "ustar\0"
            "00",
            8);
        checksum(tar);
        REQUIRE(mkdtemp(dir) != NULL);
        snprintf(path, sizeof(path), "%s/new", dir);
        if (unpack_bytes((struct str){tar, sizeof(tar)}, path, why) != rows[i].e)
            t_fail(__FILE__, __LINE__, "%s: %s", rows[i].name, why);
        CHECK(access("/tmp/annotate-evil.txt", F_OK) != 0);
        snprintf(path, sizeof(path), "rm -r %s", dir);
        CHECK_INT(system(path), 0);
    }
}
