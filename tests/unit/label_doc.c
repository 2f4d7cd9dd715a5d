/* Label documents: the examples of the format pass, their canonical bytes are stable, and every way
 * to be wrong is refused with the place of the fault. */
#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "label_docs.h"

/* One config that has everything: images, texts, sound, film. */
static const char config_xml[] =
    "<View><Image name='image' value='$image'/><Text name='text' value='$text'/>"
    "<Audio name='audio' value='$audio'/><Video name='video' value='$video'/>"
    "<HyperText name='html' value='$html'/><Paragraphs name='para' value='$para'/>"
    "<TimeSeries name='ts' value='$ts'/><Text name='url' value='$url' valueType='url'/>"
    "<RectangleLabels name='label' toName='image'><Label value='Airplane'/><Label value='Car'/>"
    "</RectangleLabels>"
    "<PolygonLabels name='poly' toName='image'><Label value='Building'/></PolygonLabels>"
    "<KeyPointLabels name='kp' toName='image'><Label value='Nose'/></KeyPointLabels>"
    "<BrushLabels name='brush' toName='image'><Label value='Road'/></BrushLabels>"
    "<BitmaskLabels name='mask' toName='image'><Label value='Road'/></BitmaskLabels>"
    "<EllipseLabels name='ell' toName='image'><Label value='Eye'/></EllipseLabels>"
    "<VectorLabels name='vec' toName='image'><Label value='Lane'/></VectorLabels>"
    "<Rectangle name='rect' toName='image'/>"
    "<Labels name='plain' toName='image,url'><Label value='Thing'/></Labels>"
    "<Labels name='ner' toName='text,url'><Label value='Date'/><Label value='PER'/></Labels>"
    "<Labels name='lab' toName='audio'><Label value='Speech'/></Labels>"
    "<TextArea name='tr' toName='audio' perRegion='true'/>"
    "<Choices name='sent' toName='text'><Choice value='Positive'/><Choice value='Negative'/>"
    "</Choices>"
    "<Choices name='multi' toName='text' choice='multiple'><Choice value='a'/><Choice value='b'/>"
    "</Choices>"
    "<Choices name='nest' toName='text' choice='multiple' allowNested='true'><Choice value='A'>"
    "<Choice value='A1'/></Choice><Choice value='B'/></Choices>"
    "<Choices name='dyn' toName='text' value='$options'/>"
    "<Taxonomy name='tax' toName='text'><Choice value='Eukarya'><Choice value='Animalia'/></Choice>"
    "</Taxonomy>"
    "<Rating name='stars' toName='image' maxRating='5'/>"
    "<Number name='num' toName='image' min='0' max='10'/>"
    "<DateTime name='when' toName='text'/><Pairwise name='pair' toName='text'/>"
    "<Ranker name='rank' toName='text'/><VideoRectangle name='box' toName='video'/>"
    "<Labels name='vl' toName='video'><Label value='Car'/></Labels>"
    "<TimelineLabels name='tl' toName='video'><Label value='Run'/></TimelineLabels>"
    "<HyperTextLabels name='hl' toName='html'><Label value='Org'/></HyperTextLabels>"
    "<ParagraphLabels name='pl' toName='para'><Label value='Q'/></ParagraphLabels>"
    "<TimeSeriesLabels name='tsl' toName='ts'><Label value='Up'/></TimeSeriesLabels>"
    "<OcrLabels name='ocr' toName='image'><Label value='Word'/></OcrLabels>"
    "<Chat name='chat' value='$chat'/><ReactCode name='code' toName='code' data='$code'/>"
    "<VideoVector name='vv' toName='video'/><Image name='pages' valueList='$pages'/>"
    "<RectangleLabels name='paged' toName='pages'><Label value='Title'/></RectangleLabels>"
    "<Relations><Relation value='born_in'/></Relations></View>";

static const char task_data[] =
    "{\"text\":\"On the twenty-third of March, 27 \xf0\x9f\x98\x80s\",\"url\":\"http://x/y\","
    "\"para\":[{\"author\":\"a\",\"text\":\"hello\"},"
    "{\"author\":\"b\",\"text\":\"h\xc3\xa9 "
    "\xf0\x9f\x98\x80\"}],\"pages\":[\"/1.png\",\"/2.png\"]}";

