/* A data set in one FORMAT, as its files in the order of layouts[], a line "===" between two; the
 * picture is there by itself. All items are read and made into tasks: good ones are JSON, bad ones
 * name the file and say why. */
#include <stdarg.h>
#include <string.h>

#include "core/json_tree.h"
#include "files.h"
#include "formats/result.h"
#include "fuzz.h"

enum { FILES = 4 };

static const struct layout {
    const char *format, *picture, *files[FILES];
} layouts[] = {
    {"coco", "train/a.png", {"annotations/instances_train.json"}},
    {"yolo", "images/train/a.png", {"labels/train/a.txt", "data.yaml", "train.txt"}},
    {"yolo-segment", "images/train/a.png", {"labels/train/a.txt", "data.yaml"}},
    {"yolo-obb", "images/train/a.png", {"labels/train/a.txt", "data.yaml"}},
    {"yolo-pose", "images/train/a.png", {"labels/train/a.txt", "data.yaml"}},
    {"voc", "JPEGImages/a.png", {"Annotations/a.xml", "ImageSets/Main/train.txt"}},
    {"cvat", "images/a.png", {"annotations.xml"}},
    {"label-studio", "a.png", {"tasks.json"}},
};

static const char xml[] =
    "<View><Image name=\"img\" value=\"$image\"/>"
    "<RectangleLabels name=\"box\" toName=\"img\"><Label value=\"cat\"/></RectangleLabels>"
    "<BrushLabels name=\"brush\" toName=\"img\"><Label value=\"cat\"/></BrushLabels>"
    "<PolygonLabels name=\"poly\" toName=\"img\"><Label value=\"cat\"/></PolygonLabels>"
    "<EllipseLabels name=\"round\" toName=\"img\"><Label value=\"cat\"/></EllipseLabels>"
    "<KeyPointLabels name=\"kp\" toName=\"img\"><Label value=\"nose\"/></KeyPointLabels>"
    "<Choices name=\"kind\" toName=\"img\"><Choice value=\"cat\"/></Choices></View>";

static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x0a\0\0\0\x08\x08\2\0\0\0\0\0\0\0";

static char dir[64];
static struct label_config *config;
static const struct layout *layout;

/* files.h fails by it. */
void t_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    abort();
}

static void clean(void)
{
    remove_dir(dir);
}

static void start(void)
{
    char why[LABEL_CONFIG_WHY];

    new_dir(dir);
    atexit(clean);
    CLAIM(label_config_parse(str_of(xml), &config, why) == ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
        if (strcmp(layouts[i].format, FORMAT) == 0)
            layout = &layouts[i];
    CLAIM(layout);
    put_file(dir, layout->picture, png, sizeof(png));
}

static void put_files(struct str input)
{
    static const struct str cut = STR("\n===\n");

    for (size_t i = 0; i < FILES && layout->files[i]; i++) {
        const char *end = input.n ? memmem(input.p, input.n, cut.p, cut.n) : NULL;
        size_t n = end ? (size_t)(end - input.p) : input.n;
        put_file(dir, layout->files[i], input.p ? input.p : "", n);
        input = end ? (struct str){end + cut.n, input.n - n - cut.n} : (struct str){NULL, 0};
    }
}

static struct str any_url(void *arg, size_t file)
{
    (void)arg, (void)file;
    return STR("/v1/assets/0");
}

static enum err one(struct reader *r, bool *got)
{
    const struct result_options o = {.config = config, .model = "m", .url = any_url};
    struct json_object *task = NULL;
    struct reader_item item;
    struct arena *a = arena_new();
    struct buf line;

    buf_init(&line, 64 << 20);
    enum err e = reader_next(r, a, &item, got);
    if (!e && *got)
        e = result_task(r, &o, &item, a, &line);
    if (!e && *got)
        CLAIM(json_tree_parse(buf_view(&line), JSON_DEPTH_MAX, &task, NULL) == ERR_OK);
    json_object_put(task);
    buf_release(&line);
    arena_free(a);
    return e;
}

static void read_all(struct file_set *set)
{
    struct reader r;
    bool got = true;
    enum err e = reader_open(&r, reader_find(str_of(FORMAT)), set, config, STR(""));

    while ((!e || (e == ERR_INVALID && !r.over)) && got)
        e = one(&r, &got);
    if (e == ERR_INVALID)
        CLAIM(*r.where && *r.why);
    reader_close(&r);
}

void fuzz(struct str input)
{
    char why[FILE_SET_WHY] = "";
    struct file_set *set = NULL;

    if (!layout)
        start();
    put_files(input);
    CLAIM(file_set_open(dir, &set, why) == ERR_OK);
    read_all(set);
    file_set_close(set);
}
