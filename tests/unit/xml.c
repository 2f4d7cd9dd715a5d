/* XML as formats write it, read back by libxml2: what can be said comes back as it was, in texts
 * and in attributes; what cannot is replaced. */
#include "formats/xml.h"

#include <libxml/parser.h>

#include "t.h"

static void check(const char *said, const char *want)
{
    struct buf out;
    xmlDoc *doc;

    buf_init(&out, 1 << 10);
    buf_puts(&out, "<x a=\"");
    xml_attribute(&out, str_of(said));
    buf_puts(&out, "\">");
    xml_text(&out, str_of(said));
    buf_puts(&out, "</x>");
    doc = xmlReadMemory(out.p, (int)out.n, NULL, "UTF-8", XML_PARSE_NOERROR | XML_PARSE_NONET);
    if (!doc) {
        t_fail(__FILE__, __LINE__, "%s is no XML", out.p);
    } else {
        xmlChar *a = xmlGetProp(xmlDocGetRootElement(doc), (const xmlChar *)"a");
        xmlChar *t = xmlNodeGetContent(xmlDocGetRootElement(doc));
        CHECK_STR(str_of((char *)a), str_of(want));
        CHECK_STR(str_of((char *)t), str_of(want));
        xmlFree(a);
        xmlFree(t);
    }
    xmlFreeDoc(doc);
    buf_release(&out);
}

TEST(xml_comes_back)
{
    check("a & b < c > \"d\" 'e' &amp; ]]>", "a & b < c > \"d\" 'e' &amp; ]]>");
    check("tab\there\nline\r\nand\rreturn  two", "tab\there\nline\r\nand\rreturn  two");
    check("\xe7\xbe\x8a \xf0\x9f\x90\x91 \xef\xbf\xbd \xef\xbb\xbf",
        "\xe7\xbe\x8a \xf0\x9f\x90\x91 \xef\xbf\xbd \xef\xbb\xbf");
    check("", "");
}

TEST(xml_replaces_what_it_cannot_say)
{
    check("a\x01"
          "b\x1f",
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd");
    check("\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd");
}
