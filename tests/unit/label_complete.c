/* What a whole document must have and may have at most: required answers where they are shown,
 * maxUsages, single labels. */
#include "label_docs.h"

static void check_required(const struct label_config *c, const char *text, unsigned flags,
    const char *pointer, const char *why)
{
    struct label_problem p;
    struct label_doc_info info;
    char *doc = quoted(text);
    enum err e = run(c, doc, NULL, flags, NULL, &info, &p);

    if (pointer ? e != ERR_LABEL_INVALID || strcmp(p.pointer, pointer) || !strstr(p.why, why)
                : e != ERR_OK)
        t_fail(__FILE__, __LINE__, "%s: %d %s «%s»", text, e, p.pointer, p.why);
    free(doc);
}

TEST(required)
{
    struct label_config *c = config_of(
        "<View><Image name='image' value='$i'/><RectangleLabels name='label' toName='image'>"
        "<Label value='Car'/></RectangleLabels><Choices name='sure' toName='image' required='true'"
        " requiredMessage='Say how sure you are'><Choice value='y'/></Choices>"
        "<Choices name='if' toName='image' required='true' visibleWhen='choice-selected'>"
        "<Choice value='y'/></Choices>"
        "<TextArea name='colour' toName='image' required='true' perRegion='true'/></View>");
    const char sure[] = "{'id':'s','type':'choices','from_name':'sure','to_name':'image','value':"
                        "{'choices':['y']}}";
    char doc[1024];

    check_required(c, "[]", 0, "/result", "Say how sure you are");
    check_required(c, "[]", LABEL_DOC_PARTIAL, NULL, NULL);
    snprintf(doc, sizeof(doc), "[%s]", sure);
    check_required(c, doc, 0, NULL, NULL);
    snprintf(doc, sizeof(doc), "[%s," GOOD_BOX "]", sure);
    check_required(c, doc, 0, "/result/1", "\"colour\"> is required");
    check_required(c, doc, LABEL_DOC_PARTIAL, NULL, NULL);
    snprintf(doc, sizeof(doc),
        "[%s," GOOD_BOX "," ITEM(
            "textarea", "colour", "image", "{'x':1,'y':2,'width':3,'height':4,'text':['red']}") "]",
        sure);
    check_required(c, doc, 0, NULL, NULL);
    label_config_free(c);
}

#define SAYS(id, control, choice)                                                                  \
    "{'id':'" id "','type':'choices','from_name':'" control                                        \
    "','to_name':'image','value':{'choices':['" choice "']}}"
#define MARK(id, label)                                                                            \
    "{'id':'" id "','type':'rectanglelabels','from_name':'label','to_name':'image','value':"       \
    "{'x':1,'y':2,'width':3,'height':4,'rectanglelabels':['" label "']}}"

/* A question is required where it is shown: by a choice made elsewhere, by the label of a region,
 * by what it stands in. */
TEST(required_where_it_is_shown)
{
    static const char config[] =
        "<View><Image name='image' value='$i'/><RectangleLabels name='label' toName='image'>"
        "<Label value='Car'/><Label value='Bus'/><Label value='Tree'/></RectangleLabels>"
        "<Choices name='light' toName='image'><Choice value='day'/><Choice value='night'/>"
        "<Choice value='dusk'/></Choices>"
        "<View visibleWhen='choice-selected' whenTagName='light' whenChoiceValue='night,dusk'>"
        "<Choices name='lamps' toName='image' required='true'><Choice value='on'/></Choices></View>"
        "<Choices name='sun' toName='image' required='true' visibleWhen='choice-unselected' "
        "whenTagName='light' whenChoiceValue='night'><Choice value='low'/></Choices>"
        "<Choices name='paint' toName='image' required='true' perRegion='true' "
        "visibleWhen='region-selected' whenTagName='label' whenLabelValue='Car, Bus'>"
        "<Choice value='red'/><Choice value='rust'/></Choices>"
        "<Choices name='why' toName='image' required='true' perRegion='true' "
        "visibleWhen='choice-selected' whenTagName='paint' whenChoiceValue='rust'>"
        "<Choice value='old'/></Choices>"
        "<Choices name='kind' toName='image' required='true' perRegion='true' "
        "whenLabelValue='Tree'><Choice value='oak'/></Choices>"
        "<Choices name='never' toName='image' required='true' visibleWhen='region-selected'>"
        "<Choice value='x'/></Choices></View>";
    static const struct {
        const char *doc, *pointer, *why;
    } rows[] = {
        {"[]", "/result", "\"sun\""},
        {"[" SAYS("a", "sun", "low") "]", NULL, NULL},
        {"[" SAYS("a", "light", "day") "]", "/result", "\"sun\""},
        {"[" SAYS("a", "light", "night") "]", "/result", "\"lamps\""},
        {"[" SAYS("a", "light", "night") "," SAYS("b", "lamps", "on") "]", NULL, NULL},
        {"[" SAYS("a", "light", "dusk") "," SAYS("b", "sun", "low") "]", "/result", "\"lamps\""},
        /* an answer to what is not shown is kept */
        {"[" SAYS("a", "lamps", "on") "," SAYS("b", "sun", "low") "]", NULL, NULL},
        {"[" SAYS("a", "sun", "low") "," MARK("r", "Car") "]", "/result/1", "\"paint\""},
        {"[" SAYS("a", "sun", "low") "," MARK("r", "Bus") "," SAYS("r", "paint", "red") "]", NULL,
            NULL},
        {"[" SAYS("a", "sun", "low") "," MARK("r", "Bus") "," SAYS("r", "paint", "rust") "]",
            "/result/1", "\"why\""},
        /* rust on one region asks nothing of another */
        {"[" SAYS("a", "sun", "low") "," MARK("r", "Bus") "," SAYS("r", "paint", "rust") "," SAYS(
             "r", "why", "old") "," MARK("s", "Car") "," SAYS("s", "paint", "red") "]",
            NULL, NULL},
        {"[" SAYS("a", "sun", "low") "," MARK("t", "Tree") "]", "/result/1", "\"kind\""},
        {"[" SAYS("a", "sun", "low") "," MARK("t", "Tree") "," SAYS("t", "kind", "oak") "]", NULL,
            NULL},
    };
    struct label_config *c = config_of(config);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_required(c, rows[i].doc, 0, rows[i].pointer, rows[i].why);
        check_required(c, rows[i].doc, LABEL_DOC_PARTIAL, NULL, NULL);
    }
    label_config_free(c);
}

