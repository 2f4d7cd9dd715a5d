/* Label configs: what a good one says, the JSON of the SDK, and everything that must be refused. */
#include "core/label_config.h"

#include <stdlib.h>

#include "core/json_tree.h"
#include "t.h"

static struct label_config *parse(const char *xml)
{
    struct label_config *c = NULL;
    char why[LABEL_CONFIG_WHY];

    if (label_config_parse(str_of(xml), &c, why))
        t_fail(__FILE__, __LINE__, "%s\n      in %s", why, xml);
    return c;
}

TEST(reads_tags)
{
    struct label_config *c = parse("<View>\n"
                                   "  <Header value=\"Find the cars\"/>\n"
                                   "  <Image name=\"image\" value=\"$image\" zoom=\"true\"/>\n"
                                   "  <RectangleLabels name=\"box\" toName=\"image\">\n"
                                   "    <Label value=\"Car\" alias=\"c\" background=\"red\"/>\n"
                                   "    <Label value=\"Bus &amp; tram\"/>\n"
                                   "  </RectangleLabels>\n"
                                   "  <Choices name=\"q\" toName=\"image\" choice=\"multiple\""
                                   " required=\"true\" perRegion=\"true\">\n"
                                   "    <Choice value=\"a\"/><Choice value=\"b\"/>\n"
                                   "  </Choices>\n"
                                   "</View>");
    const struct label_control *box, *q;

    REQUIRE(c != NULL);
    box = label_control_find(c, STR("box"));
    q = label_control_find(c, STR("q"));
    REQUIRE(box && q);
    CHECK_STR(box->type, STR("RectangleLabels"));
    CHECK_INT((int64_t)box->nvalues, 2);
    CHECK_STR(box->values->value, STR("c")); /* the alias is what results carry */
    CHECK_STR(box->values->next->value, STR("Bus & tram"));
    CHECK(!label_value_any(box, STR("Car")));
    CHECK_STR(label_attr(&box->values->attrs, "background"), STR("red"));
    CHECK(!box->required && !box->single && !box->per_region);
    CHECK(q->required && !q->single && q->per_region);
    CHECK(label_control_target(box, STR("box"), STR("image")) == c->objects);
    CHECK(!label_control_target(box, STR("box"), STR("other")));
    CHECK_STR(c->objects->field, STR("image"));
    CHECK(!label_control_find(c, STR("image")));
    CHECK_INT((int64_t)c->ncontrols, 2);
    label_config_free(c);
    label_config_free(NULL);
}

TEST(nested_choices)
{
    struct label_config *c = parse("<View><Text name=\"t\" value=\"$t\"/>"
                                   "<Taxonomy name=\"x\" toName=\"t\">"
                                   "<Choice value=\"Cat\"><Choice value=\"Other\"/></Choice>"
                                   "<Choice value=\"Dog\"><Choice value=\"Other\"/></Choice>"
                                   "</Taxonomy></View>");
    const struct label_control *x;
    const struct label_value *cat, *dog;

    REQUIRE(c != NULL);
    x = c->controls;
    cat = label_value_find(x, NULL, STR("Cat"));
    dog = label_value_find(x, NULL, STR("Dog"));
    REQUIRE(cat && dog);
    CHECK(label_value_find(x, cat, STR("Other")) != label_value_find(x, dog, STR("Other")));
    CHECK(label_value_find(x, cat, STR("Other"))->parent == cat);
    CHECK(!label_value_find(x, NULL, STR("Other")));
    CHECK(!label_value_find(x, cat, STR("Dog")));
    CHECK(label_value_any(x, STR("Other")) != NULL);
    label_config_free(c);
}

TEST(repeater_names)
{
    struct label_config *c =
        parse("<View><Repeater on=\"$pages\" indexFlag=\"{{idx}}\">"
              "<Image name=\"page_{{idx}}\" value=\"$pages[{{idx}}].url\"/>"
              "<RectangleLabels name=\"l_{{idx}}_x\" toName=\"page_{{idx}}\"><Label value=\"A\"/>"
              "</RectangleLabels></Repeater></View>");
    const struct label_control *l;
    struct buf out;

    REQUIRE(c != NULL);
    l = label_control_find(c, STR("l_12_x"));
    REQUIRE(l != NULL);
    CHECK(!label_control_find(c, STR("l__x")));
    CHECK(!label_control_find(c, STR("l_a_x")));
    CHECK(!label_control_find(c, STR("l_{{idx}}_x")));
    CHECK(label_control_target(l, STR("l_12_x"), STR("page_12")) != NULL);
    CHECK(!label_control_target(l, STR("l_12_x"), STR("page_3")));
    buf_init(&out, 4096);
    label_config_json(c, &out);
    CHECK(strstr(out.p, "\"regex\":{\"{{idx}}\":\".*\"}"));
    buf_release(&out);
    label_config_free(c);
}

