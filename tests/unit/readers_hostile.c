/* Data sets that are damaged or meant to harm: a sentence each that names the file, never a crash,
 * never more memory than a file's worth; and archives that are traps. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "formats/result.h"

static const char config_xml[] =
    "<View><Image name=\"img\" value=\"$image\"/>"
    "<RectangleLabels name=\"box\" toName=\"img\"><Label value=\"cat\"/></RectangleLabels>"
    "<BrushLabels name=\"brush\" toName=\"img\"><Label value=\"cat\"/></BrushLabels>"
    "<PolygonLabels name=\"poly\" toName=\"img\"><Label value=\"cat\"/></PolygonLabels>"
    "<KeyPointLabels name=\"kp\" toName=\"img\"><Label value=\"nose\"/></KeyPointLabels></View>";

static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x0a\0\0\0\x08\x08\2\0\0\0\0\0\0\0";

#define COCO                                                                                       \
    "{\"info\":{},\"images\":[{\"id\":1,\"width\":10,\"height\":8,\"file_name\":\"a.png\"}],"      \
    "\"annotations\":[{\"id\":5,\"image_id\":1,\"category_id\":2,\"bbox\":[1,2,3,4],"              \
    "\"segmentation\":[[1,2,4,2,4,6]],\"keypoints\":[2,3,2]},"                                     \
    "{\"id\":6,\"image_id\":1,\"category_id\":2,\"bbox\":[1,2,3,4],"                               \
    "\"segmentation\":{\"size\":[8,10],\"counts\":[10,5,65]}}],"                                   \
    "\"categories\":[{\"id\":2,\"name\":\"cat\",\"keypoints\":[\"nose\"]}]}"
#define VOC                                                                                        \
    "<?xml version=\"1.0\"?>\n<annotation><filename>a.png</filename>"                              \
    "<size><width>10</width><height>8</height></size><object><name>cat</name><bndbox>"             \
    "<xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>"
#define CVAT                                                                                       \
    "<?xml version=\"1.0\"?>\n<annotations><image id=\"0\" name=\"a.png\" width=\"10\" "           \
    "height=\"8\"><box label=\"cat\" xtl=\"1\" ytl=\"2\" xbr=\"3\" ybr=\"4\"></box>"               \
    "<mask label=\"cat\" rle=\"1, 2, 1\" left=\"0\" top=\"0\" width=\"2\" height=\"2\"></mask>"    \
    "<polygon label=\"cat\" points=\"1,2;3,4;5,1\"></polygon></image></annotations>"
#define YOLO "0 0.5 0.5 0.25 0.25\n"
#define YAML "kpt_shape: [1, 3]\nnames:\n  0: cat\n"
#define STUDIO                                                                                     \
    "[{\"id\":1,\"data\":{\"image\":\"a.png\"},\"annotations\":[{\"result\":[]}]},{\"id\":2,"      \
    "\"data\":{\"image\":\"a.png\"}}]"

static struct str any_url(void *arg, size_t file)
{
    (void)arg, (void)file;
    return STR("/v1/assets/0");
}

/* Reads it as far as it goes; how many tasks came, or -1 and the sentence. */
static int read_set(const char *path, const char *format, char why[1200])
{
    struct label_config *config;
    struct file_set *s = NULL;
    struct reader r;
    struct buf lines;
    int tasks = 0;
    bool got = true;
    enum err e;

    why[0] = '\0';
    if (file_set_open(path, &s, why))
        return -1;
    CHECK_INT(label_config_parse(str_of(config_xml), &config, why), 0);
    const struct result_options o = {.config = config, .model = "m", .url = any_url};
    buf_init(&lines, 64 << 20);
    e = reader_open(&r, reader_find(str_of(format)), s, config, STR(""));
    while (!e && got) {
        struct arena *a = arena_new();
        struct reader_item item;
        e = reader_next(&r, a, &item, &got);
        if (!e && got)
            e = result_task(&r, &o, &item, a, &lines);
        tasks += !e && got;
        arena_free(a);
    }
    if (e) {
        CHECK_INT(e, ERR_INVALID);
        snprintf(why, 1200, "%s: %s", r.where, r.why);
        CHECK(*r.where && *r.why);
    }
    reader_close(&r);
    file_set_close(s);
    buf_release(&lines);
    label_config_free(config);
    return e ? -1 : tasks;
}

