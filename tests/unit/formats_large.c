/* Tasks of very many fields, regions and answers: time goes by their number, not by its square. CPU
 * time, so that other programs do not matter; the bounds are ten times what it takes and a tenth of
 * what the square would. */
#include <time.h>

#include "formats_run.h"
#include "t.h"

static const char config[] =
    "<View><Image name=\"image\" value=\"$image\"/>"
    "<RectangleLabels name=\"box\" toName=\"image\"><Label value=\"a\"/></RectangleLabels>"
    "<Choices name=\"q\" toName=\"image\" perRegion=\"true\"><Choice value=\"y\"/></Choices>"
    "<Choices name=\"k7\" toName=\"image\"><Choice value=\"y\"/></Choices></View>";

/* Seconds that the task takes; `out` is what comes of it. */
static double spend(const char *format, const struct export_item *item, struct buf *out)
{
    clock_t before = clock();

    CHECK_INT(export_run(format, CONTAINER_TAR, config, item, out, NULL), ERR_OK);
    return (double)(clock() - before) / CLOCKS_PER_SEC;
}

static bool has(struct str file, const char *part)
{
    return memmem(file.p, file.n, part, strlen(part)) != NULL;
}

TEST(many_fields)
{
    enum { FIELDS = 100000 };
    struct buf data, out;

    buf_init(&data, 8 << 20);
    buf_init(&out, 16 << 20);
    for (int i = 0; i < FIELDS; i++)
        buf_printf(&data, "%s\"k%d\":%d", i ? "," : "{", i, i);
    buf_putc(&data, '}');
    struct export_item item = item_of(data.p,
        "[{\"from_name\":\"k7\",\"id\":\"c\",\"to_name\":\"image\",\"type\":\"choices\","
        "\"value\":{\"choices\":[\"y\"]}}]");
    CHECK(spend("label-studio-min", &item, &out) < 5);
    struct str file = file_in(buf_view(&out), "tasks.json");
    CHECK(has(file, "\"k6\":6,\"k7\":\"y\",\"k8\":8,"));
    CHECK(has(file, "\"k99999\":99999,\"id\":7,"));
    buf_release(&data);
    buf_release(&out);
}

TEST(many_regions_with_answers)
{
    enum { REGIONS = 20000 };
    struct buf result, out;

    buf_init(&result, 16 << 20);
    buf_init(&out, 32 << 20);
    for (int i = 0; i < REGIONS; i++)
        buf_printf(&result,
            "%s{\"from_name\":\"box\",\"id\":\"region%d\",\"original_height\":100,"
            "\"original_width\":100,\"to_name\":\"image\",\"type\":\"rectanglelabels\",\"value\":"
            "{\"height\":1,\"rectanglelabels\":[\"a\"],\"width\":1,\"x\":1,\"y\":1}},"
            "{\"from_name\":\"q\",\"id\":\"region%d\",\"to_name\":\"image\",\"type\":\"choices\","
            "\"value\":{\"choices\":[\"y\"]}}",
            i ? "," : "[", i, i);
    buf_putc(&result, ']');
    struct export_item item = item_of("{\"image\":\"/p.png\"}", result.p);
    CHECK(spend("coco", &item, &out) < 5);
    struct str file = file_in(buf_view(&out), "annotations/instances_train.json");
    CHECK(has(file, "{\"id\":20000,"));
    buf_release(&result);
    buf_release(&out);
}