static void accept(const struct label_config *c, const char *doc, size_t regions)
{
    struct label_problem p;
    struct label_doc_info info = {0};

    if (run(c, doc, task_data, 0, NULL, &info, &p))
        t_fail(__FILE__, __LINE__, "%s: %s: %s", doc, p.pointer, p.why);
    else if (info.regions != regions)
        t_fail(__FILE__, __LINE__, "%s: %zu regions, want %zu", doc, info.regions, regions);
}

/* The complete items of the format's description. */
TEST(examples)
{
    static const char *const items[] = {
        "{'id':'r1','type':'rectanglelabels','from_name':'label','to_name':'image','origin':"
        "'manual','original_width':600,'original_height':403,'image_rotation':0,'value':{'x':4.98,"
        "'y':12.82,'width':32.52,'height':44.91,'rotation':0,'rectanglelabels':['Airplane']}}",
        "{'id':'p1','type':'polygonlabels','from_name':'poly','to_name':'image','origin':'manual',"
        "'original_width':800,'original_height':450,'image_rotation':0,'value':{'points':[[20.93,"
        "28.90],[25.86,64.69],[38.40,62.79]],'closed':true,'polygonlabels':['Building']}}",
        "{'id':'k1','type':'keypointlabels','from_name':'kp','to_name':'image','origin':'manual',"
        "'original_width':800,'original_height':450,'image_rotation':0,'value':{'x':38.4,'y':34.21,"
        "'width':1.0,'keypointlabels':['Nose']}}",
        "{'id':'b1','type':'brushlabels','from_name':'brush','to_name':'image','origin':'manual',"
        "'original_width':2,'original_height':2,'image_rotation':0,'value':{'format':'rle','rle':"
        "[0,0,0,16,57,27,252,96,19,255,198,0],'brushlabels':['Road']}}",
        "{'id':'n1','type':'labels','from_name':'ner','to_name':'text','origin':'manual','value':"
        "{'start':29,'end':31,'text':'27','labels':['Date']}}",
        "{'id':'a1','type':'labels','from_name':'lab','to_name':'audio','origin':'manual',"
        "'original_length':12.5,'value':{'start':0.5,'end':2.25,'channel':0,'labels':['Speech']}}",
        "{'id':'a1','type':'textarea','from_name':'tr','to_name':'audio','origin':'manual',"
        "'original_length':12.5,'value':{'start':0.5,'end':2.25,'channel':0,'text':['hello']}}",
        "{'id':'c1','type':'choices','from_name':'sent','to_name':'text','origin':'manual','value':"
        "{'choices':['Positive']}}",
        "{'id':'v1','type':'videorectangle','from_name':'box','to_name':'video','origin':'manual',"
        "'value':{'framesCount':300,'duration':12.5,'labels':['Car'],'sequence':[{'frame':1,"
        "'enabled':true,'time':0.0416667,'x':10,'y':10,'width':20,'height':15,'rotation':0},"
        "{'frame':50,'enabled':false,'time':2.0833333,'x':40,'y':12,'width':20,'height':15,"
        "'rotation':0}]}}",
        "{'id':'n2','type':'labels','from_name':'ner','to_name':'text','value':{'start':0,'end':2,"
        "'labels':['PER']}}",
        "{'type':'relation','from_id':'n1','to_id':'n2','direction':'right','labels':['born_in']}",
    };
    struct label_config *c = config_of(config_xml);
    struct buf doc;

    buf_init(&doc, 1 << 20);
    buf_putc(&doc, '[');
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        buf_printf(&doc, "%s%s", i ? "," : "", items[i]);
    buf_putc(&doc, ']');
    for (size_t i = 0; i < doc.n; i++)
        if (doc.p[i] == '\'')
            doc.p[i] = '"';
    accept(c, doc.p, 9);
    buf_release(&doc);
    label_config_free(c);
}

#define SENT(value) ITEM("choices", "sent", "text", value)
#define NER(value)  ITEM("labels", "ner", "text", value)
#define PARA(value) ITEM("paragraphlabels", "pl", "para", "{" value ",'paragraphlabels':['Q']}")
#define BRUSH(width, height, rle)                                                                  \
    "{'id':'x','type':'brushlabels','from_name':'brush','to_name':'image','original_width'"        \
    ":" #width ",'original_height':" #height ",'value':{'format':'rle','rle':[" rle                \
    "],'brushlabels':['Road']}}"