static const struct set {
    const char *format, *file, *text;
} sets[] = {
    {"coco", "annotations/instances_train.json", COCO},
    {"voc", "Annotations/a.xml", VOC},
    {"cvat", "annotations.xml", CVAT},
    {"yolo", "labels/a.txt", YOLO},
    {"yolo-pose", "data.yaml", YAML},
    {"label-studio", "tasks.json", STUDIO},
};

static void put_set(const char *dir, const struct set *set, const char *text, size_t n)
{
    put_file(dir, "images/a.png", png, sizeof(png));
    put_file(dir, "data.yaml", YAML, strlen(YAML));
    put_file(dir, set->file, text, n);
}

TEST(hostile_sets_are_good_at_first)
{
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        char dir[64], why[1200];
        new_dir(dir);
        put_set(dir, &sets[i], sets[i].text, strlen(sets[i].text));
        int tasks = read_set(dir, sets[i].format, why);
        if (tasks < 1)
            t_fail(__FILE__, __LINE__, "%s: %s", sets[i].format, why);
        remove_dir(dir);
    }
}

/* Cut off anywhere, a JSON or XML file is refused. Of lines the rest is good or refused. */
TEST(hostile_sets_cut_off)
{
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        size_t n = strlen(sets[i].text);
        char dir[64], why[1200];
        new_dir(dir);
        for (size_t at = 0; at < n; at += n / 60 + 1) {
            put_set(dir, &sets[i], sets[i].text, at);
            int tasks = read_set(dir, sets[i].format, why);
            if (tasks >= 0 && i < 3)
                t_fail(__FILE__, __LINE__, "%s cut at %zu is taken", sets[i].format, at);
            CHECK((tasks < 0) == (*why != '\0'));
        }
        remove_dir(dir);
    }
}

/* Any byte changed to another: refused with a sentence, or read. */
TEST(hostile_sets_with_wrong_bytes)
{
    uint64_t state = t_seed() | 1;

    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        size_t n = strlen(sets[i].text);
        char dir[64], why[1200], text[2048];
        new_dir(dir);
        for (int k = 0; k < 200; k++) {
            memcpy(text, sets[i].text, n);
            for (int j = 0; j < 1 + k % 3; j++)
                text[t_random(&state) % n] = (char)t_random(&state);
            put_set(dir, &sets[i], text, n);
            int tasks = read_set(dir, sets[i].format, why);
            CHECK((tasks < 0) == (*why != '\0'));
        }
        remove_dir(dir);
    }
}

