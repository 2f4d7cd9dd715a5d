/* Owns how untrusted XML is read. Knows no format. */
#include "formats/xml_read.h"

#include <libxml/parser.h>
#include <limits.h>
#include <stdio.h>

enum { SAFE = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING };

static const struct str doctype = {"<!DOCTYPE", 9};

static struct str name_of(const struct reader *r, size_t file)
{
    return file_set_at(r->source, file)->name;
}

static enum err broken(struct reader *r, size_t file, const xmlError *error)
{
    char where[READER_WHERE], why[200];

    snprintf(where, sizeof(where), "line %d", error ? error->line : 1);
    snprintf(
        why, sizeof(why), "%s", error && error->message ? error->message : "it ends too early");
    why[strcspn(why, "\n")] = '\0';
    return reader_bad(r, name_of(r, file), where, "is no good XML: %s", why);
}

/* ---- a tree */

enum err xml_tree(struct reader *r, size_t file, xmlDoc **out)
{
    xmlParserCtxt *ctx = xmlNewParserCtxt();
    struct buf text;
    enum err e;

    BUG_ON(!ctx);
    *out = NULL;
    buf_init(&text, XML_SMALL);
    e = file_set_load(r->source, file, &text);
    if (e == ERR_TOO_LARGE || e == ERR_FULL)
        e = reader_bad(r, name_of(r, file), "", "has more than %d MiB", XML_SMALL >> 20);
    else if (e)
        e = reader_failed(r, name_of(r, file), e);
    else if (memmem(buf_view(&text).p, text.n, doctype.p, doctype.n))
        e = reader_bad(r, name_of(r, file), "", "has a DOCTYPE, which is not read");
    if (!e) {
        *out = xmlCtxtReadMemory(ctx, buf_view(&text).p, (int)text.n, NULL, "UTF-8", SAFE);
        if (!*out)
            e = broken(r, file, xmlCtxtGetLastError(ctx));
    }
    xmlFreeParserCtxt(ctx);
    buf_release(&text);
    return e;
}

xmlNode *xml_child(const xmlNode *node, const char *name)
{
    xmlNode *c = node ? node->children : NULL;

    while (c && !(c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0))
        c = c->next;
    return c;
}

struct str xml_text_of(struct arena *a, const xmlNode *node)
{
    xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
    struct str s = arena_str(a, str_trim(str_of(text ? (const char *)text : "")));

    xmlFree(text);
    return s;
}

/* ---- a stream */

/* The bytes are looked through as they come: UTF-8 is insisted on, so these are the bytes. */
static void look_for_doctype(struct xml_stream *s, const char *p, size_t n)
{
    char joint[32];
    size_t head = n < doctype.n - 1 ? n : doctype.n - 1, keep;

    memcpy(joint, s->tail, s->tail_n);
    memcpy(joint + s->tail_n, p, head);
    if (memmem(joint, s->tail_n + head, doctype.p, doctype.n) || memmem(p, n, doctype.p, doctype.n))
        s->doctype = true;
    if (n < doctype.n - 1) {
        n += s->tail_n;
        p = joint;
    }
    keep = n < doctype.n - 1 ? n : doctype.n - 1;
    memmove(s->tail, p + n - keep, keep);
    s->tail_n = keep;
}

static int read_piece(void *arg, char *p, int n)
{
    struct xml_stream *s = arg;
    ssize_t got = file_set_read(s->r->source, s->file, s->off, p, (size_t)n);

    if (got > 0) {
        look_for_doctype(s, p, (size_t)got);
        s->off += got;
    }
    return s->doctype ? -1 : (int)got;
}

enum err xml_stream_open(struct xml_stream *s, struct reader *r, size_t file)
{
    *s = (struct xml_stream){.r = r, .file = file};
    s->xml = xmlReaderForIO(read_piece, NULL, s, NULL, "UTF-8", SAFE);
    return s->xml ? ERR_OK : broken(r, file, NULL);
}

void xml_stream_close(struct xml_stream *s)
{
    xmlFreeTextReader(s->xml);
    s->xml = NULL;
}

enum err xml_stream_read(struct xml_stream *s, bool *got)
{
    int r = xmlTextReaderRead(s->xml);

    *got = r == 1;
    if (s->doctype) {
        s->r->over = true;
        return reader_bad(s->r, name_of(s->r, s->file), "", "has a DOCTYPE, which is not read");
    }
    if (r >= 0)
        return ERR_OK;
    s->r->over = true;
    return broken(s->r, s->file, xmlGetLastError());
}

int xml_stream_line(const struct xml_stream *s)
{
    const xmlNode *node = xmlTextReaderCurrentNode(s->xml);
    bool kept = node && node->line > 0 && node->line < USHRT_MAX; /* what libxml2 has room for */

    return kept ? node->line : xmlTextReaderGetParserLineNumber(s->xml);
}

struct str xml_stream_attr(const struct xml_stream *s, struct arena *a, const char *name)
{
    xmlChar *value = xmlTextReaderGetAttribute(s->xml, (const xmlChar *)name);
    struct str text = arena_str(a, str_of(value ? (const char *)value : ""));

    xmlFree(value);
    return text;
}