TEST(accepts)
{
    static const char *const docs[] = {
        BOX("{'x':0,'y':0,'width':100,'height':100," LABEL "}"),
        BOX("{'x':66.66666666666667,'y':0,'width':33.333333333333336,'height':1," LABEL "}"),
        BOX("{'x':99,'y':99,'width':50,'height':50,'rotation':180," LABEL "}"),
        BOX("{'x':1,'y':1,'width':1,'height':1,'rotation':null," LABEL ",'mine':[1,{}]}"),
        BOX("{'x':1,'y':1,'width':1,'height':1,'rectanglelabels':['Car','Airplane']}"),
        ITEM("rectangle", "rect", "image", "{'x':1,'y':1,'width':1,'height':1}"),
        ITEM("labels", "plain", "image", "{'x':1,'y':1,'width':1,'height':1,'labels':['Thing']}"),
        ITEM("labels", "plain", "image", "{'points':[[1,1],[2,2],[3,1]],'labels':['Thing']}"),
        ITEM("ellipselabels", "ell", "image",
            "{'x':50,'y':50,'radiusX':50,'radiusY':1,'ellipselabels':['Eye']}"),
        ITEM("bitmasklabels", "mask", "image",
            "{'imageDataURL':'data:image/png;base64,AA==','bitmasklabels':['Road']}"),
        ITEM("vectorlabels", "vec", "image",
            "{'closed':false,'vertices':[{'id':'1','x':1,'y':2,'prevPointId':null,'isBezier':"
            "false}],'vectorlabels':['Lane']}"),
        ITEM("ocrlabels", "ocr", "image",
            "{'x':1,'y':1,'width':1,'height':1,'ocrtext':'hi','ocrlabels':['Word']}"),
        NER("{'start':0,'end':0,'labels':['PER']}"),
        NER("{'start':33,'end':35,'labels':['PER']}"), /* the smiley is one character */
        ITEM("labels", "ner", "url", "{'start':500,'end':900,'labels':['PER']}"),
        ITEM("choices", "multi", "text", "{'choices':['b','a']}"),
        ITEM("choices", "nest", "text", "{'choices':[['A','A1'],['B'],['A']]}"),
        ITEM("choices", "nest", "text", "{'choices':['A1']}"),
        ITEM("choices", "dyn", "text", "{'choices':['whatever']}"),
        ITEM("taxonomy", "tax", "text", "{'taxonomy':[['Eukarya','Animalia'],['Eukarya']]}"),
        ITEM("rating", "stars", "image", "{'rating':5}"),
        ITEM("rating", "stars", "image", "{'rating':5.0}"), /* as Python may write it */
        NER("{'start':0.0,'end':3e0,'labels':['PER']}"),
        ITEM("number", "num", "image", "{'number':1.5}"),
        ITEM("datetime", "when", "text", "{'datetime':'2026-11-24'}"),
        ITEM("pairwise", "pair", "text", "{'selected':'left'}"),
        ITEM("ranker", "rank", "text", "{'ranker':{'best':['1','2'],'rest':[]}}"),
        ITEM("textarea", "tr", "audio", "{'text':['one','one']}"),
        ITEM("textarea", "tr", "audio", "{'text':'bare'}"),
        ITEM("timelinelabels", "tl", "video",
            "{'ranges':[{'start':1,'end':9}],'timelinelabels':['Run']}"),
        ITEM("videorectangle", "box", "video",
            "{'sequence':[{'frame':1,'x':1,'y':1,'width':1,'height':1}]}"),
        ITEM("videovector", "vv", "video",
            "{'sequence':[{'frame':1,'closed':true,'vertices':[{'id':'a','x':1,'y':2}]}]}"),
        ITEM("chatmessage", "chat", "chat",
            "{'chatmessage':{'role':'user','content':'hi','createdAt':1}}"),
        ITEM("reactcode", "code", "code", "{'reactcode':{'any':['thing']}}"),
        ITEM("hypertextlabels", "hl", "html",
            "{'start':'/p[1]/text()[1]','end':'/p[1]/text()[1]','startOffset':0,'endOffset':3,"
            "'globalOffsets':{'start':0,'end':3},'hypertextlabels':['Org']}"),
        ITEM("paragraphlabels", "pl", "para",
            "{'start':'0','end':'1','startOffset':3,'endOffset':1,'paragraphlabels':['Q']}"),
        PARA("'start':'1','end':'1','startOffset':3,'endOffset':4"), /* the smiley is one */
        PARA("'start':'0','end':'0','startOffset':0,'endOffset':5,'globalOffsets':{'start':0,"
             "'end':5}"),
        BRUSH(5, 4, "0,0,0,80,57,27,254,39,0,194,255,247,192,0"),
        BRUSH(2, 2, "0,0,0,16,57,27,252,96,19,255,198,0,0,77"), /* what follows does not count */
        ITEM("brushlabels", "brush", "image",
            "{'format':'rle','rle':[0,0,0,16,57,27,252,96,19,255,198,0],'brushlabels':['Road']}"),
        ITEM("keypointlabels", "kp", "image", "{'x':100,'y':0,'keypointlabels':['Nose']}"),
        ITEM("vectorlabels", "vec", "image",
            "{'vertices':[{'id':'a','x':1,'y':2,'isBezier':true,'controlPoint1':{'x':-9,'y':140.5},"
            "'controlPoint2':{'x':1,'y':2}}],'vectorlabels':['Lane']}"),
        "{'id':'x','type':'rectanglelabels','from_name':'paged','to_name':'pages','item_index':1,"
        "'value':{'x':1,'y':1,'width':1,'height':1,'rectanglelabels':['Title']}}",
        ITEM("timeserieslabels", "tsl", "ts",
            "{'start':'2020-01-01','end':'2020-01-02','instant':false,'timeserieslabels':['Up']}"),
        ITEM("timeserieslabels", "tsl", "ts", "{'start':-5.5,'end':2,'timeserieslabels':['Up']}"),
        "{'id':'x','type':'choices','from_name':'sent','to_name':'text','score':1,'readonly':true,"
        "'hidden':false,'meta':{'text':['why']},'parentID':'y','origin':'prediction-changed',"
        "'future':{'a':[1]},'value':{'choices':['Positive']}}",
    };
    struct label_config *c = config_of(config_xml);

    accept(c, "[]", 0);
    for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
        char doc[2048];
        char *q = quoted(docs[i]);
        snprintf(doc, sizeof(doc), "[%s]", q);
        accept(c, doc, 1);
        free(q);
    }
    label_config_free(c);
}