static const struct change {
    const char *format, *find, *put, *why;
} changes[] = {
    {"coco", "\"file_name\":\"a.png\"", "\"file_name\":\"../../../etc/passwd\"", "no file"},
    {"coco", "\"file_name\":\"a.png\"", "\"file_name\":\"/etc/passwd\"", "no file"},
    {"coco", "\"file_name\":\"a.png\"", "\"file_name\":7", "file_name is missing"},
    {"coco", "\"file_name\":\"a.png\"", "\"file_name\":\"\"", "file_name is missing"},
    {"coco", "\"width\":10", "\"width\":-10", "width and height"},
    {"coco", "\"width\":10", "\"width\":\"10\"", "width and height"},
    {"coco", "\"width\":10", "\"width\":1e9", "width and height"},
    {"coco", "\"width\":10", "\"width\":11", "the mask's size"},
    {"coco", "\"images\":[{\"id\":1,", "\"images\":[{", "images[0]"},
    {"coco", "\"images\":[{\"id\":1,", "\"images\":[{\"id\":\"1\",", "images[0]"},
    {"coco", "\"images\":[{\"id\":1,", "\"images\":[{\"id\":1.5,", "images[0]"},
    {"coco", "\"images\":[{", "\"images\":[7,{", "images[0]"},
    {"coco", "\"images\":[{", "\"images\":{\"x\":[{", "should be"},
    {"coco", "\"images\":[", "\"images\":[],\"images\":[", "twice"},
    {"coco", "\"info\":{}", "\"info\":{\"a\":1,\"a\":2}", "byte"},
    {"coco", "\"image_id\":1", "\"image_id\":9", "image 9"},
    {"coco", "\"image_id\":1", "\"image_id\":99999999999999999999", "byte"},
    {"coco", "\"image_id\":1,", "", "annotations[0]"},
    {"coco", "\"category_id\":2", "\"category_id\":3", "annotation 5: category_id"},
    {"coco", "\"bbox\":[1,2,3,4]", "\"bbox\":[1,2,3]", "bbox"},
    {"coco", "\"bbox\":[1,2,3,4]", "\"bbox\":[1,2,-3,4]", "bbox"},
    {"coco", "\"bbox\":[1,2,3,4]", "\"bbox\":[1,2,NaN,4]", "byte"},
    {"coco", "\"bbox\":[1,2,3,4]", "\"bbox\":[1,2,1e999,4]", "byte"},
    {"coco", "\"bbox\":[1,2,3,4]", "\"bbox\":{\"x\":1}", "bbox"},
    {"coco", "[[1,2,4,2,4,6]]", "[[1,2,4,2]]", "polygon"},
    {"coco", "[[1,2,4,2,4,6]]", "[[1,2,4,2,4,6,7]]", "polygon"},
    {"coco", "[[1,2,4,2,4,6]]", "[[1,2,4,2,4,\"6\"]]", "polygon"},
    {"coco", "[[1,2,4,2,4,6]]", "[[1,2,4,2,4,1e300]]", "does not lie"},
    {"coco", "[[1,2,4,2,4,6]]", "\"x\"", "segmentation"},
    {"coco", "[[1,2,4,2,4,6]]", "[7]", "polygon"},
    {"coco", "[10,5,65]", "[10,5,66]", "run lengths"},
    {"coco", "[10,5,65]", "[10,5,64]", "run lengths"},
    {"coco", "[10,5,65]", "[10,-5,75]", "run lengths"},
    {"coco", "[10,5,65]", "[9007199254740991,9007199254740991]", "run lengths"},
    {"coco", "[10,5,65]", "\"~~~~~~~~~~~~~~~~~~~~~~~~~\"", "run lengths"},
    {"coco", "[10,5,65]", "\"oooooooooooooooooooooooooo\"", "run lengths"},
    {"coco", "[10,5,65]", "7", "run lengths"},
    {"coco", "\"size\":[8,10]", "\"size\":[80000,100000]", "the mask's size"},
    {"coco", "\"size\":[8,10]", "\"size\":null", "the mask's size"},
    {"coco", "\"keypoints\":[2,3,2]", "\"keypoints\":[2,3]", "keypoints"},
    {"coco", "\"keypoints\":[2,3,2]", "\"keypoints\":[2,3,\"2\"]", "keypoints"},
    {"coco", "\"keypoints\":[2,3,2]", "\"keypoints\":7", "keypoints"},
    {"coco", "\"keypoints\":[\"nose\"]", "\"keypoints\":[7]", "categories[0]"},
    {"coco", "\"keypoints\":[\"nose\"]", "\"keypoints\":[\"tail\"]", "\"tail\""},
    {"coco", "\"name\":\"cat\"", "\"name\":\"cow\"", "\"cow\""},
    {"coco", "\"name\":\"cat\"", "\"name\":\"c\\ud800\"", "byte"},
    {"coco", "\"name\":\"cat\"", "\"name\":null", "categories[0]"},
    {"coco", "\"categories\":[", "\"categories\":[{\"id\":2,\"name\":\"x\"},", "twice"},
    {"coco", "\"categories\"", "\"kategories\"", "no images"},
    {"coco", "{\"info\"", "[{\"info\"", "should be"},
    {"voc", "<filename>a.png", "<filename>../../a.png", "picture is not"},
    {"voc", "<filename>a.png", "<filename>/etc/passwd", "picture is not"},
    {"voc", "<?xml version=\"1.0\"?>", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        "DOCTYPE"},
    {"voc", "<name>cat", "<name>&undefined;", "no good XML"},
    {"voc", "<name>cat", "<name>cow", "\"cow\""},
    {"voc", "<name>cat", "<name>", "no label"},
    {"voc", "<xmin>1", "<xmin>NaN", "bndbox"},
    {"voc", "<xmin>1", "<xmin>0x1", "bndbox"},
    {"voc", "<xmin>1", "<xmin>1e999", "bndbox"},
    {"voc", "<xmin>1", "<xmin>1 2", "bndbox"},
    {"voc", "<xmin>1", "<xmin>9", "ends before"},
    {"voc", "<ymax>4", "<ymax>-4", "ends before"},
    {"voc", "<xmax>3", "<xmax>3000", "does not lie"},
    {"voc", "<xmin>1</xmin>", "", "bndbox"},
    {"voc", "<width>10", "<width>-1", "size"},
    {"voc", "<width>10", "<width>1e300", "size"},
    {"voc", "<annotation>", "<annotation", "no good XML"},
    {"voc", "</annotation>", "</annotation><x/>", "no good XML"},
    {"voc", "cat",
        "c\xff"
        "at",
        "no good XML"},
    {"cvat", "name=\"a.png\"", "name=\"../a.png\"", "not in the data set"},
    {"cvat", "<?xml version=\"1.0\"?>",
        "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>",
        "DOCTYPE"},
    {"cvat", "name=\"a.png\"", "", "not in the data set"},
    {"cvat", "width=\"10\"", "width=\"-10\"", "width and height"},
    {"cvat", "width=\"10\"", "width=\"1e9\"", "width and height"},
    {"cvat", "width=\"10\"", "width=\"10\" width=\"10\"", "no good XML"},
    {"cvat", "xtl=\"1\"", "xtl=\"nan\"", "xtl"},
    {"cvat", "xtl=\"1\"", "xtl=\"9\"", "ends before"},
    {"cvat", "xtl=\"1\"", "", "xtl"},
    {"cvat", "xbr=\"3\"", "xbr=\"3e8\"", "does not lie"},
    {"cvat", "xbr=\"3\"", "xbr=\"3\" rotation=\"x\"", "xtl"},
    {"cvat", "rle=\"1, 2, 1\"", "rle=\"1, 2, 2\"", "run lengths"},
    {"cvat", "rle=\"1, 2, 1\"", "rle=\"1, 2\"", "run lengths"},
    {"cvat", "rle=\"1, 2, 1\"", "rle=\"1, -2, 5\"", "run lengths"},
    {"cvat", "rle=\"1, 2, 1\"", "rle=\"9223372036854775807, 2\"", "run lengths"},
    {"cvat", "rle=\"1, 2, 1\"", "rle=\"\"", "run lengths"},
    {"cvat", "left=\"0\"", "left=\"9\"", "inside of the picture"},
    {"cvat", "left=\"0\"", "left=\"-1\"", "inside of the picture"},
    {"cvat", "left=\"0\"", "left=\"9223372036854775807\"", "inside of the picture"},
    {"cvat", "points=\"1,2;3,4;5,1\"", "points=\"1,2;3,4\"", "points"},
    {"cvat", "points=\"1,2;3,4;5,1\"", "points=\"1,2;3,4;5\"", "points"},
    {"cvat", "points=\"1,2;3,4;5,1\"", "points=\"1,2;3,4;5,x\"", "points"},
    {"cvat", "label=\"cat\"", "label=\"cow\"", "\"cow\""},
    {"cvat", "<polygon label", "<cuboid label", "no good XML"},
    {"cvat", "<box label=\"cat\"", "<cuboid/><box label=\"cat\"", "cannot be taken"},
    {"cvat", "<annotations>", "<other>", "no good XML"},
    {"cvat", "<annotations>", "<annotations><track id=\"0\"/>", "video"},
    {"yolo", "0 0.5", "1 0.5", "no name"},
    {"yolo", "0 0.5", "-1 0.5", "whole number"},
    {"yolo", "0 0.5", "0.5 0.5", "whole number"},
    {"yolo", "0 0.5", "99999999999999999999 0.5", "whole number"},
    {"yolo", "0 0.5", "0 nan", "not a number"},
    {"yolo", "0 0.5", "0 inf", "not a number"},
    {"yolo", "0 0.5", "0 1e999", "not a number"},
    {"yolo", "0 0.5", "0 0x5", "not a number"},
    {"yolo", "0 0.5", "0 5.5", "does not lie"},
    {"yolo", "0.25 0.25", "0.25", "four numbers"},
    {"yolo", "0.25 0.25", "0.25 0.25 0.25", "four numbers"},
    {"yolo", "0.25 0.25", "0.25 -0.25", "below 0"},
    {"yolo", "0 0.5", "\xff 0.5", "whole number"},
    {"yolo-pose", "[1, 3]", "[1, 4]", "kpt_shape"},
    {"yolo-pose", "[1, 3]", "[-1, 3]", "kpt_shape"},
    {"yolo-pose", "[1, 3]", "[99999999, 3]", "kpt_shape"},
    {"yolo-pose", "[1, 3]", "[1, 3", "does not end"},
    {"yolo-pose", "[1, 3]", "x", "kpt_shape"},
    {"yolo-pose", "kpt_shape: [1, 3]\n", "", "no kpt_shape"},
    {"yolo-pose", "names:\n  0: cat\n", "", "names no class"},
    {"yolo-pose", "  0: cat\n", "  -1: cat\n", "behind its number"},
    {"yolo-pose", "  0: cat\n", "  99999999: cat\n", "cannot be read"},
    {"yolo-pose", "  0: cat\n", "  0: \"cat\n", "cannot be read"},
    {"yolo-pose", "  0: cat\n", "  0: *cat\n", "cannot be read"},
    {"yolo-pose", "  0: cat\n", "  0: c\xff\n", "UTF-8"},
    {"label-studio", "[{\"id\":1", "[7,{\"id\":1", "must be an object"},
    {"label-studio", "{\"id\":2", ",{\"id\":2", "byte"},
    {"label-studio", "\"a.png\"", "NaN", "byte"},
    {"label-studio", "}]}", "}]}}", "should be"},
};