TEST(json_of_the_sdk)
{
    struct label_config *c = parse("<View><Audio name=\"a\" value=\"$url\" valueType=\"url\"/>"
                                   "<Labels name=\"l\" toName=\"a\"><Label value=\"Speech\""
                                   " background=\"#f00\"/></Labels>"
                                   "<TextArea name=\"tr\" toName=\"a\" perRegion=\"true\""
                                   " whenTagName=\"l\"/></View>");
    struct json_object *v = NULL;
    struct buf out;

    REQUIRE(c != NULL);
    buf_init(&out, 4096);
    label_config_json(c, &out);
    CHECK_STR(buf_view(&out),
        STR("{\"l\":{\"type\":\"Labels\",\"to_name\":[\"a\"],\"inputs\":[{\"type\":\"Audio\","
            "\"value\":\"url\",\"valueType\":\"url\"}],\"labels\":[\"Speech\"],\"labels_attrs\":{"
            "\"Speech\":{\"value\":\"Speech\",\"background\":\"#f00\"}},"
            "\"attrs\":{\"name\":\"l\",\"toName\":\"a\"}},"
            "\"tr\":{\"type\":\"TextArea\",\"to_name\":[\"a\"],\"inputs\":[{\"type\":\"Audio\","
            "\"value\":\"url\",\"valueType\":\"url\"}],\"labels\":[],\"labels_attrs\":{},"
            "\"conditionals\":{\"type\":\"tag\",\"name\":\"l\"},\"attrs\":{\"name\":\"tr\","
            "\"toName\":\"a\",\"perRegion\":\"true\",\"whenTagName\":\"l\"}}}"));
    CHECK_INT(json_tree_parse(buf_view(&out), 32, &v, NULL), ERR_OK);
    json_object_put(v);
    buf_release(&out);
    label_config_free(c);
}