/* perItem: each picture of the task's list has an answer. */
TEST(required_of_each_picture)
{
    static const char pages[] = "{\"pages\":[\"/1.png\",\"/2.png\"]}";
    struct label_config *c = config_of(
        "<View><Image name='image' valueList='$pages'/><Choices name='sure' toName='image' "
        "perItem='true' required='true'><Choice value='y'/></Choices></View>");
    const char first[] = "[{'id':'a','type':'choices','from_name':'sure','to_name':'image',"
                         "'item_index':0,'value':{'choices':['y']}}]";
    const char both[] = "[{'id':'a','type':'choices','from_name':'sure','to_name':'image',"
                        "'item_index':0,'value':{'choices':['y']}},{'id':'b','type':'choices',"
                        "'from_name':'sure','to_name':'image','item_index':1,'value':{'choices':"
                        "['y']}}]";
    struct label_problem p;
    struct label_doc_info info;
    char *doc = quoted(first), *all = quoted(both);

    CHECK_INT(run(c, doc, pages, 0, NULL, &info, &p), ERR_LABEL_INVALID);
    CHECK(strstr(p.why, "item_index 1 has none"));
    CHECK_INT(run(c, doc, NULL, 0, NULL, &info, &p), ERR_OK); /* how many there are is not known */
    CHECK_INT(run(c, all, pages, 0, NULL, &info, &p), ERR_OK);
    free(doc);
    free(all);
    label_config_free(c);
}

TEST(max_usages)
{
    struct label_config *c = config_of(
        "<View><Image name='image' value='$i'/><RectangleLabels name='label' toName='image'>"
        "<Label value='Car' maxUsages='2'/><Label value='Bus'/></RectangleLabels>"
        "<Ellipse name='ring' toName='image'/><Labels name='plain' toName='image' maxUsages='1'>"
        "<Label value='Eye'/></Labels></View>");
    const char third[] = "[" MARK("a", "Car") "," MARK("b", "Bus") "," MARK("c", "Car") "," MARK(
        "d", "Bus") "," MARK("e", "Car") "," MARK("f", "Bus") "]";
    const char eyes[] =
        "[{'id':'a','type':'labels','from_name':'plain','to_name':'image','value':{'x':1,'y':1,"
        "'radiusX':1,'radiusY':1,'labels':['Eye']}},{'id':'b','type':'labels','from_name':'plain',"
        "'to_name':'image','value':{'x':1,'y':1,'radiusX':1,'radiusY':1,'labels':['Eye']}}]";

    check_required(c, "[" MARK("a", "Car") "," MARK("b", "Car") "]", 0, NULL, NULL);
    check_required(c, third, 0, "/result/4/value/rectanglelabels/0", "more often than 2 times");
    check_required(c, third, LABEL_DOC_PARTIAL, NULL, NULL);
    check_required(c, eyes, 0, "/result/1/value/labels/0", "more often than 1 times");
    label_config_free(c);
}

TEST(single_labels)
{
    struct label_config *c = config_of(
        "<View><Image name='image' value='$i'/><RectangleLabels name='label' toName='image' "
        "choice='single'><Label value='Car'/><Label value='Bus'/></RectangleLabels></View>");

    check_required(c, "[" GOOD_BOX "]", 0, NULL, NULL);
    check_required(c,
        "[" BOX("{'x':1,'y':1,'width':1,'height':1,'rectanglelabels':['Car','Bus']}") "]", 0,
        "/result/0/value/rectanglelabels", "single");
    label_config_free(c);
}