static const struct set *set_of(const char *format)
{
    size_t i = 0;

    while (strcmp(sets[i].format, format) != 0)
        i++;
    return &sets[i];
}

TEST(hostile_values)
{
    char dir[64], why[1200], text[4096];

    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        const struct set *set = set_of(changes[i].format);
        const char *at = strstr(set->text, changes[i].find);
        if (!at) {
            t_fail(__FILE__, __LINE__, "%s has no %s", set->format, changes[i].find);
            continue;
        }
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - set->text), set->text, changes[i].put,
            at + strlen(changes[i].find));
        new_dir(dir);
        put_set(dir, set, text, strlen(text));
        int tasks = read_set(dir, set->format, why);
        if (tasks >= 0 || !strstr(why, changes[i].why))
            t_fail(__FILE__, __LINE__, "%s with %s: %d tasks, \"%s\"", set->format, changes[i].put,
                tasks, why);
        remove_dir(dir);
    }
}

/* Pictures full of masks, each within the limits: refused where their sum is not. */
TEST(hostile_sums_of_masks)
{
    enum { MASKS = 30, SIDE = 9000 }; /* 10 MB each */
    char dir[64], why[1200];
    struct buf text;

    buf_init(&text, 1 << 16);
    new_dir(dir);
    buf_printf(&text,
        "{\"images\":[{\"id\":1,\"width\":%d,\"height\":%d,\"file_name\":\"a.png\"}],"
        "\"categories\":[{\"id\":2,\"name\":\"cat\"}],\"annotations\":[",
        SIDE, SIDE);
    for (int i = 0; i < MASKS; i++)
        buf_printf(&text,
            "%s{\"id\":%d,\"image_id\":1,\"category_id\":2,\"bbox\":[0,0,1,1],"
            "\"segmentation\":{\"size\":[%d,%d],\"counts\":[%d]}}",
            i ? "," : "", i, SIDE, SIDE, SIDE * SIDE);
    buf_puts(&text, "]}");
    put_set(dir, set_of("coco"), text.p, text.n);
    CHECK_INT(read_set(dir, "coco", why), -1);
    CHECK(strstr(why, "annotation 26: the masks of the picture are too large") != NULL);
    remove_dir(dir);
    new_dir(dir);
    buf_clear(&text);
    buf_printf(&text, "<annotations><image name=\"a.png\" width=\"%d\" height=\"%d\">", SIDE, SIDE);
    for (int i = 0; i < MASKS; i++)
        buf_puts(&text, "\n<mask label=\"cat\" rle=\"1\" left=\"0\" top=\"0\" width=\"1\" "
                        "height=\"1\"></mask>");
    buf_puts(&text, "</image></annotations>");
    put_set(dir, set_of("cvat"), text.p, text.n);
    CHECK_INT(read_set(dir, "cvat", why), -1);
    if (!strstr(why, "line 28: the masks of the picture are too large"))
        t_fail(__FILE__, __LINE__, "%s", why);
    remove_dir(dir);
    buf_release(&text);
}