TEST(refuses)
{
    static const struct {
        const char *doc, *pointer, *why;
    } rows[] = {
#include "label_doc_refused.def"
    };
    struct label_config *c = config_of(config_xml);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct label_problem p;
        struct label_doc_info info;
        char *doc = quoted(rows[i].doc);
        enum err e = run(c, doc, task_data, 0, NULL, &info, &p);
        if (e != ERR_LABEL_INVALID || strcmp(p.pointer, rows[i].pointer) != 0 ||
            !strstr(p.why, rows[i].why))
            t_fail(__FILE__, __LINE__, "%s\n      %d %s «%s», want %s «%s»", rows[i].doc, e,
                p.pointer, p.why, rows[i].pointer, rows[i].why);
        free(doc);
    }
    label_config_free(c);
}

/* JSON text cannot say NaN; a document built in memory can. */
TEST(refuses_numbers_that_are_none)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    struct label_config *c = config_of(config_xml);
    char *good = quoted("[" GOOD_BOX "]");

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct json_object *doc = json(good), *value = NULL;
        struct label_problem p;
        struct label_doc_info info;
        struct buf out;
        buf_init(&out, 1000);
        json_object_object_get_ex(json_object_array_get_idx(doc, 0), "value", &value);
        json_object_object_add(value, "x", json_object_new_double(bad[i]));
        CHECK_INT(label_doc_canon(c, doc, NULL, 0, &out, &info, &p), ERR_LABEL_INVALID);
        CHECK_STR(str_of(p.pointer), STR("/result/0/value/x"));
        json_object_object_add(value, "x", json_object_new_int(1));
        json_object_object_add(value, "unknown", json_object_new_double(bad[i]));
        CHECK_INT(label_doc_canon(c, doc, NULL, 0, &out, &info, &p), ERR_LABEL_INVALID);
        buf_release(&out);
        json_object_put(doc);
    }
    free(good);
    label_config_free(c);
}

