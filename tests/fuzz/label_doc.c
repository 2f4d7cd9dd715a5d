/* A label document under a config of many controls: what is taken has a canonical form that is
 * taken again and stays as it is; what is refused says where and why. */
#include "core/label_doc.h"
#include "core/json_tree.h"
#include "fuzz.h"

static const char xml[] =
    "<View><Image name=\"image\" value=\"$image\"/><Text name=\"text\" value=\"$text\"/>"
    "<Audio name=\"audio\" value=\"$audio\"/><Video name=\"video\" value=\"$video\"/>"
    "<RectangleLabels name=\"box\" toName=\"image\"><Label value=\"a\"/><Label value=\"b\"/>"
    "</RectangleLabels>"
    "<PolygonLabels name=\"polygon\" toName=\"image\"><Label value=\"a\"/></PolygonLabels>"
    "<BrushLabels name=\"brush\" toName=\"image\"><Label value=\"a\"/></BrushLabels>"
    "<KeyPointLabels name=\"point\" toName=\"image\"><Label value=\"a\"/></KeyPointLabels>"
    "<EllipseLabels name=\"ellipse\" toName=\"image\"><Label value=\"a\"/></EllipseLabels>"
    "<Labels name=\"span\" toName=\"text\"><Label value=\"a\"/></Labels>"
    "<Labels name=\"sound\" toName=\"audio\"><Label value=\"a\"/></Labels>"
    "<VideoRectangle name=\"track\" toName=\"video\"/>"
    "<TimelineLabels name=\"time\" toName=\"video\"><Label value=\"a\"/></TimelineLabels>"
    "<Choices name=\"choice\" toName=\"image\" required=\"true\"><Choice value=\"a\"/>"
    "<Choice value=\"b\"/></Choices>"
    "<Taxonomy name=\"tree\" toName=\"text\"><Choice value=\"a\"><Choice value=\"b\"/></Choice>"
    "</Taxonomy>"
    "<Rating name=\"stars\" toName=\"image\" maxRating=\"5\" perRegion=\"true\"/>"
    "<Number name=\"number\" toName=\"image\" min=\"0\" max=\"9\"/>"
    "<DateTime name=\"date\" toName=\"text\" only=\"date\"/>"
    "<TextArea name=\"words\" toName=\"image\" maxSubmissions=\"2\"/>"
    "<Pairwise name=\"pair\" toName=\"image,image\"/>"
    "<Ranker name=\"ranker\" toName=\"text\"/>"
    "<Relations><Relation value=\"a\"/></Relations></View>";

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

static void check(struct json_object *result, unsigned flags)
{
    struct label_doc_info info;
    struct label_problem problem = {"", ""};
    struct json_object *again = NULL;
    struct buf once, twice;

    buf_init(&once, 2 * BUF_MAX_LABEL);
    buf_init(&twice, 2 * BUF_MAX_LABEL);
    enum err e = label_doc_canon(config(), result, NULL, flags, &once, &info, &problem);
    if (!e) {
        CLAIM(info.items <= LABEL_DOC_ITEMS && info.regions <= info.items);
        CLAIM(json_tree_parse(buf_view(&once), JSON_DEPTH_MAX, &again, NULL) == ERR_OK);
        CLAIM(label_doc_canon(config(), again, NULL, flags, &twice, &info, &problem) == ERR_OK);
        CLAIM(str_eq(buf_view(&once), buf_view(&twice)));
    } else if (e == ERR_LABEL_INVALID) {
        CLAIM(*problem.why && (problem.pointer[0] == '/' || !problem.pointer[0]));
    }
    json_object_put(again);
    buf_release(&once);
    buf_release(&twice);
}

void fuzz(struct str input)
{
    static const unsigned flags[] = {0, LABEL_DOC_PARTIAL, LABEL_DOC_PARTIAL | LABEL_DOC_GIVE_IDS};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct json_object *result = NULL;
        if (json_tree_parse(input, JSON_DEPTH_REQUEST, &result, NULL))
            return;
        check(result, flags[i]);
        json_object_put(result);
    }
}
