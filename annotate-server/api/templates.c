/* Owns the table of project templates. Never anything of a tenant: the same for all. */
#include "annotate-server/api/templates.h"

#include "annotate-server/api/projects.h"

/* clang-format off */
const struct template templates[] = {
    {"classification", "Sort pictures into classes",
        "<View>\n"
        "  <Image name=\"image\" value=\"$image\"/>\n"
        "  <Choices name=\"class\" toName=\"image\" choice=\"single\" required=\"true\">\n"
        "    <Choice value=\"yes\"/>\n"
        "    <Choice value=\"no\"/>\n"
        "  </Choices>\n"
        "</View>",
        "{\"overlap\":2,\"agreement\":{\"metric\":\"exact\",\"threshold\":1},\"review\":{\"mode\":\"sample\",\"percent\":10}}"},
    {"bounding-boxes", "Draw boxes around objects in pictures",
        "<View>\n"
        "  <Image name=\"image\" value=\"$image\" zoom=\"true\"/>\n"
        "  <RectangleLabels name=\"box\" toName=\"image\">\n"
        "    <Label value=\"object\" background=\"#2f6fed\"/>\n"
        "  </RectangleLabels>\n"
        "</View>",
        "{\"review\":{\"mode\":\"all\"},\"qa\":{\"percent\":5}}"},
    {"polygons", "Outline objects in pictures",
        "<View>\n"
        "  <Image name=\"image\" value=\"$image\" zoom=\"true\"/>\n"
        "  <PolygonLabels name=\"outline\" toName=\"image\">\n"
        "    <Label value=\"object\" background=\"#d9480f\"/>\n"
        "  </PolygonLabels>\n"
        "</View>",
        "{\"review\":{\"mode\":\"all\"},\"qa\":{\"percent\":5},\"lease_s\":{\"annotate\":1800}}"},
    {"keypoints", "Mark points on objects in pictures",
        "<View>\n"
        "  <Image name=\"image\" value=\"$image\" zoom=\"true\"/>\n"
        "  <KeyPointLabels name=\"point\" toName=\"image\">\n"
        "    <Label value=\"point\" background=\"#2b8a3e\"/>\n"
        "  </KeyPointLabels>\n"
        "</View>",
        "{\"review\":{\"mode\":\"all\"}}"},
    {"ner", "Mark names and other spans in text",
        "<View>\n"
        "  <Labels name=\"span\" toName=\"text\">\n"
        "    <Label value=\"person\" background=\"#2f6fed\"/>\n"
        "    <Label value=\"organisation\" background=\"#d9480f\"/>\n"
        "    <Label value=\"place\" background=\"#2b8a3e\"/>\n"
        "  </Labels>\n"
        "  <Text name=\"text\" value=\"$text\"/>\n"
        "</View>",
        "{\"review\":{\"mode\":\"all\"}}"},
    {"text-classification", "Sort texts into classes",
        "<View>\n"
        "  <Text name=\"text\" value=\"$text\"/>\n"
        "  <Choices name=\"class\" toName=\"text\" choice=\"single\" required=\"true\">\n"
        "    <Choice value=\"positive\"/>\n"
        "    <Choice value=\"neutral\"/>\n"
        "    <Choice value=\"negative\"/>\n"
        "  </Choices>\n"
        "</View>",
        "{\"overlap\":2,\"agreement\":{\"metric\":\"exact\",\"threshold\":1},\"review\":{\"mode\":\"sample\",\"percent\":10}}"},
    {"transcription", "Write down what is said in recordings",
        "<View>\n"
        "  <Audio name=\"audio\" value=\"$audio\"/>\n"
        "  <TextArea name=\"transcript\" toName=\"audio\" rows=\"6\" editable=\"true\" maxSubmissions=\"1\" required=\"true\"/>\n"
        "</View>",
        "{\"review\":{\"mode\":\"all\"},\"lease_s\":{\"annotate\":3600}}"},
    {"sound-events", "Mark what is heard and when",
        "<View>\n"
        "  <Labels name=\"event\" toName=\"audio\">\n"
        "    <Label value=\"speech\" background=\"#2f6fed\"/>\n"
        "    <Label value=\"noise\" background=\"#868e96\"/>\n"
        "  </Labels>\n"
        "  <Audio name=\"audio\" value=\"$audio\"/>\n"
        "</View>",
        "{\"review\":{\"mode\":\"all\"},\"lease_s\":{\"annotate\":1800}}"},
    {"pairwise", "Say which of two texts is the better one",
        "<View>\n"
        "  <Text name=\"prompt\" value=\"$prompt\"/>\n"
        "  <Text name=\"one\" value=\"$one\"/>\n"
        "  <Text name=\"two\" value=\"$two\"/>\n"
        "  <Pairwise name=\"better\" toName=\"one,two\"/>\n"
        "</View>",
        "{\"overlap\":3,\"agreement\":{\"metric\":\"exact\",\"threshold\":1},\"review\":{\"mode\":\"none\"}}"},
    {"ranking", "Put answers into order",
        "<View>\n"
        "  <Text name=\"prompt\" value=\"$prompt\"/>\n"
        "  <List name=\"answers\" value=\"$answers\" title=\"Answers, best first\"/>\n"
        "  <Ranker name=\"rank\" toName=\"answers\"/>\n"
        "</View>",
        "{\"overlap\":3,\"review\":{\"mode\":\"none\"}}"},
    {"rating", "Rate texts from one to five stars",
        "<View>\n"
        "  <Text name=\"text\" value=\"$text\"/>\n"
        "  <Rating name=\"stars\" toName=\"text\" maxRating=\"5\" required=\"true\"/>\n"
        "</View>",
        "{\"overlap\":3,\"review\":{\"mode\":\"none\"}}"},
};
/* clang-format on */

const size_t template_count = ARRAY_LEN(templates);

bool template_apply(struct req *r, struct str name, struct str *label_config, struct str *workflow)
{
    for (size_t i = 0; i < template_count; i++)
        if (str_is(name, templates[i].name)) {
            *label_config = str_of(templates[i].label_config);
            *workflow = str_of(templates[i].workflow);
            return true;
        }
    req_fail(r, ERR_INVALID, "/template", "there is no such template; GET /v1/templates has them");
    return false;
}

void template_list_handler(struct req *r)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"templates\":[");
    for (size_t i = 0; i < template_count; i++) {
        const struct template *t = &templates[i];
        buf_puts(&out, i ? ",{\"name\":" : "{\"name\":");
        buf_json(&out, str_of(t->name));
        buf_puts(&out, ",\"title\":");
        buf_json(&out, str_of(t->title));
        buf_puts(&out, ",\"label_config\":");
        buf_json(&out, str_of(t->label_config));
        buf_printf(&out, ",\"workflow\":%s}", t->workflow);
    }
    buf_puts(&out, "]}");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}