/* ---- archives */

static void add_entry(
    struct archive *a, const char *name, unsigned type, const void *bytes, size_t n)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, type);
    archive_entry_set_perm(e, 0644);
    if (type == AE_IFLNK)
        archive_entry_set_symlink(e, "/etc/passwd");
    archive_entry_set_size(e, type == AE_IFREG ? (la_int64_t)n : 0);
    CHECK_INT(archive_write_header(a, e), ARCHIVE_OK);
    if (type == AE_IFREG)
        CHECK_INT(archive_write_data(a, bytes, n), n);
    archive_entry_free(e);
}

/* An archive with a good data set and one more entry. */
static int try_entry(const char *name, unsigned type, bool zip, char why[1200])
{
    struct archive *a = archive_write_new();
    char dir[64], path[128];
    int tasks;

    new_dir(dir);
    snprintf(path, sizeof(path), "%s/set", dir);
    if (zip)
        archive_write_set_format_zip(a);
    else
        archive_write_set_format_pax_restricted(a);
    CHECK_INT(archive_write_open_filename(a, path), ARCHIVE_OK);
    add_entry(a, "images/a.png", AE_IFREG, png, sizeof(png));
    add_entry(a, "annotations.xml", AE_IFREG, CVAT, strlen(CVAT));
    if (name)
        add_entry(a, name, type, "x", 1);
    archive_write_free(a);
    tasks = read_set(path, "cvat", why);
    remove_dir(dir);
    return tasks;
}