TEST(canonical_bytes)
{
    struct label_config *c = config_of(config_xml);
    char *doc = quoted("[{'value':{'y':2.50,'x':1e0,'height':4,'width':3.0,'b':'\\u00e9'," LABEL
                       "},'to_name':'image','id':'x','type':'rectanglelabels','from_name':'label',"
                       "'custom':{'z':1,'a':[true,null]}}]");
    char *want = quoted("[{'custom':{'a':[true,null],'z':1},'from_name':'label','id':'x','to_name':"
                        "'image','type':'rectanglelabels','value':{'b':'\xc3\xa9','height':4,"
                        "'rectanglelabels':['Car'],'width':3,'x':1,'y':2.5}}]");
    struct label_problem p;
    struct label_doc_info info;
    struct buf out;

    buf_init(&out, 4096);
    CHECK_INT(run(c, doc, NULL, 0, &out, &info, &p), ERR_OK);
    CHECK_STR(buf_view(&out), str_of(want));
    buf_release(&out);
    buf_init(&out, 20);
    CHECK_INT(run(c, doc, NULL, 0, &out, &info, &p), ERR_FULL);
    buf_release(&out);
    free(doc);
    free(want);
    label_config_free(c);
}

TEST(given_ids_are_stable)
{
    struct label_config *c = config_of(config_xml);
    char *doc = quoted("[{'type':'choices','from_name':'sent','to_name':'text','value':{'choices':"
                       "['Positive']}},{'type':'labels','from_name':'ner','to_name':'text','value':"
                       "{'start':0,'end':1,'labels':['PER']}},{'type':'labels','from_name':'ner',"
                       "'to_name':'text','value':{'start':0,'end':1,'labels':['PER']}}]");
    struct label_problem p;
    struct label_doc_info info;
    struct buf a, b;

    buf_init(&a, 4096);
    buf_init(&b, 4096);
    CHECK_INT(run(c, doc, NULL, 0, &a, &info, &p), ERR_LABEL_INVALID);
    CHECK_INT(run(c, doc, NULL, LABEL_DOC_GIVE_IDS, &a, &info, &p), ERR_OK);
    CHECK_INT((int64_t)info.regions, 3);
    CHECK_INT(run(c, doc, NULL, LABEL_DOC_GIVE_IDS, &b, &info, &p), ERR_OK);
    CHECK_STR(buf_view(&a), buf_view(&b));
    CHECK_INT(run(c, a.p, NULL, 0, NULL, &info, &p), ERR_OK); /* and good as they are */
    buf_release(&a);
    buf_release(&b);
    free(doc);
    label_config_free(c);
}

/* `n` boxes with ids of their own. */
static struct json_object *boxes(int n)
{
    struct json_object *doc = json_object_new_array();

    for (int i = 0; i < n; i++) {
        char *item = quoted(GOOD_BOX), id[32];
        struct json_object *v = json(item);
        snprintf(id, sizeof(id), "r%d", i);
        json_object_object_add(v, "id", json_object_new_string(id));
        json_object_array_add(doc, v);
        free(item);
    }
    return doc;
}

TEST(limits)
{
    struct label_config *c = config_of(config_xml);
    struct json_object *doc = boxes(LABEL_DOC_ITEMS), *labels = json_object_new_array(), *value;
    struct label_problem p;
    struct label_doc_info info;
    struct buf out;

    buf_init(&out, 64 << 20);
    CHECK_INT(label_doc_canon(c, doc, NULL, 0, &out, &info, &p), ERR_OK);
    CHECK_INT((int64_t)info.regions, LABEL_DOC_ITEMS);
    json_object_array_add(doc, json_object_new_object());
    CHECK_INT(label_doc_canon(c, doc, NULL, 0, &out, &info, &p), ERR_LABEL_INVALID);
    CHECK(strstr(p.why, "more than 10000 items"));
    json_object_put(doc);

    doc = boxes(1);
    value = json_object_object_get(json_object_array_get_idx(doc, 0), "value");
    for (int i = 0; i < LABEL_DOC_LIST + 1; i++)
        json_object_array_add(labels, json_object_new_string("Car"));
    json_object_object_add(value, "rectanglelabels", labels);
    CHECK_INT(label_doc_canon(c, doc, NULL, 0, &out, &info, &p), ERR_LABEL_INVALID);
    CHECK(strstr(p.why, "more than 200 labels"));
    json_object_put(doc);

    doc = boxes(1);
    char *big = malloc(BUF_MAX_LABEL + 1);
    REQUIRE(big != NULL);
    memset(big, 'a', BUF_MAX_LABEL);
    json_object_object_add(
        json_object_array_get_idx(doc, 0), "note", json_object_new_string_len(big, BUF_MAX_LABEL));
    CHECK_INT(label_doc_canon(c, doc, NULL, 0, &out, &info, &p), ERR_TOO_LARGE);
    free(big);
    json_object_put(doc);
    buf_release(&out);
    label_config_free(c);
}

