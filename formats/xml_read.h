/* Reading XML that is hostile: no DOCTYPE, so no entities and nothing outside of the file; UTF-8,
 * no network, libxml2's own limits on depth and on the length of one text. */
#ifndef FORMATS_XML_READ_H
#define FORMATS_XML_READ_H

#include <libxml/tree.h>
#include <libxml/xmlreader.h>

#include "formats/reader.h"

enum { XML_SMALL = 1 << 20 }; /* bytes of a file that is read as a tree */

/* The whole file as a tree; xmlFreeDoc(). ERR_INVALID, told to the reader. */
enum err xml_tree(struct reader *r, size_t file, xmlDoc **out) MUSTCHECK;
/* The element of that name under `node`; NULL when there is none. */
xmlNode *xml_child(const xmlNode *node, const char *name);
/* The element's text, without white space around it, in the arena; empty without element. */
struct str xml_text_of(struct arena *a, const xmlNode *node);

/* A file that is read element by element. */
struct xml_stream {
    struct reader *r;
    size_t file;
    int64_t off;
    xmlTextReader *xml;
    bool doctype;  /* one was met */
    char tail[16]; /* the last bytes, where its name may have begun */
    size_t tail_n;
};

enum err xml_stream_open(struct xml_stream *s, struct reader *r, size_t file) MUSTCHECK;
void xml_stream_close(struct xml_stream *s);
/* *got false at the end. */
enum err xml_stream_read(struct xml_stream *s, bool *got) MUSTCHECK;
/* Of the element at hand; beyond line 65,534 that which is being parsed, a little further on. */
int xml_stream_line(const struct xml_stream *s);
/* An attribute of the element at hand, in the arena; empty when it is not there. */
struct str xml_stream_attr(const struct xml_stream *s, struct arena *a, const char *name);

#endif