TEST(hostile_names_in_archives)
{
    static const char *const names[] = {
        "../x", "/x", "a/../../x", "a//x", "a\\..\\x", "..", "x\x01y", "images/a.png"};
    char why[1200];

    for (int zip = 0; zip < 2; zip++) {
        CHECK_INT(try_entry(NULL, 0, zip, why), 1);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (try_entry(names[i], AE_IFREG, zip, why) >= 0 || !*why)
                t_fail(__FILE__, __LINE__, "\"%s\" is taken", names[i]);
        CHECK_INT(try_entry(".hidden", AE_IFREG, zip, why), 1);
        CHECK_INT(try_entry("link", AE_IFLNK, zip, why), 1); /* left out */
    }
    CHECK_INT(try_entry("device", AE_IFCHR, false, why), 1);
    CHECK_INT(try_entry("pipe", AE_IFIFO, false, why), 1);
}

/* 400 MiB of zeros in a few hundred KiB: stopped at 200 times its size, in no memory. */
TEST(hostile_bomb)
{
    struct archive *a = archive_write_new();
    struct rusage before, after;
    char dir[64], path[128], why[1200];
    void *zeros = calloc(1, 64 << 20);

    new_dir(dir);
    snprintf(path, sizeof(path), "%s/bomb.zip", dir);
    archive_write_set_format_zip(a);
    CHECK_INT(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d.png", i);
        add_entry(a, name, AE_IFREG, zeros, 64 << 20);
    }
    archive_write_free(a);
    free(zeros);
    getrusage(RUSAGE_SELF, &before);
    CHECK_INT(read_set(path, "cvat", why), -1);
    getrusage(RUSAGE_SELF, &after);
    CHECK(strstr(why, "200 times") != NULL);
    CHECK(after.ru_maxrss - before.ru_maxrss < 32 << 10);
    remove_dir(dir);
}

/* Cut off or with wrong bytes: refused with a sentence, or read. */
TEST(hostile_archives_damaged)
{
    uint64_t state = t_seed() | 1;

    for (int zip = 0; zip < 2; zip++) {
        char dir[64], path[128], why[1200], bytes[16384];
        struct archive *a = archive_write_new();
        size_t n = 0;
        new_dir(dir);
        snprintf(path, sizeof(path), "%s/set", dir);
        if (zip)
            archive_write_set_format_zip(a);
        else
            archive_write_set_format_pax_restricted(a);
        CHECK_INT(archive_write_open_memory(a, bytes, sizeof(bytes), &n), ARCHIVE_OK);
        add_entry(a, "images/a.png", AE_IFREG, png, sizeof(png));
        add_entry(a, "annotations.xml", AE_IFREG, CVAT, strlen(CVAT));
        archive_write_free(a);
        for (int k = 0; k < 100; k++) {
            char copy[16384];
            size_t cut = k < 50 ? n * (size_t)k / 50 : n;
            memcpy(copy, bytes, n);
            if (k >= 50)
                copy[t_random(&state) % n] = (char)t_random(&state);
            put_file(dir, "set", copy, cut);
            CHECK((read_set(path, "cvat", why) < 0) == (*why != '\0'));
        }
        remove_dir(dir);
    }
}

TEST(hostile_links_in_directories)
{
    char dir[64], path[128], why[1200];

    new_dir(dir);
    put_file(dir, "annotations.xml", CVAT, strlen(CVAT));
    snprintf(path, sizeof(path), "%s/a.png", dir);
    CHECK_INT(symlink("/etc/passwd", path), 0);
    CHECK_INT(read_set(dir, "cvat", why), -1);
    CHECK(strstr(why, "not in the data set") != NULL);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(mkfifo(path, 0600), 0);
    CHECK_INT(read_set(dir, "cvat", why), -1);
    remove_dir(dir);
}