/* A problem's text stays whole UTF-8, whatever the document holds. */
TEST(reasons_are_utf8)
{
    struct label_config *c = config_of(config_xml);
    struct label_problem p;
    struct label_doc_info info;
    struct buf doc;

    for (int shift = 0; shift < 4; shift++) {
        buf_init(&doc, 4096);
        buf_puts(&doc, "[{\"id\":\"x\",\"type\":\"");
        for (int i = 0; i < shift; i++)
            buf_putc(&doc, 'a');
        for (int i = 0; i < 100; i++)
            buf_puts(&doc, "\xf0\x9f\x98\x80");
        buf_puts(&doc, "\"}]");
        CHECK_INT(run(c, doc.p, NULL, 0, NULL, &info, &p), ERR_LABEL_INVALID);
        CHECK(utf8_valid(str_of(p.why)) == strlen(p.why) && strlen(p.why) > 20);
        buf_release(&doc);
    }
    label_config_free(c);
}

/* Random documents out of plausible parts: an answer, never a crash, and what is accepted once is
 * accepted again in its canonical form, with the same bytes. */
static struct json_object *random_value(uint64_t *r, int depth)
{
    static const char *const keys[] = {"id", "type", "from_name", "to_name", "value", "x", "y",
        "width", "height", "points", "choices", "start", "end", "labels", "rectanglelabels", "text",
        "from_id", "to_id", "direction", "meta", "score", "rotation", "taxonomy", "sequence"};
    static const char *const words[] = {"x", "choices", "sent", "text", "rectanglelabels", "label",
        "image", "Car", "Positive", "relation", "right", "labels", "ner", "PER", "multi", "nest"};
    struct json_object *v;
    uint64_t kind = t_random(r) % (depth > 0 ? 8 : 5);

    if (kind < 2)
        return json_object_new_string(words[t_random(r) % ARRAY_LEN(words)]);
    if (kind == 2)
        return json_object_new_double((double)(t_random(r) % 3000) / 20 - 20);
    if (kind == 3)
        return json_object_new_int((int)(t_random(r) % 120) - 10);
    if (kind == 4)
        return t_random(r) % 2 ? NULL : json_object_new_boolean(1);
    v = kind == 5 ? json_object_new_array() : json_object_new_object();
    for (uint64_t n = t_random(r) % 6; n > 0; n--) {
        if (kind == 5)
            json_object_array_add(v, random_value(r, depth - 1));
        else
            json_object_object_add(
                v, keys[t_random(r) % ARRAY_LEN(keys)], random_value(r, depth - 1));
    }
    return v;
}

TEST(random_documents)
{
    static const char *const seeds[] = {GOOD_BOX, SENT("{'choices':['Positive']}"),
        NER("{'start':0,'end':1,'labels':['PER']}"),
        ITEM("choices", "nest", "text", "{'choices':[['A','A1']]}")};
    struct label_config *c = config_of(config_xml);
    uint64_t r = t_seed();
    int accepted = 0;

    for (int i = 0; i < 20000; i++) {
        struct json_object *doc = json_object_new_array(), *item, *again, *value = NULL;
        struct label_problem p;
        struct label_doc_info info;
        struct buf a, b;
        char *seed = quoted(seeds[t_random(&r) % ARRAY_LEN(seeds)]);
        buf_init(&a, 1 << 20);
        buf_init(&b, 1 << 20);
        item = json(seed);
        if (t_random(&r) % 2 && json_object_object_get_ex(item, "value", &value))
            json_object_object_add(value, "x", random_value(&r, 2));
        if (t_random(&r) % 4 == 0)
            json_object_object_add(item, "meta", random_value(&r, 3));
        json_object_array_add(doc, item);
        if (t_random(&r) % 3 == 0)
            json_object_array_add(doc, random_value(&r, 4));
        if (label_doc_canon(c, doc, NULL, 0, &a, &info, &p) == ERR_OK) {
            accepted++;
            again = json(a.p);
            CHECK_INT(label_doc_canon(c, again, NULL, 0, &b, &info, &p), ERR_OK);
            CHECK_STR(buf_view(&b), buf_view(&a));
            json_object_put(again);
        } else {
            CHECK(strncmp(p.pointer, "/result", 7) == 0 && p.why[0]);
        }
        buf_release(&a);
        buf_release(&b);
        json_object_put(doc);
        free(seed);
    }
    CHECK(accepted > 1000 && accepted < 19000);
    label_config_free(c);
}
