/* Pictures in folders: YOLO's classes and ImageFolder, byte by byte; what is lost and refused. */
#include "formats_run.h"
#include "t.h"

#define PICTURES                                                                                   \
    "<View><Image name=\"image\" value=\"$image\"/>"                                               \
    "<Choices name=\"kind\" toName=\"image\" choice=\"single\"><Choice value=\"cat\"/>"            \
    "<Choice value=\"a b\"/></Choices><Taxonomy name=\"tree\" toName=\"image\">"                   \
    "<Choice value=\"x\"><Choice value=\"y\"/></Choice></Taxonomy>"                                \
    "<Number name=\"task\" toName=\"image\"/>"                                                     \
    "<RectangleLabels name=\"box\" toName=\"image\"><Label "                                       \
    "value=\"car\"/></RectangleLabels></View>"
#define ITEM(control, id, type, value)                                                             \
    "{\"from_name\":\"" control "\",\"id\":\"" id "\",\"original_height\":100,"                    \
    "\"original_width\":200,\"to_name\":\"image\",\"type\":\"" type "\",\"value\":{" value "}}"
#define BOX                                                                                        \
    ITEM("box", "b", "rectanglelabels",                                                            \
        "\"height\":40,\"rectanglelabels\":[\"car\"],\"rotation\":0,\"width\":30,\"x\":10,\"y\":"  \
        "20")

static const char data[] = "{\"image\":\"/v1/assets/" STORED_SUM "\"}";
static const char elsewhere[] = "{\"image\":\"https://x/y.jpg\"}";

struct want {
    const char *format, *data, *result, *path, *bytes, *lost;
};

static const struct want wants[] = {
    {"yolo-classify", data, "[" ITEM("kind", "k", "choices", "\"choices\":[\"cat\"]") "]",
        "train/cat/0000000007.png", "the bytes of an asset.\n", "{}"},
    {"yolo-classify", data, "[" ITEM("kind", "k", "choices", "\"choices\":[\"a b\",\"cat\"]") "]",
        "train/a_b-c8687a08/0000000007.png", "the bytes of an asset.\n",
        "{\"choices\":1,\"names\":1}"},
    {"yolo-classify", data, "[" ITEM("kind", "k", "choices", "\"choices\":[\"a b\"]") "]",
        "classes.json", "{\n\"a_b-c8687a08\":\"a b\"\n}\n", "{\"names\":1}"},
    {"yolo-classify", elsewhere, "[" ITEM("kind", "k", "choices", "\"choices\":[\"cat\"]") "]",
        "classes.json", "{\n}\n", "{\"pictures.elsewhere\":1}"},
    {"yolo-classify", data, "[" BOX "]", "classes.json", "{\n}\n",
        "{\"pictures.unlabelled\":1,\"regions.rectanglelabels\":1}"},
    {"imagefolder", data, "[]", "train/metadata.jsonl",
        "{\"file_name\":\"0000000007.png\",\"task\":7,\"external_id\":\"\",\"width\":200,"
        "\"height\":100,\"kind\":\"\",\"tree\":[],\"task_\":null,\"objects\":{\"bbox\":[],"
        "\"categories\":[],\"names\":[]}}\n",
        "{}"},
    {"imagefolder", data,
        "[" ITEM("kind", "k", "choices", "\"choices\":[\"cat\"]") "," ITEM(
            "tree", "t", "taxonomy", "\"taxonomy\":[[\"x\"],[\"x\",\"y\"]]") "," ITEM("task", "n",
            "number", "\"number\":4") "," BOX "]",
        "train/metadata.jsonl",
        "{\"file_name\":\"0000000007.png\",\"task\":7,\"external_id\":\"\",\"width\":200,"
        "\"height\":100,\"kind\":\"cat\",\"tree\":[\"x\",\"x/y\"],\"task_\":4.0,\"objects\":"
        "{\"bbox\":[[20.0,20.0,60.0,40.0]],\"categories\":[0],\"names\":[\"car\"]}}\n",
        "{}"},
    {"imagefolder", elsewhere, "[]", "train/metadata.jsonl", "", "{\"pictures.elsewhere\":1}"},
    {"imagefolder", data, "[]", "README.md",
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: \"train\"\n"
        "    path: \"train/*\"\n---\n",
        "{}"},
};

TEST(exact_folders)
{
    for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
        const struct want *w = &wants[i];
        struct export_item item = item_of(w->data, w->result);
        struct export_options o = {.format = format_find(str_of(w->format)),
            .container = CONTAINER_TAR,
            .media = {.read = stored_read}};
        struct buf out, report;
        item.assets = &stored_asset;
        item.nassets = 1;
        buf_init(&out, 1 << 20);
        buf_init(&report, 1 << 16);
        CHECK_INT(export_run_with(o, PICTURES, &item, &out, &report), ERR_OK);
        CHECK_STR(file_in(buf_view(&out), w->path), str_of(w->bytes));
        check_lost(buf_view(&report), w->lost);
        buf_release(&out);
        buf_release(&report);
    }
}

TEST(classes_without_pictures_are_refused)
{
    struct export_item item = item_of(data, "[]");
    struct buf out;

    buf_init(&out, 1 << 16);
    CHECK_INT(export_run("yolo-classify", CONTAINER_TAR, PICTURES, &item, &out, NULL), ERR_INVALID);
    buf_release(&out);
}

TEST(no_folder_gathers)
{
    struct export_item item =
        item_of(data, "[" ITEM("kind", "k", "choices", "\"choices\":[\"cat\"]") "," BOX "]");

    item.assets = &stored_asset;
    item.nassets = 1;
    check_gathers_not("yolo-classify", PICTURES, item);
    check_gathers_not("imagefolder", PICTURES, item);
}