/* A config for every control tag there is. */
TEST(every_tag_parses)
{
    static const struct {
        const char *object, *control;
    } rows[] = {{"Image", "RectangleLabels"}, {"Image", "PolygonLabels"},
        {"Image", "KeyPointLabels"}, {"Image", "EllipseLabels"}, {"Image", "BrushLabels"},
        {"Image", "BitmaskLabels"}, {"Image", "VectorLabels"}, {"Image", "MagicWand"},
        {"Image", "Rectangle"}, {"Image", "Polygon"}, {"Image", "KeyPoint"}, {"Image", "Ellipse"},
        {"Image", "Brush"}, {"Image", "Bitmask"}, {"Image", "Vector"}, {"Text", "Labels"},
        {"Text", "Choices"}, {"HyperText", "HyperTextLabels"}, {"Paragraphs", "ParagraphLabels"},
        {"TimeSeries", "TimeSeriesLabels"}, {"Video", "TimelineLabels"},
        {"Video", "VideoRectangle"}, {"Text", "Taxonomy"}, {"Audio", "TextArea"},
        {"Image", "Rating"}, {"Table", "Number"}, {"Text", "DateTime"}, {"Text", "Pairwise"},
        {"List", "Ranker"}, {"Pdf", "OcrLabels"}, {"Video", "VideoVectorLabels"},
        {"Image", "ReactCode"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char xml[512];
        snprintf(xml, sizeof(xml),
            "<View><Style>.x{}</Style><Collapse><Panel value=\"p\"><%s name=\"o\" value=\"$v\"/>"
            "</Panel></Collapse><Filter name=\"f\" toName=\"c\"/><%s name=\"c\" toName=\"o\">"
            "<Label value=\"A\"/></%s><Relations><Relation value=\"r\"/></Relations></View>",
            rows[i].object, rows[i].control, rows[i].control);
        struct label_config *c = parse(xml);
        REQUIRE(c != NULL);
        CHECK_STR(c->controls->type, str_of(rows[i].control));
        CHECK(c->relations && label_value_any(c->relations, STR("r")));
        label_config_free(c);
    }
}

TEST(tags_that_are_both)
{
    struct label_config *c =
        parse("<View><Chat name=\"chat\" value=\"$m\" toName=\"chat\"/></View>");

    REQUIRE(c != NULL);
    CHECK(label_control_find(c, STR("chat")) &&
          label_control_target(c->controls, STR("chat"), STR("chat")));
    label_config_free(c);
    c = parse("<View><ReactCode name=\"r\" toName=\"r\" data=\"$d\"/></View>");
    REQUIRE(c != NULL);
    CHECK(label_control_target(c->controls, STR("r"), STR("r")) != NULL);
    CHECK_STR(c->objects->field, STR("d"));
    label_config_free(c);
}

TEST(labels_from_the_task)
{
    struct label_config *c = parse("<View><Text name='t' value='$t'/><Choices name='c' toName='t' "
                                   "value='$options'/><Taxonomy name='x' toName='t' "
                                   "apiUrl='https://x'/></View>");
    struct buf out;

    REQUIRE(c != NULL);
    CHECK(c->controls->dynamic && c->controls->next->dynamic);
    buf_init(&out, 4096);
    label_config_json(c, &out);
    CHECK(strstr(out.p, "\"labels\":[],\"labels_attrs\":{},\"dynamic_labels\":true,"));
    buf_release(&out);
    label_config_free(c);
}

/* Real configs leave out the toName that can only be one, and name a label twice. */
TEST(lenient_where_it_is_clear)
{
    struct label_config *c =
        parse("<View><Image name=\"i\" valueList=\"$pages\"/><Choices name=\"c\">"
              "<Choice value=\"a\"/><Choice value=\"b\"/><Choice value=\"b\"/></Choices></View>");
    struct buf out;

    REQUIRE(c != NULL);
    CHECK(label_control_target(c->controls, STR("c"), STR("i")) == c->objects);
    CHECK(label_value_any(c->controls, STR("b"))->index == 1);
    CHECK(label_value_find(c->controls, NULL, STR("b"))->index == 1);
    buf_init(&out, 4096);
    label_config_json(c, &out);
    CHECK(strstr(out.p, "\"labels\":[\"a\",\"b\"],"));
    CHECK(strstr(out.p, "\"inputs\":[{\"type\":\"Image\",\"valueList\":\"pages\","));
    buf_release(&out);
    label_config_free(c);
}

#define TXT "<Text name=\"t\" value=\"$t\"/>"
#define IMG "<Image name=\"i\" value=\"$i\"/>"
#define BOX "<RectangleLabels name=\"b\" toName=\"i\"><Label value=\"A\"/></RectangleLabels>"

TEST(refuses)
{
    static const struct {
        const char *xml, *why;
    } rows[] = {
        {"", "not well-formed"},
        {"   ", "not well-formed"},
        {"<View>", "not well-formed"},
        {"<View></Vew>", "not well-formed"},
        {"<View/><View/>", "not well-formed"},
        {"<View a=1/>", "not well-formed"},
        {"<View a=\"1\" a=\"2\"/>", "not well-formed"},
        {"not xml", "not well-formed"},
        {"<View>&nope;</View>", "not well-formed"},
        {"<View>\xff</View>", "not well-formed"},
        {"<View>\xc0\xaf</View>", "not well-formed"},
        {"<View>&#0;</View>", "not well-formed"},
        {"<!DOCTYPE View><View/>", "DOCTYPE"},
        {"<!DOCTYPE View SYSTEM \"file:///etc/passwd\"><View/>", "DOCTYPE"},
        {"<!DOCTYPE View [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><View>&x;</View>", "DOCTYPE"},
        {"<!DOCTYPE v [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
         "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]>"
         "<View x=\"&d;&d;&d;\"/>",
            "DOCTYPE"},
        {"<view/>", "must be <View>"},
        {"<Image name=\"i\" value=\"$i\"/>", "must be <View>"},
        {"<View/>", "no control tag"},
        {"<View><Choices name=\"c\"/></View>", "needs toName"},
        {"<View>" IMG "</View>", "no control tag"},
        {"<View>" IMG IMG BOX "</View>", "two tags with the name \"i\""},
        {"<View>" IMG BOX BOX "</View>", "two tags with the name \"b\""},
        {"<View>" IMG "<Choices name=\"i\" toName=\"i\"/></View>", "two tags"},
        {"<View>" BOX "</View>", "\"i\", which is no tag"},
        {"<View>" IMG "<Choices name=\"c\" toName=\"j\"/></View>", "\"j\", which is no tag"},
        {"<View>" IMG "<Choices name=\"c\" toName=\"i,j\"/></View>", "\"j\", which is no tag"},
        {"<View>" IMG BOX "<Choices name=\"c\" toName=\"b\"/></View>", "\"b\", which is no tag"},
        {"<View>" IMG TXT "<Choices name=\"c\" toName=\"\"/></View>", "needs toName"},
        {"<View>" IMG TXT "<Choices name=\"c\"/></View>", "needs toName"},
        {"<View>" IMG "<Choices toName=\"i\"/></View>", "needs a name"},
        {"<View>" IMG "<Choices name=\"\" toName=\"i\"/></View>", "needs a name"},
        {"<View>" IMG "<Telepathy name=\"c\" toName=\"i\"/></View>", "not a control tag"},
        {"<View>" IMG "<Choices name=\"c\" toName=\"i\"><Choice/></Choices></View>",
            "needs a value"},
        {"<View>\n\n" IMG TXT "\n<Choices name=\"c\"/></View>", "line 4:"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct label_config *c = NULL;
        char why[LABEL_CONFIG_WHY] = "";
        enum err e = label_config_parse(str_of(rows[i].xml), &c, why);
        if (e != ERR_INVALID || c || !strstr(why, rows[i].why))
            t_fail(__FILE__, __LINE__, "%s: %d «%s», want «%s»", rows[i].xml, e, why, rows[i].why);
        label_config_free(c);
    }
}

static void refuse_built(struct buf *xml, const char *want)
{
    struct label_config *c = NULL;
    char why[LABEL_CONFIG_WHY] = "";

    CHECK_INT(buf_err(xml), ERR_OK);
    CHECK_INT(label_config_parse(buf_view(xml), &c, why), ERR_INVALID);
    if (!strstr(why, want))
        t_fail(__FILE__, __LINE__, "«%s», want «%s»", why, want);
    label_config_free(c);
    buf_clear(xml);
}

TEST(refuses_what_is_too_much)
{
    struct buf xml;

    buf_init(&xml, 1 << 20);
    for (int i = 0; i < LABEL_CONFIG_DEPTH + 1; i++)
        buf_puts(&xml, "<View>");
    for (int i = 0; i < LABEL_CONFIG_DEPTH + 1; i++)
        buf_puts(&xml, "</View>");
    refuse_built(&xml, "nested deeper");
    for (int i = 0; i < 20000; i++)
        buf_puts(&xml, "<View>");
    refuse_built(&xml, "not well-formed");
    buf_puts(&xml, "<View>");
    for (int i = 0; i < LABEL_CONFIG_NODES; i++)
        buf_puts(&xml, "<View/>");
    buf_puts(&xml, "</View>");
    refuse_built(&xml, "more than 10000 elements");
    buf_puts(&xml, "<View>");
    while (xml.n <= LABEL_CONFIG_MAX)
        buf_puts(&xml, "                                ");
    buf_puts(&xml, "</View>");
    refuse_built(&xml, "longer than");
    buf_add(&xml, "<View>\0</View>", 14);
    refuse_built(&xml, "NUL");
    buf_puts(&xml, "<View>");
    for (int i = 0; i < 9; i++)
        buf_puts(&xml, "<Repeater on=\"$x\"/>");
    buf_puts(&xml, "</View>");
    refuse_built(&xml, "<Repeater>s");
    buf_release(&xml);
}

/* Every prefix of a good config, and every one with a byte changed: an answer, never a crash. */
TEST(mangled)
{
    static const char good[] =
        "<View><Repeater on=\"$p\"><Image name=\"i{{idx}}\" value=\"$i\"/></Repeater>"
        "<Choices name=\"c\" toName=\"i{{idx}}\" choice=\"single\"><Choice value=\"&lt;\"><Choice "
        "value=\"x\"/></Choice></Choices><Relations><Relation value=\"r\"/></Relations></View>";
    uint64_t random = t_seed();

    for (int i = 0; i < 5000; i++) {
        char xml[sizeof(good)], why[LABEL_CONFIG_WHY];
        struct label_config *c = NULL;
        memcpy(xml, good, sizeof(good));
        size_t n = i < (int)sizeof(good) ? (size_t)i : sizeof(good) - 1;
        for (uint64_t k = i < (int)sizeof(good) ? 0 : t_random(&random) % 4 + 1; k > 0; k--)
            xml[t_random(&random) % (sizeof(good) - 1)] = (char)t_random(&random);
        if (label_config_parse((struct str){xml, n}, &c, why) == ERR_OK) {
            struct buf out;
            buf_init(&out, 1 << 16);
            label_config_json(c, &out);
            CHECK_INT(buf_err(&out), ERR_OK);
            buf_release(&out);
        }
        label_config_free(c);
    }
}
